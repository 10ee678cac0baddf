/* SPDX-License-Identifier: MIT */
/*
 * Claim: in a storm of signals, ten thousand per second, calls that wait succeed or say -EINTR, and
 * calling again is all that it takes: nothing is lost or doubled, deadlines hold, and descriptors
 * and places are opened and closed as ever. With each backend, channels and queues.
 */
#include "../messages.h"

#include "../backends.h"
#include <sys/time.h>

enum {
    PERIOD_US = 100,
    MESSAGES = 3000, /* there and back */
    LENGTH = 2000,   /* so that two fill the channel: both sides sleep */
    SLOTS = 2,
    DEADLINE_NS = 20000000,
};

static shmring_word32 signals;
static int interrupted;

static void count_signal(int number)
{
    (void)number;
    shmring_add32_release(&signals, 1);
}

/* Not to be inherited: each process has a storm of its own. */
static void begin_storm(void)
{
    struct sigaction action = {.sa_handler = count_signal}; /* no SA_RESTART */
    struct itimerval period = {{0, PERIOD_US}, {0, PERIOD_US}};

    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &period, NULL) == 0);
}

static void end_storm(void)
{
    struct itimerval none = {0};

    CHECK(setitimer(ITIMER_REAL, &none, NULL) == 0);
}

/* Is the call to be made again? */
static bool is_interrupted(int error)
{
    interrupted += error == -EINTR;
    return error == -EINTR;
}

static void send_through_channel(const backend_ring *ring)
{
    static uint8_t message[LENGTH];
    shmring_sender tx;
    int error;

    CHECK_EQ(backend_sender_open(&tx, ring, NULL), 0);
    for (uint32_t i = 0; i < MESSAGES; i++) {
        memcpy(message, &i, sizeof i);
        do {
            error = shmring_sender_send(&tx, message, sizeof message, i, SHMRING_NEVER);
        } while (is_interrupted(error));
        CHECK_EQ(error, 0);
    }
    shmring_sender_close(&tx);
}

static void send_through_queue(const backend_ring *ring)
{
    shmring_queue_sender tx;
    int error;

    CHECK_EQ(backend_queue_sender_open(&tx, ring, NULL), 0);
    for (uint32_t i = 0; i < MESSAGES; i++) {
        do {
            error = shmring_queue_send(&tx, &i, sizeof i, i, SHMRING_NEVER);
        } while (is_interrupted(error));
        CHECK_EQ(error, 0);
    }
    shmring_queue_sender_close(&tx);
}

/* A sleep that nobody ends: it lasts as long as it shall, however often it is interrupted. */
static void expect_deadline_holds(shmring_receiver *rx, shmring_queue_receiver *queue_rx)
{
    int64_t until = shmring_deadline(DEADLINE_NS);
    shmring_mpmc_slot slot;
    char byte;
    int error;

    do {
        error = queue_rx != NULL ? shmring_queue_recv(queue_rx, &byte, 1, &slot, until)
                                 : shmring_receiver_recv(rx, &byte, 1, NULL, NULL, until);
        CHECK(shmring_clock() < until + HANG_NS);
    } while (is_interrupted(error));
    CHECK_EQ(error, -ETIMEDOUT);
    CHECK(shmring_clock() >= until);
}

static void receive_from_channel(const backend_ring *ring, shmring_receiver *rx)
{
    static uint8_t message[LENGTH];
    uint32_t type, number = 0;
    int error;

    for (uint32_t i = 0; i <= MESSAGES; i++) {
        do {
            error = shmring_receiver_recv(rx, message, sizeof message, NULL, &type,
                                          SHMRING_NEVER);
        } while (is_interrupted(error));
        CHECK_EQ(error, i < MESSAGES ? 0 : -EPIPE);
        memcpy(&number, message, sizeof number);
        CHECK(i == MESSAGES || (number == i && type == i));
        if (i == 0)
            printf("%s, channel: ", backend_name(ring->backend));
    }
}

static void receive_from_queue(const backend_ring *ring, shmring_queue_receiver *rx)
{
    shmring_mpmc_slot slot;
    uint32_t number = 0;
    int error;

    for (uint32_t i = 0; i <= MESSAGES; i++) {
        do {
            error = shmring_queue_recv(rx, &number, sizeof number, &slot, SHMRING_NEVER);
        } while (is_interrupted(error));
        CHECK_EQ(error, i < MESSAGES ? 0 : -EPIPE);
        CHECK(i == MESSAGES || (number == i && slot.type == i));
        if (i == 0)
            printf("%s, queue: ", backend_name(ring->backend));
    }
}

static void run(enum shmring_backend backend, bool is_queue)
{
    shmring_channel_options options = {.capacity = is_queue ? SLOTS : 4096, .slot_size = 8};
    shmring_queue_receiver queue_rx = {0};
    shmring_receiver rx = {0};
    backend_ring ring;

    interrupted = 0;
    begin_storm();
    CHECK_EQ(backend_ring_create(&ring, backend, is_queue, options), 0);
    CHECK_EQ(is_queue ? backend_queue_receiver_open(&queue_rx, &ring, NULL)
                      : backend_receiver_open(&rx, &ring, NULL), 0);
    expect_deadline_holds(&rx, is_queue ? &queue_rx : NULL);
    end_storm(); /* fork() would never end */
    pid_t child = check_fork();

    begin_storm();
    if (child == 0) {
        if (is_queue)
            send_through_queue(&ring);
        else
            send_through_channel(&ring);
        _exit(0);
    }
    if (is_queue)
        receive_from_queue(&ring, &queue_rx);
    else
        receive_from_channel(&ring, &rx);
    end_storm();
    CHECK_EQ(check_wait(child), 0);
    printf("%d calls interrupted, %u signals\n", interrupted, shmring_load32_acquire(&signals));
    CHECK(interrupted > 0);
    shmring_queue_receiver_close(&queue_rx);
    shmring_receiver_close(&rx);
    backend_ring_remove(&ring);
}

int main(void)
{
    pid_t child = check_fork();

    if (child == 0) {
        for (int i = 0; i < 2 * SHMRING_BACKENDS; i++)
            run((enum shmring_backend)(i / 2), i % 2 != 0);
        fflush(NULL);
        _exit(0);
    }
    int status = check_wait(child);

    backend_rings_remove_of(child);
    return status != 0;
}

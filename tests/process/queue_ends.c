/* SPDX-License-Identifier: MIT */
/* Claim: a member of a queue learns of deaths on the other side, those included that it buries when
 * it attaches; and one that died beside others that live keeps nobody from sleeping, nor deadlines
 * from passing. However members come and go, no message is lost. */
#include "check.h"

#include "shmring/queue.h"

#include <pthread.h>
#include <sys/resource.h>

static const int64_t MS = 1000000;

static char name[64];

static shmring_channel_options options(enum shmring_wait_policy wait)
{
    return (shmring_channel_options){
        .size = sizeof(shmring_channel_options), .capacity = 2, .slot_size = 8, .wait = wait};
}

static void make_queue(void)
{
    shmring_channel_options small = options(SHMRING_WAIT_BLOCK);

    shmring_channel_unlink(name, NULL);
    CHECK_EQ(shmring_queue_create(name, &small), 0);
}

/* A process that attaches, sends so many messages, says so, and stays. */
static pid_t start_member(enum shmring_member_role role, int messages)
{
    int ready[2];
    char byte;

    CHECK(pipe(ready) == 0);
    pid_t pid = check_fork();
    if (pid == 0) {
        shmring_queue_sender sender = {0};
        shmring_queue_receiver receiver = {0};

        if (role == SHMRING_ROLE_PRODUCER)
            CHECK_EQ(shmring_queue_sender_open(&sender, name, NULL), 0);
        else
            CHECK_EQ(shmring_queue_receiver_open(&receiver, name, NULL), 0);
        for (int i = 0; i < messages; i++)
            CHECK_EQ(shmring_queue_send(&sender, "m", 1, 0, SHMRING_NOW), 0);
        CHECK_EQ(write(ready[1], "r", 1), 1);
        for (;;)
            pause();
    }
    close(ready[1]);
    CHECK_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void end_member(pid_t pid)
{
    kill(pid, SIGKILL);
    CHECK_EQ(check_wait(pid), -SIGKILL);
}

static int64_t cpu_ns(void)
{
    struct rusage used;

    CHECK(getrusage(RUSAGE_SELF, &used) == 0);
    return ((int64_t)used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 * MS +
           ((int64_t)used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000;
}

static void dead_beside_living(enum shmring_wait_policy wait)
{
    shmring_channel_options own = options(wait);
    shmring_queue_receiver receiver = {0};
    char buffer[8];
    shmring_mpmc_slot slot;

    make_queue();
    pid_t dead = start_member(SHMRING_ROLE_PRODUCER, 0);
    pid_t living = start_member(SHMRING_ROLE_PRODUCER, 0);
    CHECK_EQ(shmring_queue_receiver_open(&receiver, name, &own), 0);
    end_member(dead);
    int64_t begin = shmring_clock(), cpu = cpu_ns();
    for (int i = 0; i < 3; i++)
        CHECK_EQ(
            shmring_queue_recv(&receiver, buffer, sizeof buffer, &slot, shmring_deadline(300 * MS)),
            -ETIMEDOUT);
    CHECK(shmring_clock() - begin < 10000 * MS);
    CHECK(wait == SHMRING_WAIT_SPIN || cpu_ns() - cpu < 300 * MS); /* of 900: it has slept */
    end_member(living);
    CHECK_EQ(shmring_queue_recv(&receiver, buffer, sizeof buffer, &slot, SHMRING_NEVER),
             -EOWNERDEAD);
    CHECK_EQ(shmring_queue_recv(&receiver, buffer, sizeof buffer, &slot, shmring_deadline(MS)),
             -ETIMEDOUT);
    shmring_queue_receiver_close(&receiver);
}

static void dead_before_receiver(int messages)
{
    shmring_queue_receiver receiver = {0};
    char buffer[8];
    shmring_mpmc_slot slot;

    make_queue();
    end_member(start_member(SHMRING_ROLE_PRODUCER, messages));
    CHECK_EQ(shmring_queue_receiver_open(&receiver, name, NULL), 0);
    for (int i = 0; i < messages; i++)
        CHECK_EQ(shmring_queue_recv(&receiver, buffer, sizeof buffer, &slot, SHMRING_NEVER), 0);
    CHECK_EQ(shmring_queue_recv(&receiver, buffer, sizeof buffer, &slot, SHMRING_NEVER),
             -EOWNERDEAD);
    shmring_queue_receiver_close(&receiver);
    CHECK_EQ(shmring_queue_receiver_open(&receiver, name, NULL), 0); /* it was told */
    CHECK_EQ(shmring_queue_recv(&receiver, buffer, sizeof buffer, &slot, shmring_deadline(MS)),
             -ETIMEDOUT);
    shmring_queue_receiver_close(&receiver);
}

static void dead_before_sender(void)
{
    shmring_queue_sender sender = {0};

    make_queue();
    end_member(start_member(SHMRING_ROLE_CONSUMER, 0));
    CHECK_EQ(shmring_queue_sender_open(&sender, name, NULL), 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(shmring_queue_send(&sender, "m", 1, 0, SHMRING_NEVER), 0);
    CHECK_EQ(shmring_queue_send(&sender, "m", 1, 0, SHMRING_NEVER), -EOWNERDEAD);
    CHECK_EQ(shmring_queue_send(&sender, "m", 1, 0, shmring_deadline(MS)), -ETIMEDOUT);
    shmring_queue_sender_close(&sender);
}

enum { VISITS = 3000, EACH = 2 };

/* Each time another sender of so many messages. */
static void *visit(void *unused)
{
    (void)unused;
    for (uint32_t number = 0; number < VISITS * EACH;) {
        shmring_queue_sender sender = {0};

        CHECK_EQ(shmring_queue_sender_open(&sender, name, NULL), 0);
        for (int i = 0; i < EACH; i++, number++)
            CHECK_EQ(shmring_queue_send(&sender, &number, sizeof number, 0, SHMRING_NEVER), 0);
        shmring_queue_sender_close(&sender);
    }
    return NULL;
}

/* What is found while the end is looked at is no end, and must not be forgotten. */
static void coming_and_going(enum shmring_wait_policy wait)
{
    shmring_channel_options own = options(wait);
    shmring_queue_receiver receiver = {0};
    pthread_t thread;
    uint32_t number;
    shmring_mpmc_slot slot;

    make_queue();
    CHECK_EQ(shmring_queue_receiver_open(&receiver, name, &own), 0);
    CHECK_EQ(pthread_create(&thread, NULL, visit, NULL), 0);
    for (uint32_t next = 0; next < VISITS * EACH;) {
        int error = shmring_queue_recv(&receiver, &number, sizeof number, &slot,
                                       shmring_deadline(20000 * MS));

        CHECK(error == 0 || error == -EPIPE);
        if (error == 0)
            CHECK_EQ(number, next++);
    }
    CHECK_EQ(pthread_join(thread, NULL), 0);
    shmring_queue_receiver_close(&receiver);
}

int main(void)
{
    snprintf(name, sizeof name, "shmring-test-%ld", (long)getpid());
    printf("a sender dies beside one that lives: the receiver still sleeps, and times out\n");
    dead_beside_living(SHMRING_WAIT_BLOCK);
    dead_beside_living(SHMRING_WAIT_ADAPTIVE);
    dead_beside_living(SHMRING_WAIT_SPIN);
    printf("a sender that died before the receiver came, with a message left and without\n");
    dead_before_receiver(1);
    dead_before_receiver(0);
    printf("a receiver that died before the sender came\n");
    dead_before_sender();
    printf("senders come and go: each message arrives, in order\n");
    coming_and_going(SHMRING_WAIT_BLOCK);
    coming_and_going(SHMRING_WAIT_SPIN);
    CHECK_EQ(shmring_channel_unlink(name, NULL), 0);
    return 0;
}

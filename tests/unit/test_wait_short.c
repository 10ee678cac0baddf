/* SPDX-License-Identifier: MIT */
/* Who never waits for long learns of a death all the same: calls with short deadlines, calls that
 * signals interrupt, polls. None of them lasts until the end of a sleep. */
#define _GNU_SOURCE
#include "../backends.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

enum {
    TRIES =
        200, /* calls of a millisecond each: long enough, and fewer than polls without a clock */
    MESSAGE = 2040, /* two of them fill the channel, two of any length the queue */
};
static const int64_t MOMENT_NS = 1000000;

static backend_ring ring;
static shmring_sender tx;
static shmring_receiver rx;
static shmring_queue_sender queue_tx;
static shmring_queue_receiver queue_rx;

static void clean_up(void)
{
    backend_rings_remove_of(getpid());
}

TestSuite(wait_short, .fini = clean_up, .timeout = 100);

/* The end that is left, and the call that it makes. */
struct survivor {
    bool is_queue, sends;
    enum shmring_backend backend;
    enum shmring_wait_policy wait;
};

static int call(const struct survivor *survivor, int64_t deadline)
{
    static char message[MESSAGE];
    shmring_mpmc_slot slot;

    if (survivor->is_queue)
        return survivor->sends ? shmring_queue_send(&queue_tx, "", 0, 0, deadline)
                               : shmring_queue_recv(&queue_rx, message, 8, &slot, deadline);
    return survivor->sends ? shmring_sender_send(&tx, message, MESSAGE, 0, deadline)
                           : shmring_receiver_recv(&rx, message, MESSAGE, NULL, NULL, deadline);
}

/* The other end, until it is killed. */
static _Noreturn void live(const struct survivor *survivor, int ready)
{
    int error;

    if (survivor->is_queue)
        error = survivor->sends ? backend_queue_receiver_open(&queue_rx, &ring, NULL)
                                : backend_queue_sender_open(&queue_tx, &ring, NULL);
    else
        error = survivor->sends ? backend_receiver_open(&rx, &ring, NULL)
                                : backend_sender_open(&tx, &ring, NULL);
    if (error != 0 || write(ready, "r", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

/* The survivor has waited in vain while the other end lived; now that is dead. */
static void begin(const struct survivor *survivor)
{
    shmring_channel_options options = {.capacity = survivor->is_queue ? 2 : 4096, .slot_size = 8};
    shmring_channel_options own = {.size = sizeof own, .wait = survivor->wait};
    int ready[2];
    char byte;

    cr_assert_eq(backend_ring_create(&ring, survivor->backend, survivor->is_queue, options), 0);
    if (survivor->is_queue)
        cr_assert_eq(survivor->sends ? backend_queue_sender_open(&queue_tx, &ring, &own)
                                     : backend_queue_receiver_open(&queue_rx, &ring, &own),
                     0);
    else
        cr_assert_eq(survivor->sends ? backend_sender_open(&tx, &ring, &own)
                                     : backend_receiver_open(&rx, &ring, &own),
                     0);
    cr_assert_eq(pipe(ready), 0);
    pid_t child = fork();

    if (child == 0)
        live(survivor, ready[1]);
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    for (int i = 0; survivor->sends && i < 2; i++)
        cr_assert_eq(call(survivor, SHMRING_NOW), 0);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(call(survivor, shmring_deadline(MOMENT_NS)), -ETIMEDOUT);
    kill(child, SIGKILL);
    cr_assert_eq(waitpid(child, NULL, 0), child);
}

static void end(void)
{
    shmring_sender_close(&tx);
    shmring_receiver_close(&rx);
    shmring_queue_sender_close(&queue_tx);
    shmring_queue_receiver_close(&queue_rx);
    backend_ring_remove(&ring);
}

static void for_each_survivor(void (*test)(const struct survivor *survivor))
{
    for (int i = 0; i < 12; i++) {
        struct survivor survivor = {.is_queue = i % 2 != 0,
                                    .sends = i / 2 % 2 != 0,
                                    .wait = (enum shmring_wait_policy)(i / 4)};

        begin(&survivor);
        test(&survivor);
        end();
    }
}

static void call_for_moments(const struct survivor *survivor)
{
    int error = -ETIMEDOUT;

    for (int i = 0; i < TRIES && error == -ETIMEDOUT; i++)
        error = call(survivor, shmring_deadline(MOMENT_NS));
    cr_expect_eq(error, -EOWNERDEAD, "queue %d, sends %d, policy %d: %d", survivor->is_queue,
                 survivor->sends, survivor->wait, error);
}

Test(wait_short, calls_with_short_deadlines_learn_of_a_death)
{
    for_each_survivor(call_for_moments);
}

static void on_signal(int signal)
{
    (void)signal;
}

static void call_under_signals(const struct survivor *survivor)
{
    struct itimerval often = {.it_interval.tv_usec = 1000, .it_value.tv_usec = 1000};
    const struct itimerval never = {0};
    int error = -EINTR;

    cr_assert_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
    for (int i = 0; i < TRIES && error == -EINTR; i++)
        error = call(survivor, SHMRING_NEVER);
    cr_assert_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
    cr_expect_eq(error, -EOWNERDEAD, "queue %d, sends %d, policy %d: %d", survivor->is_queue,
                 survivor->sends, survivor->wait, error);
}

Test(wait_short, calls_that_are_interrupted_learn_of_a_death)
{
    struct sigaction action = {.sa_handler = on_signal};

    cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
    for_each_survivor(call_under_signals);
}

Test(wait_short, polls_with_short_deadlines_learn_of_a_death)
{
    for (int i = 0; i < 2; i++) {
        struct survivor survivor = {.is_queue = i != 0};
        shmring_poll_item item = {.channel = i == 0 ? &rx : NULL,
                                  .queue = i != 0 ? &queue_rx : NULL};
        int ready = -ETIMEDOUT;

        begin(&survivor);
        for (int j = 0; j < TRIES && ready == -ETIMEDOUT; j++)
            ready = shmring_poll(&item, 1, shmring_deadline(MOMENT_NS));
        cr_expect_eq(ready, 1, "%d", ready);
        cr_expect_eq(call(&survivor, SHMRING_NOW), -EOWNERDEAD);
        end();
    }
}

/* Its descriptor says nothing, and it calls each time that its own poll() is over. */
Test(wait_short, who_polls_the_descriptor_learns_of_a_death)
{
    for (int i = 0; i < 4; i++) {
        struct survivor survivor = {.is_queue = i % 2 != 0, .backend = SHMRING_BACKEND_EVENTFD};
        int error = -ETIMEDOUT;

        begin(&survivor);
        cr_expect_geq(survivor.is_queue ? shmring_queue_receiver_fd(&queue_rx)
                                        : shmring_receiver_fd(&rx), 0);
        for (int j = 0; j < TRIES && error == -ETIMEDOUT; j++) {
            nanosleep(&(struct timespec){.tv_nsec = MOMENT_NS}, NULL);
            error = call(&survivor, i < 2 ? SHMRING_NOW : shmring_deadline(MOMENT_NS));
        }
        cr_expect_eq(error, -EOWNERDEAD, "%d: %d", i, error);
        end();
    }
}

/* SPDX-License-Identifier: MIT */
/* A queue with one sender and one receiver, for the tests of its waiting. */
#ifndef SHMRING_TESTS_QUEUE_RING_H
#define SHMRING_TESTS_QUEUE_RING_H

#include "../backends.h"

#include <criterion/criterion.h>
#include <sys/wait.h>
#include <time.h>

enum { SLOTS = 4, ROUNDS = 10 };

static backend_ring ring;
static shmring_queue_sender tx;
static shmring_queue_receiver rx;

/* Also what a test that failed has left. */
static inline void clean_up(void)
{
    backend_rings_remove_of(getpid());
}

static inline void open_ring(enum shmring_backend backend, uint64_t slots)
{
    shmring_channel_options options = {.capacity = slots, .slot_size = 8};

    cr_assert_eq(backend_ring_create(&ring, backend, true, options), 0);
    cr_assert_eq(backend_queue_sender_open(&tx, &ring, NULL), 0);
    cr_assert_eq(backend_queue_receiver_open(&rx, &ring, NULL), 0);
}

static inline void close_ring(void)
{
    shmring_queue_sender_close(&tx);
    shmring_queue_receiver_close(&rx);
    backend_ring_remove(&ring);
}

/* Time for threads to fall asleep. If it was too short, the test tests less. */
static inline void let_them_sleep(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

/* A member in a child, which dies with what it has claimed or taken. */
static inline void die_as(bool sender)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        shmring_queue_sender other;
        shmring_queue_receiver other_rx;
        shmring_mpmc_slot slot;

        if (sender)
            _exit(backend_queue_sender_open(&other, &ring, NULL) != 0 ||
                  shmring_queue_claim(&other, SHMRING_NOW, &slot) != 0);
        _exit(backend_queue_receiver_open(&other_rx, &ring, NULL) != 0 ||
              shmring_queue_take(&other_rx, SHMRING_NOW, &slot) != 0);
    }
    cr_assert(waitpid(child, &status, 0) == child && status == 0);
}

#endif

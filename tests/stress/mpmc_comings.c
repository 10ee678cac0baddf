/* SPDX-License-Identifier: MIT */
/*
 * Claim: members that come and go touch nothing of those that stay. One producer sends, one
 * consumer receives, and a third attaches, receives a little and detaches, over and over: each
 * message arrives exactly once, and nobody is told an error. (What a member leaves is looked for by
 * name, in words that keep the names of those who are done.)
 *
 * usage: mpmc_comings [SEED [MESSAGES]]
 */
#include "../messages.h"

#include "shmring/mpmc.h"

#include <pthread.h>
#include <sched.h>

static shmring_geometry geometry;
static void *memory;
static uint64_t messages;
static uint8_t *seen;         /* how often each message came */
static shmring_word64 passed; /* messages received by both */

static void *produce(void *opaque)
{
    shmring_mpmc_producer producer;

    CHECK_EQ(shmring_mpmc_attach_producer(&producer, memory, &geometry, -1), 0);
    for (uint64_t number = 0; number < messages;) {
        int error = shmring_mpmc_send(&producer, &number, sizeof number, 1);

        CHECK(error == 0 || error == -EAGAIN);
        number += error == 0;
        if (error != 0)
            sched_yield();
    }
    shmring_mpmc_detach_producer(&producer);
    return opaque;
}

/* One message, if there is one. */
static bool receive(shmring_mpmc_consumer *consumer)
{
    shmring_mpmc_slot slot;
    uint64_t number;
    int error = shmring_mpmc_recv(consumer, &number, sizeof number, &slot);

    CHECK(error == 0 || error == -EAGAIN);
    if (error != 0)
        return false;
    CHECK(number < messages && slot.length == sizeof number && slot.type == 1);
    CHECK_EQ(seen[number]++, 0);
    shmring_add64_relaxed(&passed, 1);
    return true;
}

static bool is_over(void)
{
    return shmring_load64_relaxed(&passed) == messages;
}

static void *stay(void *opaque)
{
    shmring_mpmc_consumer consumer;

    CHECK_EQ(shmring_mpmc_attach_consumer(&consumer, memory, &geometry, -1), 0);
    while (!is_over())
        if (!receive(&consumer))
            sched_yield();
    shmring_mpmc_detach_consumer(&consumer);
    return opaque;
}

static void *come_and_go(void *opaque)
{
    while (!is_over()) {
        shmring_mpmc_consumer consumer;

        CHECK_EQ(shmring_mpmc_attach_consumer(&consumer, memory, &geometry, -1), 0);
        for (int i = 0; i < 40; i++)
            receive(&consumer);
        shmring_mpmc_detach_consumer(&consumer);
    }
    return opaque;
}

static void run(uint64_t slots)
{
    void *(*const parts[])(void *) = {produce, stay, come_and_go};
    pthread_t threads[3];

    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_MPMC, sizeof(uint64_t), slots, &geometry), 0);
    memory = aligned_alloc(SHMRING_PAGE_SIZE, geometry.total_size);
    seen = calloc(messages, 1);
    CHECK(memory != NULL && seen != NULL);
    memset(memory, 0, geometry.total_size);
    shmring_store64_relaxed(&passed, 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, parts[i], NULL), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    for (uint64_t i = 0; i < messages; i++)
        CHECK_EQ(seen[i], 1);
    free(seen);
    free(memory);
}

int main(int argc, char **argv)
{
    test_seed(argc, argv); /* the scheduler's is not ours */
    alarm(110);            /* a lost message is a hang */
    messages = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000000;
    for (uint64_t slots = 8; slots <= 512; slots *= 8)
        run(slots);
    return 0;
}

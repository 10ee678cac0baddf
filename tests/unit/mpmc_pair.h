/* SPDX-License-Identifier: MIT */
/* A ring of slots in private memory with a member of each kind, and numbered messages. */
#ifndef SHMRING_TESTS_MPMC_PAIR_H
#define SHMRING_TESTS_MPMC_PAIR_H

#include "memory.h"

#include <errno.h>

enum {
    SLOT_SIZE = 40,
    NOTHING = -1,
};

typedef struct pair {
    ring_memory memory;
    shmring_mpmc_producer producer;
    shmring_mpmc_consumer consumer;
} pair;

static inline void attach_producer(const pair *ring, shmring_mpmc_producer *producer)
{
    cr_assert_eq(shmring_mpmc_attach_producer(producer, ring->memory.base, &ring->memory.geometry,
                                              -1), 0);
}

static inline void attach_consumer(const pair *ring, shmring_mpmc_consumer *consumer)
{
    cr_assert_eq(shmring_mpmc_attach_consumer(consumer, ring->memory.base, &ring->memory.geometry,
                                              -1), 0);
}

static inline pair pair_new(uint64_t slots)
{
    pair ring;
    shmring_geometry *geometry = &ring.memory.geometry;

    cr_assert_eq(shmring_layout_plan(SHMRING_KIND_MPMC, SLOT_SIZE, slots, geometry), 0);
    ring.memory.base = aligned_alloc(SHMRING_PAGE_SIZE, geometry->total_size);
    cr_assert_not_null(ring.memory.base);
    memset(ring.memory.base, 0, geometry->total_size);
    attach_producer(&ring, &ring.producer);
    attach_consumer(&ring, &ring.consumer);
    return ring;
}

static inline void pair_free(pair *ring)
{
    cr_expect_eq(shmring_mpmc_error(&ring->producer.side), 0);
    cr_expect_eq(shmring_mpmc_error(&ring->consumer.side), 0);
    shmring_mpmc_detach_producer(&ring->producer);
    shmring_mpmc_detach_consumer(&ring->consumer);
    ring_memory_free(&ring->memory);
}

/* The message of a number says it in each byte, its length and its type. */
static inline int put(shmring_mpmc_producer *producer, int number)
{
    uint8_t message[SLOT_SIZE];

    memset(message, number, sizeof message);
    return shmring_mpmc_send(producer, message, (uint32_t)number % (SLOT_SIZE + 1),
                             (uint32_t)~number);
}

static inline void expect_is(const shmring_mpmc_slot *slot, int number)
{
    uint8_t want[SLOT_SIZE];

    memset(want, number, sizeof want);
    cr_assert_eq(slot->type, (uint32_t)~number, "%u, not %d", ~slot->type, number);
    cr_assert_eq(slot->length, (uint32_t)number % (SLOT_SIZE + 1));
    cr_assert_eq(memcmp(slot->data, want, slot->length), 0);
    cr_assert_not(slot->redelivered);
}

static inline void fill(const shmring_mpmc_slot *slot, int number)
{
    memset(slot->data, number, SLOT_SIZE);
}

static inline int finish(shmring_mpmc_producer *producer, shmring_mpmc_slot *slot, int number)
{
    fill(slot, number);
    return shmring_mpmc_commit(producer, slot, (uint32_t)number % (SLOT_SIZE + 1),
                               (uint32_t)~number);
}

/* Takes one message, checks all of it, and says its number. */
static inline int get(shmring_mpmc_consumer *consumer)
{
    shmring_mpmc_slot slot;

    if (!shmring_mpmc_take(consumer, &slot))
        return NOTHING;
    int number = (int)~slot.type;

    expect_is(&slot, number);
    cr_assert_eq(shmring_mpmc_release(consumer, &slot), 0);
    return number;
}

/* Sends and receives that many, one at a time. */
static inline void go_round(shmring_mpmc_producer *producer, shmring_mpmc_consumer *consumer,
                            int count)
{
    for (int i = 0; i < count; i++) {
        cr_assert_eq(put(producer, i), 0, "%d", i);
        cr_assert_eq(get(consumer), i);
    }
}

static inline void *snapshot(const pair *ring)
{
    void *copy = malloc(ring->memory.geometry.total_size);

    cr_assert_not_null(copy);
    return memcpy(copy, ring->memory.base, ring->memory.geometry.total_size);
}

static inline void expect_untouched(const pair *ring, void *before)
{
    cr_expect_eq(memcmp(ring->memory.base, before, ring->memory.geometry.total_size), 0);
    free(before);
}

#endif

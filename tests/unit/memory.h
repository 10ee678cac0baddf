/* SPDX-License-Identifier: MIT */
/* A ring in private memory, for tests that need no second process. */
#ifndef SHMRING_TESTS_MEMORY_H
#define SHMRING_TESTS_MEMORY_H

#include <criterion/criterion.h>
#include <shmring/shmring.h>
#include <stdlib.h>
#include <string.h>

typedef struct ring_memory {
    shmring_geometry geometry;
    uint8_t *base;
} ring_memory;

static inline ring_memory ring_memory_new(uint32_t element_size, uint64_t capacity)
{
    ring_memory memory;

    cr_assert_eq(
        shmring_layout_plan(SHMRING_KIND_SPSC, element_size, capacity, &memory.geometry), 0);
    memory.base = aligned_alloc(SHMRING_PAGE_SIZE, memory.geometry.total_size);
    cr_assert_not_null(memory.base);
    memset(memory.base, 0, memory.geometry.total_size);
    shmring_layout_format(memory.base, &memory.geometry);
    shmring_layout_publish(memory.base);
    return memory;
}

static inline void ring_memory_free(ring_memory *memory)
{
    free(memory->base);
}

static inline struct shmring_role *ring_memory_role(const ring_memory *memory, bool producer)
{
    return (void *)(memory->base + (producer ? memory->geometry.producer_offset
                                             : memory->geometry.consumer_offset));
}

#endif

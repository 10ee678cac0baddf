/* SPDX-License-Identifier: MIT */
/* The ring of Concurrency Kit for many producers and consumers, one instance per message size.
 * Both sides copy: a place that is reserved stops the producers behind it until it is committed. */
#include "transport.h"
#include "workloads/crowd_loop.h"

#include <ck_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

struct ck_many_8 {
    uint64_t words[1];
};
struct ck_many_64 {
    uint64_t words[8];
};

CK_RING_PROTOTYPE(many8, ck_many_8)
CK_RING_PROTOTYPE(many64, ck_many_64)

struct shared {
    __attribute__((aligned(128))) struct ck_ring ring;
    __attribute__((aligned(4096))) uint8_t slots[BENCH_CROWD_SLOTS * sizeof(struct ck_many_64)];
};

struct side {
    struct shared *shared;
    __attribute__((aligned(64))) uint8_t buffer[64];
};

BENCH_INLINE void *ck_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    return side->buffer;
}

BENCH_INLINE void ck_stage(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
}

BENCH_INLINE bool ck_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    struct ck_ring *ring = &side->shared->ring;
    void *slots = side->shared->slots, *from = side->buffer;

    return size == 8 ? ck_ring_enqueue_mpmc_many8(ring, slots, from)
                     : ck_ring_enqueue_mpmc_many64(ring, slots, from);
}

BENCH_INLINE const void *ck_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    struct ck_ring *ring = &side->shared->ring;
    void *slots = side->shared->slots, *to = side->buffer;
    bool taken = size == 8 ? ck_ring_dequeue_mpmc_many8(ring, slots, to)
                           : ck_ring_dequeue_mpmc_many64(ring, slots, to);

    return taken ? to : NULL;
}

BENCH_INLINE void ck_done(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
}

static const struct ops crowd_ops = {
    .reserve = ck_reserve,
    .stage = ck_stage,
    .publish = ck_publish,
    .next = ck_next,
    .done = ck_done,
};

#include "workloads/crowd_loops.h"

static void *ck_open(const struct shape *shape)
{
    struct shared *shared = bench_share(sizeof *shared);

    (void)shape;
    if (shared == NULL)
        return NULL;
    ck_ring_init(&shared->ring, BENCH_CROWD_SLOTS);
    return shared;
}

static void ck_close(void *opaque)
{
    munmap(opaque, sizeof(struct shared));
}

static void *ck_join(void *opaque, enum role role)
{
    struct side *side = bench_alloc(sizeof *side);

    (void)role;
    if (side != NULL)
        side->shared = opaque;
    return side;
}

static void ck_leave(void *opaque, enum role role)
{
    (void)role;
    free(opaque);
}

static void ck_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "%d slots, one of which stays free; ck_ring_enqueue_mpmc and ck_ring_dequeue_mpmc, "
             "both by copy",
             (int)BENCH_CROWD_SLOTS);
}

static const struct crowd_kind ck_crowd = {
    .loops = &crowd_loops, .fifo = true, .join = ck_join, .leave = ck_leave};

const struct transport transport_ck_mpmc = {
    .name = "ck_mpmc",
    .note = "ck_ring, mpmc; producers wait in it for those before them, without yielding",
    .crowd = &ck_crowd,
    .open = ck_open,
    .close = ck_close,
    .settings = ck_settings,
};

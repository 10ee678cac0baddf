/* SPDX-License-Identifier: MIT */
/*
 * The single-producer, single-consumer ring of Concurrency Kit, one instance per message size.
 * The producer writes in place (reserve and commit), the consumer copies: there is no peek.
 */
#include "transport.h"
#include "workloads/loops.h"

#include <ck_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

struct ck_8 {
    uint64_t words[1];
};
struct ck_64 {
    uint64_t words[8];
};
struct ck_256 {
    uint64_t words[32];
};
struct ck_1024 {
    uint64_t words[128];
};
struct ck_4096 {
    uint64_t words[512];
};
struct ck_65536 {
    uint64_t words[8192];
};
struct ck_1048576 {
    uint64_t words[131072];
};

CK_RING_PROTOTYPE(m8, ck_8)
CK_RING_PROTOTYPE(m64, ck_64)
CK_RING_PROTOTYPE(m256, ck_256)
CK_RING_PROTOTYPE(m1024, ck_1024)
CK_RING_PROTOTYPE(m4096, ck_4096)
CK_RING_PROTOTYPE(m65536, ck_65536)
CK_RING_PROTOTYPE(m1048576, ck_1048576)

struct shared {
    _Alignas(128) struct ck_ring ring;
    _Alignas(4096) uint8_t slots[BENCH_RING_BYTES];
};

struct side {
    struct shared *shared;
    bool staged;
    bool have;
    _Alignas(64) uint8_t buffer[];
};

/* A copy into the ring is faster than a place in it for messages of one word only. */
BENCH_INLINE bool copies(uint32_t size)
{
    return size == 8;
}

BENCH_INLINE void *ck_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    struct ck_ring *ring = &side->shared->ring;
    void *slots = side->shared->slots;

    switch (size) {
    case 8:
        return copies(8) ? (void *)side->buffer : ck_ring_enqueue_reserve_spsc_m8(ring, slots);
    case 64:
        return ck_ring_enqueue_reserve_spsc_m64(ring, slots);
    case 256:
        return ck_ring_enqueue_reserve_spsc_m256(ring, slots);
    case 1024:
        return ck_ring_enqueue_reserve_spsc_m1024(ring, slots);
    case 4096:
        return ck_ring_enqueue_reserve_spsc_m4096(ring, slots);
    case 65536:
        return ck_ring_enqueue_reserve_spsc_m65536(ring, slots);
    default:
        return ck_ring_enqueue_reserve_spsc_m1048576(ring, slots);
    }
}

BENCH_INLINE void ck_stage(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->staged = true;
}

BENCH_INLINE bool ck_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    struct ck_ring *ring = &side->shared->ring;

    if (!side->staged)
        return true;
    if (!copies(size))
        ck_ring_enqueue_commit_spsc(ring);
    else if (!ck_ring_enqueue_spsc_m8(ring, (void *)side->shared->slots, (void *)side->buffer))
        return false;
    side->staged = false;
    return true;
}

BENCH_INLINE bool ck_take(struct side *side, uint32_t size)
{
    struct ck_ring *ring = &side->shared->ring;
    void *slots = side->shared->slots;
    void *to = side->buffer;

    switch (size) {
    case 8:
        return ck_ring_dequeue_spsc_m8(ring, slots, to);
    case 64:
        return ck_ring_dequeue_spsc_m64(ring, slots, to);
    case 256:
        return ck_ring_dequeue_spsc_m256(ring, slots, to);
    case 1024:
        return ck_ring_dequeue_spsc_m1024(ring, slots, to);
    case 4096:
        return ck_ring_dequeue_spsc_m4096(ring, slots, to);
    case 65536:
        return ck_ring_dequeue_spsc_m65536(ring, slots, to);
    default:
        return ck_ring_dequeue_spsc_m1048576(ring, slots, to);
    }
}

BENCH_INLINE const void *ck_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    return ck_take(side, size) ? side->buffer : NULL;
}

BENCH_INLINE void ck_done(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
}

static const struct ops spin_ops = {
    .reserve = ck_reserve,
    .stage = ck_stage,
    .publish = ck_publish,
    .next = ck_next,
    .done = ck_done,
};

#include "workloads/spin_loops.h"

static void *ck_open(const struct shape *shape)
{
    struct side *side = bench_alloc(sizeof *side + shape->size);

    if (side == NULL)
        return NULL;
    side->shared = bench_share(sizeof *side->shared);
    if (side->shared == NULL) {
        free(side);
        return NULL;
    }
    ck_ring_init(&side->shared->ring, bench_slots(shape->size));
    return side;
}

static void ck_close(void *opaque)
{
    struct side *side = opaque;

    munmap(side->shared, sizeof *side->shared);
    free(side);
}

static void ck_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "capacity %d bytes, spsc; producer: reserve and commit in place (8 B: enqueue by "
             "copy, which is faster); consumer: dequeue by copy",
             (int)BENCH_RING_BYTES);
}

static const struct loops *const by_policy[POLICY_COUNT] = {[POLICY_SPIN] = &spin_loops};

const struct transport transport_ck_ring = {
    .name = "ck_ring",
    .note = "Concurrency Kit; no batches, no blocking",
    .loops = by_policy,
    .open = ck_open,
    .close = ck_close,
    .settings = ck_settings,
};

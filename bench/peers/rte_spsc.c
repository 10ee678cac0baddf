/* SPDX-License-Identifier: MIT */
/* By copy on both sides. */
#include "rte_spsc.h"

#include <errno.h>
#include <rte_ring_elem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

BENCH_INLINE void *rte_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    return side->buffer;
}

BENCH_INLINE bool rte_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (side->staged && rte_ring_sp_enqueue_elem(side->ring, side->buffer, size) == 0)
        side->staged = false;
    return !side->staged;
}

BENCH_INLINE const void *rte_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    return rte_ring_sc_dequeue_elem(side->ring, side->buffer, size) == 0 ? side->buffer : NULL;
}

BENCH_INLINE void rte_done(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
}

static const struct ops spin_ops = {
    .reserve = rte_reserve,
    .stage = rte_stage,
    .publish = rte_publish,
    .next = rte_next,
    .done = rte_done,
};

#include "workloads/spin_loops.h"

void rte_spsc_close(void *opaque)
{
    struct side *side = opaque;

    if (side->ring != NULL)
        munmap(side->ring, side->bytes);
    free(side);
}

void *rte_spsc_open(const struct shape *shape)
{
    unsigned slots = bench_slots(shape->size);
    ssize_t bytes = rte_ring_get_memsize_elem(shape->size, slots);
    struct side *side = bytes > 0 ? bench_alloc(sizeof *side + shape->size) : NULL;

    if (side == NULL)
        return NULL;
    side->bytes = (size_t)bytes;
    side->ring = bench_share(side->bytes);
    if (side->ring != NULL &&
        rte_ring_init(side->ring, "bench", slots, RING_F_SP_ENQ | RING_F_SC_DEQ) == 0)
        return side;
    rte_spsc_close(side);
    errno = ENOMEM;
    return NULL;
}

static void rte_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "capacity %d bytes, one slot of which stays free, SP/SC; rte_ring_sp_enqueue_elem and "
             "rte_ring_sc_dequeue_elem by copy; no EAL",
             (int)BENCH_RING_BYTES);
}

static const struct loops *const by_policy[POLICY_COUNT] = {[POLICY_SPIN] = &spin_loops};

const struct transport transport_rte_spsc = {
    .name = "rte_spsc",
    .note = "DPDK's ring, one producer and one consumer, by copy; no batches, no blocking",
    .is_brief = true,
    .loops = by_policy,
    .open = rte_spsc_open,
    .close = rte_spsc_close,
    .settings = rte_settings,
};

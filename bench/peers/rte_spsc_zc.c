/* SPDX-License-Identifier: MIT */
/* Written and read in place. */
#include "rte_spsc.h"

#include <rte_ring_peek_zc.h>
#include <stdio.h>

BENCH_INLINE void *rte_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    struct rte_ring_zc_data place;
    unsigned got = rte_ring_enqueue_zc_bulk_elem_start(side->ring, size, 1, &place, NULL);

    return got == 1 ? place.ptr1 : NULL;
}

BENCH_INLINE bool rte_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    if (side->staged)
        rte_ring_enqueue_zc_elem_finish(side->ring, 1);
    side->staged = false;
    return true;
}

BENCH_INLINE const void *rte_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    struct rte_ring_zc_data place;
    unsigned got = rte_ring_dequeue_zc_bulk_elem_start(side->ring, size, 1, &place, NULL);

    return got == 1 ? place.ptr1 : NULL;
}

BENCH_INLINE void rte_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    rte_ring_dequeue_zc_elem_finish(side->ring, 1);
}

static const struct ops spin_ops = {
    .reserve = rte_reserve,
    .stage = rte_stage,
    .publish = rte_publish,
    .next = rte_next,
    .done = rte_done,
};

#include "workloads/spin_loops.h"

static void rte_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "capacity %d bytes, one slot of which stays free, SP/SC; in place by "
             "rte_ring_enqueue_zc_bulk_elem_start and rte_ring_dequeue_zc_bulk_elem_start, one at "
             "a time; no EAL",
             (int)BENCH_RING_BYTES);
}

static const struct loops *const by_policy[POLICY_COUNT] = {[POLICY_SPIN] = &spin_loops};

const struct transport transport_rte_spsc_zc = {
    .name = "rte_spsc_zc",
    .note = "DPDK's ring, one producer and one consumer, in place",
    .is_brief = true,
    .loops = by_policy,
    .open = rte_spsc_open,
    .close = rte_spsc_close,
    .settings = rte_settings,
};

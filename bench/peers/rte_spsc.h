/* SPDX-License-Identifier: MIT */
/* The ring of DPDK for one producer and one consumer, with elements of the message's size; without
 * DPDK's environment, in shared memory. */
#ifndef BENCH_PEERS_RTE_SPSC_H
#define BENCH_PEERS_RTE_SPSC_H

#include "transport.h"
#include "workloads/loops.h"

#include <rte_ring.h>

struct side {
    struct rte_ring *ring;
    size_t bytes;
    bool staged;
    __attribute__((aligned(64))) uint8_t buffer[]; /* of those who copy */
};

BENCH_INLINE void rte_stage(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->staged = true;
}

void *rte_spsc_open(const struct shape *shape);
void rte_spsc_close(void *side);

#endif

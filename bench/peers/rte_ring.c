/* SPDX-License-Identifier: MIT */
/*
 * The ring of DPDK with elements of the message's size, in its three ways to let many in: the
 * default, RTS (relaxed tail sync) and HTS (head/tail sync). Without DPDK's environment, in shared
 * memory. Both sides copy: reserving places is for one producer, or HTS, only.
 */
#include "transport.h"
#include "workloads/crowd_loop.h"

#include <errno.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

struct channel {
    struct rte_ring *ring;
    size_t bytes;
    uint32_t batch;
};

struct side {
    struct rte_ring *ring;
    uint32_t batch;
    uint32_t staged; /* messages in the buffer: to send, or received */
    uint32_t used;   /* of those, already sent, or read */
    __attribute__((aligned(64))) uint8_t buffer[BENCH_CROWD_BATCH_MAX * 64];
};

BENCH_INLINE void *rte_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    return side->buffer + (size_t)side->staged * size;
}

BENCH_INLINE void rte_stage(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->staged++;
}

BENCH_INLINE bool rte_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (side->batch == 1) {
        if (rte_ring_enqueue_elem(side->ring, side->buffer, size) != 0)
            return false;
    } else {
        side->used += rte_ring_enqueue_burst_elem(side->ring, side->buffer + side->used * size,
                                                  size, side->staged - side->used, NULL);
        if (side->used < side->staged)
            return false;
        side->used = 0;
    }
    side->staged = 0;
    return true;
}

BENCH_INLINE const void *rte_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (side->batch == 1)
        return rte_ring_dequeue_elem(side->ring, side->buffer, size) == 0 ? side->buffer : NULL;
    if (side->used == side->staged) {
        side->used = 0;
        side->staged =
            rte_ring_dequeue_burst_elem(side->ring, side->buffer, size, side->batch, NULL);
        if (side->staged == 0)
            return NULL;
    }
    return side->buffer + (size_t)side->used * size;
}

BENCH_INLINE void rte_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->used++; /* counts in batches only */
}

static const struct ops crowd_ops = {
    .reserve = rte_reserve,
    .stage = rte_stage,
    .publish = rte_publish,
    .next = rte_next,
    .done = rte_done,
};

#include "workloads/crowd_loops.h"

static void *open_with(const struct shape *shape, unsigned flags)
{
    ssize_t bytes = rte_ring_get_memsize_elem(shape->size, BENCH_CROWD_SLOTS);
    struct channel *channel = calloc(1, sizeof *channel);

    if (channel == NULL || bytes < 0) {
        free(channel);
        errno = ENOMEM;
        return NULL;
    }
    channel->batch = shape->batch;
    channel->bytes = (size_t)bytes;
    channel->ring = bench_share(channel->bytes);
    if (channel->ring == NULL ||
        rte_ring_init(channel->ring, "bench", BENCH_CROWD_SLOTS, flags) != 0) {
        free(channel);
        errno = ENOMEM;
        return NULL;
    }
    return channel;
}

static void *rte_open(const struct shape *shape)
{
    return open_with(shape, 0);
}

static void *rte_open_rts(const struct shape *shape)
{
    return open_with(shape, RING_F_MP_RTS_ENQ | RING_F_MC_RTS_DEQ);
}

static void *rte_open_hts(const struct shape *shape)
{
    return open_with(shape, RING_F_MP_HTS_ENQ | RING_F_MC_HTS_DEQ);
}

static void rte_close(void *opaque)
{
    struct channel *channel = opaque;

    munmap(channel->ring, channel->bytes);
    free(channel);
}

static void *rte_join(void *opaque, enum role role)
{
    struct channel *channel = opaque;
    struct side *side = bench_alloc(sizeof *side);

    (void)role;
    if (side == NULL)
        return NULL;
    side->ring = channel->ring;
    side->batch = channel->batch;
    return side;
}

static void rte_leave(void *opaque, enum role role)
{
    (void)role;
    free(opaque);
}

static bool rte_holds(const void *opaque)
{
    const struct side *side = opaque;

    return side->batch != 1 && side->used != side->staged;
}

static void rte_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "%d slots, one of which stays free; rte_ring_enqueue_elem and rte_ring_dequeue_elem "
             "by copy, with batch N the burst forms; no EAL",
             (int)BENCH_CROWD_SLOTS);
}

static const struct crowd_kind rte_crowd = {
    .loops = &crowd_loops,
    .fifo = true,
    .join = rte_join,
    .leave = rte_leave,
    .holds = rte_holds,
};

const struct transport transport_rte_ring = {
    .name = "rte_ring",
    .note = "DPDK, default MP/MC; members wait in it for those before them, without yielding",
    .batches = {16},
    .crowd = &rte_crowd,
    .open = rte_open,
    .close = rte_close,
    .settings = rte_settings,
};

const struct transport transport_rte_ring_rts = {
    .name = "rte_ring_rts",
    .note = "DPDK, relaxed tail sync: the last one to end moves the tail",
    .batches = {16},
    .crowd = &rte_crowd,
    .open = rte_open_rts,
    .close = rte_close,
    .settings = rte_settings,
};

const struct transport transport_rte_ring_hts = {
    .name = "rte_ring_hts",
    .note = "DPDK, head/tail sync: one producer and one consumer at a time",
    .batches = {16},
    .crowd = &rte_crowd,
    .open = rte_open_hts,
    .close = rte_close,
    .settings = rte_settings,
};

/* SPDX-License-Identifier: MIT */
/* Our ring for many: claimed, written, taken and read in place, in memory without a name. */
#include "shmring/mpmc.h"
#include "shmring/segment.h"
#include "transport.h"
#include "workloads/crowd_loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct channel {
    shmring_geometry geometry;
    shmring_segment segment;
};

struct side {
    shmring_mpmc_producer producer;
    shmring_mpmc_consumer consumer;
    shmring_mpmc_slot slot; /* that is ours */
};

static void *no_slot(const shmring_mpmc_side *side)
{
    if (shmring_mpmc_error(side) != 0)
        sample_fail("the ring is damaged");
    return NULL;
}

BENCH_INLINE void *mpmc_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    if (!shmring_mpmc_claim(&side->producer, &side->slot))
        return no_slot(&side->producer.side);
    return side->slot.data;
}

BENCH_INLINE void mpmc_stage(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
}

BENCH_INLINE bool mpmc_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (shmring_mpmc_commit(&side->producer, &side->slot, size, 0) != 0)
        sample_fail("a slot is not ours any more");
    return true;
}

BENCH_INLINE const void *mpmc_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (!shmring_mpmc_take(&side->consumer, &side->slot))
        return no_slot(&side->consumer.side);
    if (side->slot.length != size)
        sample_wrong("a message of %u bytes", side->slot.length);
    return side->slot.data;
}

BENCH_INLINE void mpmc_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    if (shmring_mpmc_release(&side->consumer, &side->slot) != 0)
        sample_fail("a slot is not ours any more");
}

static const struct ops crowd_ops = {
    .reserve = mpmc_reserve,
    .stage = mpmc_stage,
    .publish = mpmc_publish,
    .next = mpmc_next,
    .done = mpmc_done,
};

#include "workloads/crowd_loops.h"

static void *mpmc_open(const struct shape *shape)
{
    struct channel *channel = calloc(1, sizeof *channel);
    int error;

    if (channel == NULL)
        return NULL;
    error =
        shmring_layout_plan(SHMRING_KIND_MPMC, shape->size, BENCH_CROWD_SLOTS, &channel->geometry);
    if (error == 0)
        error = shmring_segment_create(&channel->segment, NULL, &channel->geometry, NULL);
    if (error == 0)
        return channel;
    free(channel);
    errno = -error;
    return NULL;
}

static void mpmc_close(void *opaque)
{
    struct channel *channel = opaque;

    shmring_segment_close(&channel->segment);
    free(channel);
}

static void *mpmc_join(void *opaque, enum role role)
{
    struct channel *channel = opaque;
    struct side *side = bench_alloc(sizeof *side);
    void *base = channel->segment.base;
    int fd = channel->segment.fd, error;

    if (side == NULL)
        return NULL;
    if (role == ROLE_PRODUCER)
        error = shmring_mpmc_attach_producer(&side->producer, base, &channel->geometry, fd);
    else
        error = shmring_mpmc_attach_consumer(&side->consumer, base, &channel->geometry, fd);
    if (error == 0)
        return side;
    free(side);
    errno = -error;
    return NULL;
}

static void mpmc_leave(void *opaque, enum role role)
{
    struct side *side = opaque;

    if (role == ROLE_PRODUCER)
        shmring_mpmc_detach_producer(&side->producer);
    else
        shmring_mpmc_detach_consumer(&side->consumer);
    free(side);
}

static void mpmc_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "%d slots, claim/commit and take/release in place, anonymous segment, deaths noticed "
             "by locks",
             (int)BENCH_CROWD_SLOTS);
}

static const struct crowd_kind mpmc_crowd = {
    .loops = &crowd_loops,
    .fifo = true,
    .join = mpmc_join,
    .leave = mpmc_leave,
};

const struct transport transport_ring_mpmc = {
    .name = "ring_mpmc",
    .note = "shmring; no member can stop the others",
    .crowd = &mpmc_crowd,
    .open = mpmc_open,
    .close = mpmc_close,
    .settings = mpmc_settings,
};

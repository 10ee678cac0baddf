/* SPDX-License-Identifier: MIT */
/* Our ring for many: claimed, written, taken and read in place, in memory without a name. */
#include "shmring/mpmc.h"
#include "shmring/segment.h"
#include "transport.h"
#include "workloads/loops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct side {
    shmring_mpmc_producer producer;
    shmring_mpmc_consumer consumer;
    shmring_mpmc_slot slot; /* that is ours */
};

struct channel {
    struct side side; /* not of a crowd, whose members make their own */
    shmring_geometry geometry;
    shmring_segment segment;
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

BENCH_INLINE void mpmc_commit(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (shmring_mpmc_commit(&side->producer, &side->slot, size, 0) != 0)
        sample_fail("a slot is not ours any more");
}

BENCH_INLINE bool mpmc_publish(void *opaque, uint32_t size)
{
    mpmc_commit(opaque, size);
    return true;
}

BENCH_INLINE bool mpmc_is_published(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
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

/* For two and for fans, who publish, to be safe, also where nothing is staged. */
static const struct ops spin_ops = {
    .reserve = mpmc_reserve,
    .stage = mpmc_commit,
    .publish = mpmc_is_published,
    .next = mpmc_next,
    .done = mpmc_done,
};

#include "workloads/crowd_loops.h"
#include "workloads/spin_loops.h"

static void *mpmc_open(const struct shape *shape)
{
    struct channel *channel = bench_alloc(sizeof *channel);
    int error;

    if (channel == NULL)
        return NULL;
    error = shmring_layout_plan(SHMRING_KIND_MPMC, shape->size, bench_depth(shape->size),
                                &channel->geometry);
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

    shmring_mpmc_detach_producer(&channel->side.producer);
    shmring_mpmc_detach_consumer(&channel->side.consumer);
    shmring_segment_close(&channel->segment);
    free(channel);
}

static int attach_side(struct side *side, const struct channel *channel, enum role role)
{
    void *base = channel->segment.base;
    int fd = channel->segment.fd;

    if (role == ROLE_PRODUCER)
        return shmring_mpmc_attach_producer(&side->producer, base, &channel->geometry, fd);
    return shmring_mpmc_attach_consumer(&side->consumer, base, &channel->geometry, fd);
}

static int mpmc_attach(void *opaque, enum role role)
{
    struct channel *channel = opaque;

    return attach_side(&channel->side, channel, role);
}

static void *mpmc_join(void *channel, enum role role)
{
    struct side *side = bench_alloc(sizeof *side);

    if (side == NULL)
        return NULL;
    int error = attach_side(side, channel, role);

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
             "%d slots, or fewer so that they hold %d bytes, claim/commit and take/release in "
             "place, anonymous segment, deaths noticed "
             "by locks",
             (int)BENCH_QUEUE_DEPTH, (int)BENCH_RING_BYTES);
}

static const struct crowd_kind mpmc_crowd = {
    .loops = &crowd_loops,
    .fifo = true,
    .join = mpmc_join,
    .leave = mpmc_leave,
};

_Static_assert((int)BENCH_QUEUE_DEPTH == (int)BENCH_CROWD_SLOTS, "as deep for two as for many");

static const struct loops *const by_policy[POLICY_COUNT] = {[POLICY_SPIN] = &spin_loops};

const struct transport transport_ring_mpmc = {
    .name = "ring_mpmc",
    .note = "shmring; no member can stop the others",
    .is_brief = true,
    .fan = FAN_SHARED,
    .loops = by_policy,
    .crowd = &mpmc_crowd,
    .open = mpmc_open,
    .attach = mpmc_attach,
    .close = mpmc_close,
    .settings = mpmc_settings,
};

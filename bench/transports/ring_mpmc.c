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
    uint32_t batch;
    shmring_geometry geometry;
    shmring_segment segment;
};

struct side {
    shmring_mpmc_producer producer;
    shmring_mpmc_consumer consumer;
    shmring_mpmc_slot slots[BENCH_CROWD_BATCH_MAX];
    uint32_t held; /* slots that are ours */
    uint32_t used; /* of those, written or read */
    uint32_t left; /* producer: of the batch, not claimed yet */
    uint32_t batch;
};

static void *no_place(const struct side *side)
{
    if (shmring_mpmc_error(&side->producer.side) != 0)
        sample_fail("the ring is damaged");
    return NULL;
}

BENCH_INLINE void *mpmc_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    if (side->batch == 1)
        return shmring_mpmc_claim(&side->producer, &side->slots[0]) ? side->slots[0].data
                                                                    : no_place(side);
    if (side->used == side->held) {
        if (side->held != 0)
            return NULL; /* to be published first */
        side->held = shmring_mpmc_claim_many(&side->producer, side->slots, side->left);
        if (side->held == 0)
            return no_place(side);
    }
    return side->slots[side->used].data;
}

BENCH_INLINE void mpmc_stage(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    side->slots[side->used].length = size;
    side->slots[side->used].type = 0;
    if (side->batch != 1)
        side->used++;
}

BENCH_INLINE bool mpmc_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    int error;

    if (side->batch == 1) {
        error = shmring_mpmc_commit(&side->producer, &side->slots[0], size, 0);
    } else {
        error = shmring_mpmc_commit_many(&side->producer, side->slots, side->used);
        side->left -= side->used;
        if (side->left == 0)
            side->left = side->batch;
        side->used = 0;
        side->held = 0;
    }
    if (error != 0)
        sample_fail("commit: %s", strerror(-error));
    return true;
}

static const void *no_message(const struct side *side)
{
    if (shmring_mpmc_error(&side->consumer.side) != 0)
        sample_fail("the ring is damaged");
    return NULL;
}

BENCH_INLINE const void *mpmc_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    const shmring_mpmc_slot *slot = &side->slots[side->used];

    if (side->batch == 1) {
        if (!shmring_mpmc_take(&side->consumer, &side->slots[0]))
            return no_message(side);
    } else if (side->used == side->held) {
        side->used = 0;
        side->held = shmring_mpmc_take_many(&side->consumer, side->slots, side->batch);
        slot = &side->slots[0];
        if (side->held == 0)
            return no_message(side);
    }
    if (slot->length != size)
        sample_wrong("a message of %u bytes", slot->length);
    return slot->data;
}

BENCH_INLINE void mpmc_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    int error = 0;

    (void)size;
    if (side->batch == 1)
        error = shmring_mpmc_release(&side->consumer, &side->slots[0]);
    else if (++side->used == side->held)
        error = shmring_mpmc_release_many(&side->consumer, side->slots, side->held);
    if (error != 0)
        sample_fail("release: %s", strerror(-error));
}

static const struct ops crowd_ops = {mpmc_reserve, mpmc_stage, mpmc_publish,
                                     mpmc_next,    mpmc_done,  NULL};

#include "workloads/crowd_loops.h"

static void *mpmc_open(const struct shape *shape)
{
    struct channel *channel = calloc(1, sizeof *channel);
    int error;

    if (channel == NULL)
        return NULL;
    channel->batch = shape->batch;
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
    struct side *side = aligned_alloc(128, (sizeof *side + 127) / 128 * 128);
    void *base = channel->segment.base;
    int fd = channel->segment.fd, error;

    if (side == NULL)
        return NULL;
    memset(side, 0, sizeof *side);
    side->batch = channel->batch;
    side->left = channel->batch;
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

static bool mpmc_holds(const void *opaque)
{
    const struct side *side = opaque;

    return side->batch != 1 && side->used != side->held;
}

static void mpmc_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "%d slots, claim/commit and take/release in place, anonymous segment, deaths noticed "
             "by locks; with batch N claim_many, commit_many, take_many, release_many of up to N",
             (int)BENCH_CROWD_SLOTS);
}

static const struct crowd_kind mpmc_crowd = {
    .loops = &crowd_loops,
    .fifo = true,
    .join = mpmc_join,
    .leave = mpmc_leave,
    .holds = mpmc_holds,
};

const struct transport transport_ring_mpmc = {
    .name = "ring_mpmc",
    .note = "shmring; no member can stop the others; /bN claims and takes up to N at once",
    .batches = {16},
    .crowd = &mpmc_crowd,
    .open = mpmc_open,
    .close = mpmc_close,
    .settings = mpmc_settings,
};

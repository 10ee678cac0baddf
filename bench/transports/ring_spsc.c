/* SPDX-License-Identifier: MIT */
/* Our ring of messages: written and read in place, in memory without a name, inherited by fork. */
#include "ring_spsc.h"

#include "workloads/loops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Until there is room for half a ring, so that one wake serves many messages. */
static void sleep_producer(struct ring_side *side, uint32_t size)
{
    const shmring_spsc_producer *producer = &side->producer;
    uint64_t wake_at = producer->tail_pos - producer->side.capacity / 2;
    uint32_t ticket = shmring_wait_arm(&side->waiter, wake_at);

    if (shmring_spsc_reserve(&side->producer, size) == NULL)
        shmring_wait_sleep(&side->waiter, ticket, SHMRING_NEVER);
    shmring_wait_disarm(&side->waiter);
}

static void sleep_consumer(struct ring_side *side)
{
    /* What peek gave back may be what the producer sleeps for. */
    shmring_wake(&side->waiter);
    uint32_t ticket = shmring_wait_arm(&side->waiter, side->consumer.read_pos + 1);

    if (!shmring_spsc_has_record(&side->consumer))
        shmring_wait_sleep(&side->waiter, ticket, SHMRING_NEVER);
    shmring_wait_disarm(&side->waiter);
}

static void ring_sleep(void *opaque, uint32_t size)
{
    struct ring_side *side = opaque;
    int error = side->role == ROLE_PRODUCER ? shmring_spsc_error(&side->producer.side)
                                            : shmring_spsc_error(&side->consumer.side);

    if (error != 0)
        sample_fail("the ring is damaged");
    if (side->role == ROLE_PRODUCER)
        sleep_producer(side, size);
    else
        sleep_consumer(side);
}

static const struct ops spin_ops = {
    .reserve = ring_reserve,
    .stage = ring_stage,
    .publish = ring_publish,
    .next = ring_next,
    .done = ring_done,
};
static const struct ops block_ops = {
    .reserve = ring_reserve,
    .stage = ring_stage,
    .publish = ring_publish_wake,
    .next = ring_next,
    .done = ring_done_wake,
    .sleep = ring_sleep,
};
static const struct ops adaptive_ops = {
    .reserve = ring_reserve,
    .stage = ring_stage,
    .publish = ring_publish_wake,
    .next = ring_next_wake,
    .done = ring_done_wake,
    .sleep = ring_sleep,
    .tries_per_look = RING_TRIES_PER_LOOK,
};

#include "workloads/adaptive_loops.h"
#include "workloads/block_loops.h"
#include "workloads/spin_loops.h"

void *ring_open(bool light)
{
    struct ring_side *side = calloc(1, sizeof *side);
    int error;

    if (side == NULL)
        return NULL;
    error = shmring_layout_plan(SHMRING_KIND_SPSC, 0, BENCH_RING_BYTES, &side->geometry);
    if (error == 0 && light)
        side->geometry.options |= SHMRING_OPTION_LIGHT_WAKE;
    if (error == 0)
        error = shmring_segment_create(&side->segment, NULL, &side->geometry, NULL);
    if (error == 0)
        return side;
    free(side);
    errno = -error;
    return NULL;
}

int ring_attach(void *opaque, enum role role)
{
    struct ring_side *side = opaque;
    const shmring_segment *segment = &side->segment;
    bool produces = role == ROLE_PRODUCER;
    int error;

    side->role = role;
    if (produces)
        error = shmring_spsc_attach_producer(&side->producer, segment->base, &side->geometry,
                                             segment->fd);
    else
        error = shmring_spsc_attach_consumer(&side->consumer, segment->base, &side->geometry,
                                             segment->fd);
    if (error != 0)
        return error;
    return shmring_waiter_open(&side->waiter, segment->base, &side->geometry,
                               produces ? SHMRING_ROLE_PRODUCER : SHMRING_ROLE_CONSUMER, NULL);
}

void ring_close(void *opaque)
{
    struct ring_side *side = opaque;

    shmring_waiter_close(&side->waiter);
    shmring_spsc_detach_producer(&side->producer);
    shmring_spsc_detach_consumer(&side->consumer);
    shmring_segment_close(&side->segment);
    free(side);
}

void ring_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "capacity %d bytes, 8 bytes of header per message, reserve/commit and peek/release, "
             "anonymous segment",
             (int)BENCH_RING_BYTES);
}

static void *open_default(const struct shape *shape)
{
    (void)shape;
    return ring_open(shmring_fence_register() == 0);
}

static const struct loops *const by_policy[POLICY_COUNT] = {[POLICY_SPIN] = &spin_loops,
                                                            [POLICY_ADAPTIVE] = &adaptive_loops,
                                                            [POLICY_BLOCK] = &block_loops};

const struct transport transport_ring_spsc = {
    .name = "ring_spsc",
    .note = "shmring, messages of any length; /bN publishes every N messages",
    .fan = FAN_RINGS,
    .loops = by_policy,
    .batches = {16},
    .open = open_default,
    .attach = ring_attach,
    .close = ring_close,
    .settings = ring_settings,
};

/* SPDX-License-Identifier: MIT */
/* Our ring of elements of one size: no headers, runs of elements written and read in place. */
#include "shmring/segment.h"
#include "shmring/spsc_array.h"
#include "shmring/wait.h"
#include "transport.h"
#include "workloads/loops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct side {
    shmring_array_producer producer;
    shmring_array_consumer consumer;
    shmring_waiter waiter;
    uint8_t *place;         /* first of the run that is reserved */
    const uint8_t *message; /* first of the run that is peeked */
    uint64_t used;          /* elements of it that are written or read */
    uint64_t run;           /* elements in it */
    uint64_t batch;
    enum role role;
    shmring_geometry geometry;
    shmring_segment segment;
};

BENCH_INLINE void *array_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (side->used < side->run)
        return side->place + side->used * size;
    /* The run ended with the data: what is left of the batch is at its start. */
    if (side->run != 0)
        shmring_array_commit(&side->producer, side->used);
    side->used = 0;
    side->run = 0;
    side->place = shmring_array_reserve(&side->producer, side->batch, &side->run);
    return side->place;
}

BENCH_INLINE void array_stage(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->used++;
}

BENCH_INLINE bool array_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    shmring_array_commit(&side->producer, side->used);
    side->used = 0;
    side->run = 0;
    return true;
}

BENCH_INLINE bool array_publish_wake(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    array_publish(side, size);
    shmring_wake(&side->waiter);
    return true;
}

BENCH_INLINE const void *array_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (side->used < side->run)
        return side->message + side->used * size;
    side->used = 0;
    side->run = 0;
    side->message = shmring_array_peek(&side->consumer, side->batch, &side->run);
    return side->message;
}

/* Adaptive: who finds nothing does not go to sleep at once, where it would wake the producer. */
BENCH_INLINE const void *array_next_wake(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    const void *message = array_next(side, size);

    if (message == NULL)
        shmring_wake(&side->waiter);
    return message;
}

BENCH_INLINE void array_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    if (++side->used == side->run)
        shmring_array_release(&side->consumer, side->run);
}

BENCH_INLINE void array_done_wake(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    array_done(side, size);
    if (side->used == side->run)
        shmring_wake(&side->waiter);
}

static void sleep_producer(struct side *side)
{
    const shmring_spsc_producer *producer = &side->producer.spsc;
    uint64_t wake_at = producer->tail_pos - producer->side.capacity / 2;
    uint32_t ticket = shmring_wait_arm(&side->waiter, wake_at);
    uint64_t room;

    if (shmring_array_reserve(&side->producer, 1, &room) == NULL)
        shmring_wait_sleep(&side->waiter, ticket, SHMRING_NEVER);
    shmring_wait_disarm(&side->waiter);
}

static void sleep_consumer(struct side *side)
{
    shmring_spsc_consumer *consumer = &side->consumer.spsc;

    /* What peek gave back may be what the producer sleeps for. */
    shmring_wake(&side->waiter);
    uint32_t ticket = shmring_wait_arm(&side->waiter, consumer->read_pos + 1);

    if (!shmring_spsc_has_record(consumer))
        shmring_wait_sleep(&side->waiter, ticket, SHMRING_NEVER);
    shmring_wait_disarm(&side->waiter);
}

static void array_sleep(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    if (side->role == ROLE_PRODUCER)
        sleep_producer(side);
    else
        sleep_consumer(side);
}

static const struct ops spin_ops = {
    .reserve = array_reserve,
    .stage = array_stage,
    .publish = array_publish,
    .next = array_next,
    .done = array_done,
};
static const struct ops block_ops = {
    .reserve = array_reserve,
    .stage = array_stage,
    .publish = array_publish_wake,
    .next = array_next,
    .done = array_done_wake,
    .sleep = array_sleep,
};
static const struct ops adaptive_ops = {
    .reserve = array_reserve,
    .stage = array_stage,
    .publish = array_publish_wake,
    .next = array_next_wake,
    .done = array_done_wake,
    .sleep = array_sleep,
    .tries_per_look = RING_TRIES_PER_LOOK,
};

#include "workloads/adaptive_loops.h"
#include "workloads/block_loops.h"
#include "workloads/spin_loops.h"

static void *array_open(const struct shape *shape)
{
    struct side *side = calloc(1, sizeof *side);
    int error;

    if (side == NULL)
        return NULL;
    side->batch = shape->batch;
    error = shmring_layout_plan(SHMRING_KIND_SPSC, shape->size, bench_slots(shape->size),
                                &side->geometry);
    if (error == 0 && shmring_fence_register() == 0)
        side->geometry.options |= SHMRING_OPTION_LIGHT_WAKE;
    if (error == 0)
        error = shmring_segment_create(&side->segment, NULL, &side->geometry, NULL);
    if (error == 0)
        return side;
    free(side);
    errno = -error;
    return NULL;
}

static int array_attach(void *opaque, enum role role)
{
    struct side *side = opaque;
    const shmring_segment *segment = &side->segment;
    bool produces = role == ROLE_PRODUCER;
    int error;

    side->role = role;
    if (produces)
        error = shmring_array_attach_producer(&side->producer, segment->base, &side->geometry,
                                              segment->fd);
    else
        error = shmring_array_attach_consumer(&side->consumer, segment->base, &side->geometry,
                                              segment->fd);
    if (error != 0)
        return error;
    return shmring_waiter_open(&side->waiter, segment->base, &side->geometry,
                               produces ? SHMRING_ROLE_PRODUCER : SHMRING_ROLE_CONSUMER, NULL);
}

static void array_close(void *opaque)
{
    struct side *side = opaque;

    shmring_waiter_close(&side->waiter);
    shmring_array_detach_producer(&side->producer);
    shmring_array_detach_consumer(&side->consumer);
    shmring_segment_close(&side->segment);
    free(side);
}

static void array_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "capacity %d bytes, elements of one size without headers, in place; with batch N up "
             "to N elements per reserve, commit, peek and release; anonymous segment",
             (int)BENCH_RING_BYTES);
}

static const struct loops *const by_policy[POLICY_COUNT] = {[POLICY_SPIN] = &spin_loops,
                                                            [POLICY_ADAPTIVE] = &adaptive_loops,
                                                            [POLICY_BLOCK] = &block_loops};

const struct transport transport_ring_array = {
    .name = "ring_array",
    .note = "shmring, elements of one size; /bN sends and takes up to N at once",
    .loops = by_policy,
    .batches = {16, 32},
    .open = array_open,
    .attach = array_attach,
    .close = array_close,
    .settings = array_settings,
};

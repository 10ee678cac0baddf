/* SPDX-License-Identifier: MIT */
/* The operations of our ring of messages, for those that measure it with and without waking. */
#ifndef BENCH_TRANSPORTS_RING_SPSC_H
#define BENCH_TRANSPORTS_RING_SPSC_H

#include "shmring/segment.h"
#include "shmring/spsc.h"
#include "shmring/wait.h"
#include "transport.h"

struct ring_side {
    shmring_spsc_producer producer;
    shmring_spsc_consumer consumer;
    shmring_waiter waiter;
    enum role role;
    shmring_geometry geometry;
    shmring_segment segment;
};

BENCH_INLINE void *ring_reserve(void *opaque, uint32_t size)
{
    struct ring_side *side = opaque;

    return shmring_spsc_reserve(&side->producer, size);
}

BENCH_INLINE void ring_stage(void *opaque, uint32_t size)
{
    struct ring_side *side = opaque;

    shmring_spsc_stage(&side->producer, size, 0);
}

BENCH_INLINE bool ring_publish(void *opaque, uint32_t size)
{
    struct ring_side *side = opaque;

    (void)size;
    shmring_spsc_publish(&side->producer);
    return true;
}

BENCH_INLINE bool ring_publish_wake(void *opaque, uint32_t size)
{
    struct ring_side *side = opaque;

    (void)size;
    shmring_spsc_publish(&side->producer);
    shmring_wake(&side->waiter);
    return true;
}

BENCH_INLINE const void *ring_next(void *opaque, uint32_t size)
{
    struct ring_side *side = opaque;
    uint64_t length;
    const void *message = shmring_spsc_peek(&side->consumer, &length, NULL);

    if (message != NULL && length != size)
        sample_fail("a message of %llu bytes", (unsigned long long)length);
    return message;
}

/* Who finds nothing, and does not go to sleep at once: what peek gave back may be what the producer
 * sleeps for. */
BENCH_INLINE const void *ring_next_wake(void *opaque, uint32_t size)
{
    struct ring_side *side = opaque;
    const void *message = ring_next(side, size);

    if (message == NULL)
        shmring_wake(&side->waiter);
    return message;
}

BENCH_INLINE void ring_done(void *opaque, uint32_t size)
{
    struct ring_side *side = opaque;

    (void)size;
    shmring_spsc_release(&side->consumer);
}

BENCH_INLINE void ring_done_wake(void *opaque, uint32_t size)
{
    struct ring_side *side = opaque;

    (void)size;
    shmring_spsc_release(&side->consumer);
    shmring_wake(&side->waiter);
}

/* Light: wakes cost the one who sleeps, see wait.h. */
void *ring_open(bool light);
int ring_attach(void *side, enum role role);
void ring_close(void *side);
void ring_settings(char *ret_text, size_t text_size);

#endif

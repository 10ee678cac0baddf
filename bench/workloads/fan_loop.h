/* SPDX-License-Identifier: MIT */
/*
 * Fan-in and fan-out: the loops of a crowd's members (crowd/crowd.h) who have a channel for each of
 * those opposite, or share one. The producer gives each message to all of its sides; the consumer
 * takes from each of its sides in turn. The last message of each producer says that it is over, so
 * that who sleeps is woken.
 */
#ifndef BENCH_WORKLOADS_FAN_LOOP_H
#define BENCH_WORKLOADS_FAN_LOOP_H

#include "crowd_loop.h"
#include "stream_loop.h"

#ifdef __cplusplus
extern "C" {
#endif

BENCH_INLINE struct waiting fan_start(const struct crowd_member *self)
{
    struct waiting waiting = wait_start();

    waiting.yields = self->oversubscribed;
    return waiting;
}

BENCH_INLINE void fan_give(const struct ops *ops, void *const *sides,
                           const struct crowd_member *self, uint64_t seq, struct waiting *waiting)
{
    for (uint32_t i = 0; i < self->side_count; i++) {
        stream_send(ops, sides[i], seq, self->size, waiting);
        wait_publish(ops, sides[i], self->size, waiting, seq);
    }
}

BENCH_INLINE void fan_send(const struct ops *ops, void *const *sides, struct crowd_member *self)
{
    uint64_t first = (uint64_t)self->idx << CROWD_NUMBER_BITS, done = 0;
    struct waiting waiting = fan_start(self);

    while (!crowd_is_stopped(self)) {
        fan_give(ops, sides, self, first + done, &waiting);
        shmring_store64_relaxed(&self->messages, ++done);
    }
    fan_give(ops, sides, self, PAYLOAD_END, &waiting);
}

/* Of the next side that has one; at: the last one that had. */
BENCH_INLINE const void *fan_poll(const struct ops *ops, void *const *sides,
                                  const struct crowd_member *self, uint32_t *at)
{
    for (uint32_t i = 0; i < self->side_count; i++) {
        *at = *at + 1 < self->side_count ? *at + 1 : 0;
        const void *message = ops->next(sides[*at], self->size);

        if (message != NULL)
            return message;
    }
    return NULL;
}

/* Sleeps, where that is asked for, for the only side: nobody sleeps for several. */
BENCH_INLINE const void *fan_next(const struct ops *ops, void *const *sides,
                                  struct crowd_member *self, uint32_t *at, struct waiting *waiting,
                                  uint64_t done)
{
    const void *message = fan_poll(ops, sides, self, at);

    if (__builtin_expect(message != NULL, true))
        return message;
    crowd_stamp(self);
    do
        wait_once(ops, sides[*at], self->size, waiting, done);
    while ((message = fan_poll(ops, sides, self, at)) == NULL);
    wait_end(ops, waiting);
    crowd_stamp(self);
    return message;
}

BENCH_INLINE void fan_take(const struct ops *ops, void *const *sides, struct crowd_member *self)
{
    struct waiting waiting = fan_start(self);
    uint32_t at = 0, senders = self->crowd->producers;
    uint64_t done = 0;

    self->last = self->crowd->start;
    while (senders != 0) {
        const void *message = fan_next(ops, sides, self, &at, &waiting, done);

        if (loss_seq(message) == PAYLOAD_END && payload_is_end(message, self->size)) {
            senders--;
        } else {
            crowd_accept(self, message, self->size);
            shmring_store64_relaxed(&self->messages, ++done);
        }
        ops->done(sides[at], self->size);
        if (done % CROWD_STAMP_EVERY == 0)
            crowd_stamp(self);
    }
}

#ifdef __cplusplus
}
#endif

#endif

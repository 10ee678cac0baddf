/* SPDX-License-Identifier: MIT */
/*
 * The loops of a crowd's members (crowd/crowd.h). A message's seq is its producer and its number;
 * a consumer cannot know which comes next, and keeps a book on each producer.
 */
#ifndef BENCH_WORKLOADS_CROWD_LOOP_H
#define BENCH_WORKLOADS_CROWD_LOOP_H

#include "crowd/crowd.h"
#include "payload.h"
#include "wait.h"

#include <sched.h>

#ifdef __cplusplus
extern "C" {
#endif

BENCH_INLINE bool crowd_is_stopped(const struct crowd_member *self)
{
    return shmring_load32_relaxed(&self->crowd->phase) == CROWD_STOP;
}

/* A try failed. Where members share a processor, the one that could help must get it. */
BENCH_INLINE void crowd_miss(struct crowd_member *self, shmring_spin *spin, uint64_t done)
{
    shmring_store64_relaxed(&self->misses, shmring_load64_relaxed(&self->misses) + 1);
    shmring_spin_miss(spin, done);
    if (self->oversubscribed && spin->misses % YIELD_EVERY == 0)
        sched_yield();
}

BENCH_INLINE void crowd_flush(const struct ops *ops, void *side, struct crowd_member *self,
                              uint32_t size, shmring_spin *spin, uint64_t done)
{
    if (__builtin_expect(ops->publish(side, size), true))
        return;
    do
        crowd_miss(self, spin, done);
    while (!ops->publish(side, size));
    shmring_spin_hit(spin);
}

BENCH_INLINE void *crowd_reserve(const struct ops *ops, void *side, struct crowd_member *self,
                                 uint32_t size, uint32_t batch, shmring_spin *spin, uint64_t done)
{
    void *place = ops->reserve(side, size);

    if (__builtin_expect(place != NULL, true))
        return place;
    if (batch != 1) {
        /* What is staged is what the others wait for. */
        crowd_flush(ops, side, self, size, spin, done);
        if ((place = ops->reserve(side, size)) != NULL)
            return place;
    }
    do
        crowd_miss(self, spin, done);
    while ((place = ops->reserve(side, size)) == NULL);
    shmring_spin_hit(spin);
    return place;
}

BENCH_INLINE void crowd_produce_sized(const struct ops *ops, void *side, struct crowd_member *self,
                                      uint32_t size, uint32_t batch)
{
    uint64_t first = (uint64_t)self->idx << CROWD_NUMBER_BITS;
    shmring_spin spin = spin_start();

    for (uint64_t done = 0; !crowd_is_stopped(self);) {
        for (uint32_t i = 0; i < batch; i++) {
            void *place = crowd_reserve(ops, side, self, size, batch, &spin, done);

            payload_fill(place, first + done++, size);
            ops->stage(side, size);
        }
        crowd_flush(ops, side, self, size, &spin, done);
        shmring_store64_relaxed(&self->messages, done);
    }
}

BENCH_INLINE void crowd_stamp(struct crowd_member *self)
{
    uint64_t now = stamp();

    if (__builtin_expect(now - self->last >= self->gap_min, false))
        crowd_note_gap(self, now);
    self->last = now;
}

/* The next message after a failed try, or NULL: it is over. */
BENCH_INLINE const void *crowd_await(const struct ops *ops, void *side, struct crowd_member *self,
                                     uint32_t size, shmring_spin *spin, uint64_t done)
{
    const void *message;

    crowd_stamp(self);
    do {
        if (crowd_is_stopped(self) && crowd_may_leave(self->crowd))
            return NULL;
        crowd_miss(self, spin, done);
    } while ((message = ops->next(side, size)) == NULL);
    crowd_stamp(self);
    shmring_spin_hit(spin);
    return message;
}

BENCH_INLINE void crowd_accept(struct crowd_member *self, const void *message, uint32_t size)
{
    uint64_t seq;

    memcpy(&seq, message, sizeof seq);
    uint64_t producer = seq >> CROWD_NUMBER_BITS;
    uint64_t number = seq & ((UINT64_C(1) << CROWD_NUMBER_BITS) - 1);

    if (__builtin_expect(producer >= self->crowd->producers || !payload_check(message, seq, size),
                         false))
        sample_wrong("a message is not what was sent (its first word: 0x%llx)",
                     (unsigned long long)seq);
    struct crowd_origin *from = &self->from[producer];

    if (__builtin_expect(self->fifo && number < from->next, false))
        sample_wrong("message %llu of producer %u came after message %llu",
                     (unsigned long long)number, (unsigned)producer,
                     (unsigned long long)from->next - 1);
    from->next = number + 1;
    from->count++;
    from->sum += number;
    from->squares += number * number;
}

BENCH_INLINE void crowd_consume_sized(const struct ops *ops, void *side, struct crowd_member *self,
                                      uint32_t size)
{
    shmring_spin spin = spin_start();
    const void *message;
    uint64_t done = 0;

    self->last = self->crowd->start;
    do {
        message = ops->next(side, size);
        if (__builtin_expect(message == NULL, false) &&
            (message = crowd_await(ops, side, self, size, &spin, done)) == NULL)
            break;
        crowd_accept(self, message, size);
        ops->done(side, size);
        shmring_store64_relaxed(&self->messages, ++done);
        if (done % CROWD_STAMP_EVERY == 0)
            crowd_stamp(self);
    } while (__builtin_expect(!crowd_is_stopped(self), true) || !crowd_may_leave(self->crowd) ||
             (self->holds != NULL && self->holds(side)));
    crowd_stamp(self);
    if (self->idx != 0)
        return;
    for (crowd_await_last(self); !crowd_is_over(self->crowd);) {
        if ((message = ops->next(side, size)) == NULL) {
            shmring_cpu_pause();
            continue;
        }
        crowd_accept(self, message, size);
        ops->done(side, size);
        shmring_store64_relaxed(&self->messages, ++done);
    }
}

/* One thread sends and takes, one message at a time: what the operations cost by themselves. */
BENCH_INLINE void crowd_solo_sized(const struct ops *ops, void *out, void *in,
                                   struct crowd_member *self, uint32_t size)
{
    shmring_spin spin = spin_start();
    const void *message;

    for (uint64_t done = 0; !crowd_is_stopped(self);) {
        payload_fill(crowd_reserve(ops, out, self, size, 1, &spin, done), done, size);
        ops->stage(out, size);
        crowd_flush(ops, out, self, size, &spin, done);
        while (__builtin_expect((message = ops->next(in, size)) == NULL, false))
            crowd_miss(self, &spin, done);
        if (!payload_check(message, done, size))
            sample_corrupt(done);
        ops->done(in, size);
        shmring_store64_relaxed(&self->messages, ++done);
    }
}

/* One copy of each loop per size and batch, in which they are constants. */
BENCH_INLINE void crowd_produce(const struct ops *ops, void *side, struct crowd_member *self)
{
    if (self->size == 8 && self->batch == 1)
        crowd_produce_sized(ops, side, self, 8, 1);
    else if (self->size == 8)
        crowd_produce_sized(ops, side, self, 8, self->batch);
    else if (self->batch == 1)
        crowd_produce_sized(ops, side, self, 64, 1);
    else
        crowd_produce_sized(ops, side, self, 64, self->batch);
}

BENCH_INLINE void crowd_consume(const struct ops *ops, void *side, struct crowd_member *self)
{
    if (self->size == 8)
        crowd_consume_sized(ops, side, self, 8);
    else
        crowd_consume_sized(ops, side, self, 64);
}

BENCH_INLINE void crowd_solo(const struct ops *ops, void *out, void *in, struct crowd_member *self)
{
    if (self->size == 8)
        crowd_solo_sized(ops, out, in, self, 8);
    else
        crowd_solo_sized(ops, out, in, self, 64);
}

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Open loop and bursts: each message is due at a time that was set before, whatever became of those
 * before it, and its latency counts from then. A sender that is late sends at once, so that what it
 * had to wait for is part of the latency of all messages that were due meanwhile (a closed loop
 * leaves them out, which is known as coordinated omission).
 *
 * The time needs no place in the message: who receives knows it by the number.
 */
#ifndef BENCH_WORKLOADS_TIMED_LOOP_H
#define BENCH_WORKLOADS_TIMED_LOOP_H

#include "clock.h"
#include "stream_loop.h"

#include <sched.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline uint64_t timed_due(const struct run *run, uint64_t start, uint64_t seq)
{
    return start + (uint64_t)((double)(seq / run->burst) * run->interval);
}

/* Spins under all policies: a timer wakes up too late, and that would be told of the transport. */
static inline void timed_await(const struct run *run, uint64_t due)
{
    while (stamp() < due)
        if (run->one_cpu)
            sched_yield();
        else
            shmring_cpu_pause();
}

BENCH_INLINE void timed_send(const struct ops *ops, void *side, struct run *run)
{
    struct waiting waiting = wait_start();
    uint64_t start = stamp(), seq;

    shmring_store64_release(run->start, start);
    for (seq = 0; seq < run->warm_count + run->count; seq++) {
        timed_await(run, timed_due(run, start, seq));
        stream_send(ops, side, seq, run->size, &waiting);
        wait_publish(ops, side, run->size, &waiting, seq);
    }
    run->sent = seq;
    stream_end(ops, side, run, run->size, &waiting);
}

/* Notes how late a message was, once it was read. */
static inline void timed_note(struct run *run, uint64_t start, uint64_t seq)
{
    uint64_t now = stamp(), due = timed_due(run, start, seq);

    if (seq >= run->warm_count && run->round_trips < BENCH_ROUND_TRIPS_MAX)
        run->ticks[run->round_trips++] = now > due ? now - due : 0;
}

BENCH_INLINE void timed_receive(const struct ops *ops, void *side, struct run *run)
{
    struct waiting waiting = wait_start();
    uint64_t seq = 0, lost = 0;
    const void *message;

    for (;; seq++) {
        message = stream_next(ops, side, run->size, &waiting, &seq, &lost);
        if (__builtin_expect(!payload_check(message, seq, run->size), false))
            break;
        timed_note(run, shmring_load64_acquire(run->start), seq);
        ops->done(side, run->size);
    }
    if (!payload_is_end(message, run->size))
        sample_corrupt(seq);
    if (ops->loses)
        shmring_store32_release(run->over, 1);
    run->handled = seq - lost;
}

#ifdef __cplusplus
}
#endif

#endif

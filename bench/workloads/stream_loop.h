/* SPDX-License-Identifier: MIT */
/*
 * Stream: one process sends as fast as it can, the other receives. The consumer counts, by its own
 * clock; the producer says when it is over, by a last message that differs from all others.
 * Looking at the clock costs as much as ten messages, so it is looked at every so many only.
 */
#ifndef BENCH_WORKLOADS_STREAM_LOOP_H
#define BENCH_WORKLOADS_STREAM_LOOP_H

#include "clock.h"
#include "loss.h"
#include "payload.h"
#include "wait.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pace {
    uint64_t next; /* the message at which to look again */
    uint64_t step;
    int64_t now;
};

enum {
    PACE_STEP_MAX = 8192,
    PACE_SHORT_NS = 50000,
    PACE_LONG_NS = 200000,
};

/* Looks at the clock, and sets the distance to the next look. */
static inline int64_t pace_look(struct pace *pace, uint64_t seq)
{
    int64_t now = shmring_clock();

    if (now - pace->now < PACE_SHORT_NS && pace->step < PACE_STEP_MAX)
        pace->step *= 2;
    else if (now - pace->now > PACE_LONG_NS && pace->step > 1)
        pace->step /= 2;
    pace->now = now;
    pace->next = seq + pace->step;
    return now;
}

/* What counts of a stream, by the consumer: from the end of the warm-up for as long as was asked.
 */
struct window {
    int64_t first, begin, end; /* 0: not yet */
    uint64_t begin_count, end_count;
};

static inline void window_look(struct window *window, const struct run *run, int64_t now,
                               uint64_t count)
{
    if (window->first == 0) {
        window->first = now;
        window->begin_count = count;
    } else if (window->begin == 0 && now - window->first >= run->warm_ns) {
        window->begin = now;
        window->begin_count = count;
    } else if (window->begin != 0 && window->end == 0 && now - window->begin >= run->ns) {
        window->end = now;
        window->end_count = count;
    }
}

/* The stream is over. It may have been so slow, or so disturbed, that not all is there. */
static inline void window_close(const struct window *window, struct run *run, uint64_t count)
{
    int64_t begin = window->begin != 0 ? window->begin : window->first;
    int64_t end = window->end != 0 ? window->end : shmring_clock();

    run->messages = (window->end != 0 ? window->end_count : count) - window->begin_count;
    run->elapsed_ns = end - begin;
    run->handled = count;
}

BENCH_INLINE void stream_send(const struct ops *ops, void *side, uint64_t seq, uint32_t size,
                              struct waiting *waiting)
{
    payload_fill(wait_reserve(ops, side, size, waiting, seq), seq, size);
    ops->stage(side, size);
}

/* The last message, until it has come. */
BENCH_INLINE void stream_end(const struct ops *ops, void *side, const struct run *run,
                             uint32_t size, struct waiting *waiting)
{
    do {
        stream_send(ops, side, PAYLOAD_END, size, waiting);
        wait_publish(ops, side, size, waiting, PAYLOAD_END);
    } while (ops->loses && !loss_is_over(run));
}

/* The next message. Where some may be lost, one that came: seq moves on to it. */
BENCH_INLINE const void *stream_next(const struct ops *ops, void *side, uint32_t size,
                                     struct waiting *waiting, uint64_t *seq, uint64_t *lost)
{
    const void *message = wait_next(ops, side, size, waiting, *seq);

    if (ops->loses) {
        while (message == NULL)
            message = wait_next(ops, side, size, waiting, *seq);
        *lost += loss_skip(message, seq);
    }
    return message;
}

BENCH_INLINE void stream_produce_sized(const struct ops *ops, void *side, struct run *run,
                                       uint32_t size, uint32_t batch)
{
    /* A little more than counts, so that the consumer does not count the ring running empty. */
    int64_t end = shmring_clock() + run->warm_ns + run->ns + run->warm_ns;
    struct pace pace = {0, 1, shmring_clock()};
    struct waiting waiting = wait_start();

    uint64_t seq = 0;

    while (seq < pace.next || pace_look(&pace, seq) < end) {
        for (uint32_t i = 0; i < batch; i++)
            stream_send(ops, side, seq++, size, &waiting);
        wait_publish(ops, side, size, &waiting, seq);
    }
    run->sent = seq;
    stream_end(ops, side, run, size, &waiting);
}

BENCH_INLINE void stream_produce_batched(const struct ops *ops, void *side, struct run *run,
                                         uint32_t size)
{
    if (run->batch == 1)
        stream_produce_sized(ops, side, run, size, 1);
    else
        stream_produce_sized(ops, side, run, size, run->batch);
}

BENCH_INLINE void stream_consume_sized(const struct ops *ops, void *side, struct run *run,
                                       uint32_t size)
{
    struct pace pace = {0, 1, shmring_clock()};
    struct waiting waiting = wait_start();
    struct window window = {0, 0, 0, 0, 0};
    uint64_t seq = 0, lost = 0;
    const void *message;

    for (;; seq++) {
        message = stream_next(ops, side, size, &waiting, &seq, &lost);
        if (__builtin_expect(!payload_check(message, seq, size), false))
            break;
        ops->done(side, size);
        if (seq >= pace.next)
            window_look(&window, run, pace_look(&pace, seq), seq + 1 - lost);
    }
    if (!payload_is_end(message, size))
        sample_corrupt(seq);
    if (ops->loses)
        shmring_store32_release(run->over, 1);
    window_close(&window, run, seq - lost);
}

#ifdef __cplusplus
}
#endif

#endif

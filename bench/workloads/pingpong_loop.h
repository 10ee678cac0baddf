/* SPDX-License-Identifier: MIT */
/*
 * Dialogue: one process asks, the other answers, one message in flight. Each round trip ends with
 * one stamp, which is also the beginning of the next.
 */
#ifndef BENCH_WORKLOADS_PINGPONG_LOOP_H
#define BENCH_WORKLOADS_PINGPONG_LOOP_H

#include "clock.h"
#include "stream_loop.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The round trips of one sample. Those of the warm-up all go into the first place. */
struct lap {
    uint64_t last;
    uint64_t warm_end;
    uint64_t end;
};

static inline struct lap lap_begin(struct run *run)
{
    uint64_t now = stamp();
    uint64_t warm = (uint64_t)((double)run->warm_ns / stamp_ns);

    struct lap lap = {now, now + warm, now + warm + (uint64_t)((double)run->ns / stamp_ns)};

    run->round_trips = 0;
    return lap;
}

/* Notes a round trip; false: that was the last. */
BENCH_INLINE bool lap_next(struct lap *lap, struct run *run)
{
    uint64_t now = stamp();

    run->ticks[run->round_trips] = now - lap->last;
    run->round_trips += now >= lap->warm_end;
    lap->last = now;
    return now < lap->end && run->round_trips < BENCH_ROUND_TRIPS_MAX;
}

BENCH_INLINE void pingpong_send(const struct ops *ops, void *side, uint64_t seq, uint32_t size,
                                struct waiting *waiting)
{
    stream_send(ops, side, seq, size, waiting);
    wait_publish(ops, side, size, waiting, seq);
}

/* The answer. If nothing comes, the question is sent again; so answers may come twice. */
BENCH_INLINE const void *pingpong_answer(const struct ops *ops, void *out, void *in,
                                         struct run *run, uint64_t seq, uint32_t size,
                                         struct waiting *waiting)
{
    const void *message = wait_next(ops, in, size, waiting, seq);

    while (ops->loses && (message == NULL || loss_is_past(message, seq, size))) {
        if (message != NULL) {
            ops->done(in, size);
        } else {
            run->sent++;
            pingpong_send(ops, out, seq, size, waiting);
        }
        message = wait_next(ops, in, size, waiting, seq);
    }
    return message;
}

BENCH_INLINE void pingpong_ping_sized(const struct ops *ops, void *out, void *in, struct run *run,
                                      uint32_t size)
{
    struct lap lap = lap_begin(run);
    struct waiting waiting = wait_start();
    uint64_t seq = 0;

    do {
        const void *message;

        pingpong_send(ops, out, seq, size, &waiting);
        message = pingpong_answer(ops, out, in, run, seq, size, &waiting);
        if (!payload_check(message, seq, size))
            sample_corrupt(seq);
        ops->done(in, size);
        seq++;
    } while (lap_next(&lap, run));
    run->handled = seq;
    run->sent += seq;
    do
        pingpong_send(ops, out, PAYLOAD_END, size, &waiting);
    while (ops->loses && !loss_is_over(run));
}

/* The next question. One that was sent again was answered before, but that is lost, or late. */
BENCH_INLINE const void *pingpong_question(const struct ops *ops, void *in, void *out, uint64_t seq,
                                           uint32_t size, struct waiting *waiting)
{
    const void *message = wait_next(ops, in, size, waiting, seq);

    while (ops->loses && (message == NULL || loss_is_past(message, seq, size))) {
        if (message != NULL) {
            ops->done(in, size);
            pingpong_send(ops, out, seq - 1, size, waiting);
        }
        message = wait_next(ops, in, size, waiting, seq);
    }
    return message;
}

BENCH_INLINE void pingpong_pong_sized(const struct ops *ops, void *in, void *out,
                                      const struct run *run, uint32_t size)
{
    struct waiting waiting = wait_start();
    uint64_t seq = 0;
    const void *message;

    while (
        payload_check(message = pingpong_question(ops, in, out, seq, size, &waiting), seq, size)) {
        ops->done(in, size);
        pingpong_send(ops, out, seq++, size, &waiting);
    }
    if (!payload_is_end(message, size))
        sample_corrupt(seq);
    if (ops->loses)
        shmring_store32_release(run->over, 1);
}

#ifdef __cplusplus
}
#endif

#endif

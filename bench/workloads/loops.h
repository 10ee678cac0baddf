/* SPDX-License-Identifier: MIT */
/*
 * All loops that a transport instantiates for its struct ops. One copy of each for each size up to
 * a page, in which it is a constant, as in a program that has it as sizeof a struct; but one for
 * all sizes where that gains nothing and takes minutes to compile: around the calls of the system
 * (BENCH_ANY_SIZE, defined before this is included), and under sanitizers.
 */
#ifndef BENCH_WORKLOADS_LOOPS_H
#define BENCH_WORKLOADS_LOOPS_H

#include "fan_loop.h"
#include "pingpong_loop.h"
#include "timed_loop.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(BENCH_ANY_SIZE) || defined(SHMRING_BENCH_SANITIZED)

BENCH_INLINE void stream_produce(const struct ops *ops, void *side, struct run *run)
{
    stream_produce_sized(ops, side, run, run->size, run->batch);
}

BENCH_INLINE void stream_consume(const struct ops *ops, void *side, struct run *run)
{
    stream_consume_sized(ops, side, run, run->size);
}

BENCH_INLINE void pingpong_ping(const struct ops *ops, void *out, void *in, struct run *run)
{
    pingpong_ping_sized(ops, out, in, run, run->size);
}

BENCH_INLINE void pingpong_pong(const struct ops *ops, void *in, void *out, const struct run *run)
{
    pingpong_pong_sized(ops, in, out, run, run->size);
}

#else

BENCH_INLINE void stream_produce(const struct ops *ops, void *side, struct run *run)
{
    switch (run->size) {
    case 8:
        stream_produce_batched(ops, side, run, 8);
        break;
    case 64:
        stream_produce_batched(ops, side, run, 64);
        break;
    case 256:
        stream_produce_batched(ops, side, run, 256);
        break;
    case 1024:
        stream_produce_batched(ops, side, run, 1024);
        break;
    case 4096:
        stream_produce_batched(ops, side, run, 4096);
        break;
    default:
        stream_produce_batched(ops, side, run, run->size);
        break;
    }
}

BENCH_INLINE void stream_consume(const struct ops *ops, void *side, struct run *run)
{
    switch (run->size) {
    case 8:
        stream_consume_sized(ops, side, run, 8);
        break;
    case 64:
        stream_consume_sized(ops, side, run, 64);
        break;
    case 256:
        stream_consume_sized(ops, side, run, 256);
        break;
    case 1024:
        stream_consume_sized(ops, side, run, 1024);
        break;
    case 4096:
        stream_consume_sized(ops, side, run, 4096);
        break;
    default:
        stream_consume_sized(ops, side, run, run->size);
        break;
    }
}

BENCH_INLINE void pingpong_ping(const struct ops *ops, void *out, void *in, struct run *run)
{
    switch (run->size) {
    case 8:
        pingpong_ping_sized(ops, out, in, run, 8);
        break;
    case 64:
        pingpong_ping_sized(ops, out, in, run, 64);
        break;
    case 256:
        pingpong_ping_sized(ops, out, in, run, 256);
        break;
    case 1024:
        pingpong_ping_sized(ops, out, in, run, 1024);
        break;
    case 4096:
        pingpong_ping_sized(ops, out, in, run, 4096);
        break;
    default:
        pingpong_ping_sized(ops, out, in, run, run->size);
        break;
    }
}

BENCH_INLINE void pingpong_pong(const struct ops *ops, void *in, void *out, const struct run *run)
{
    switch (run->size) {
    case 8:
        pingpong_pong_sized(ops, in, out, run, 8);
        break;
    case 64:
        pingpong_pong_sized(ops, in, out, run, 64);
        break;
    case 256:
        pingpong_pong_sized(ops, in, out, run, 256);
        break;
    case 1024:
        pingpong_pong_sized(ops, in, out, run, 1024);
        break;
    case 4096:
        pingpong_pong_sized(ops, in, out, run, 4096);
        break;
    default:
        pingpong_pong_sized(ops, in, out, run, run->size);
        break;
    }
}

#endif

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/* Floors: what no transport can beat. */
#ifndef BENCH_FLOORS_FLOORS_H
#define BENCH_FLOORS_FLOORS_H

#include "bench.h"

/*
 * Dialogue by cache lines: 56 bytes of payload and a sequence number that announces them. apart:
 * the question in one line and the answer in another, each written by one side; else both in one.
 * lines: two of them, zeroed, shared.
 */
struct floor_line {
    _Alignas(128) uint64_t payload[7];
    shmring_word64 seq;
};
void floor_ping(struct floor_line *lines, bool apart, struct run *run);
void floor_pong(struct floor_line *lines, bool apart);

/* memcpy() of run->size bytes, at most FLOOR_MEMCPY_MAX, between two buffers of one process.
 * Fills in messages, elapsed_ns. */
enum { FLOOR_MEMCPY_MAX = 1 << 20 };
void floor_memcpy(struct run *run);

#endif

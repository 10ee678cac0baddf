/* SPDX-License-Identifier: MIT */
/*
 * What every message carries: 8-byte words seq, seq + 1, seq + 2 ..., written in full by the sender
 * and summed in full by the receiver. One routine each, for rings, peers and floors alike, and
 * out of line, so that no transport's loop is compiled together with its payload.
 */
#ifndef BENCH_PAYLOAD_H
#define BENCH_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The seq of the last message of a stream. No sample sends this many. */
static const uint64_t PAYLOAD_END = UINT64_C(0xe0f0e0f0e0f0e0f0);

/* size: a multiple of 8 bytes; place: 8-aligned. */
void payload_fill(void *place, uint64_t seq, size_t size);

/* Is message what payload_fill() wrote for that seq? By its first word and the sum of all. */
bool payload_check(const void *message, uint64_t seq, size_t size);

static inline bool payload_is_end(const void *message, size_t size)
{
    return payload_check(message, PAYLOAD_END, size);
}

#ifdef __cplusplus
}
#endif

#endif

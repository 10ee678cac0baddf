/* SPDX-License-Identifier: MIT */
/* One of the things that could be so, for spec.c: what is in the queue, and where each seat is. */
#ifndef SHMRING_TESTS_MODEL_POSSIBILITY_H
#define SHMRING_TESTS_MODEL_POSSIBILITY_H

#include "explore.h"

#include <stdbool.h>
#include <stdint.h>

/* What a seat is doing, low nibble of its byte; the high nibble is the message. */
enum {
    IDLE,
    SENDING,  /* called */
    SENT,     /* happened, not returned */
    CLAIMING, /* in place, these three: called */
    PLACED,   /* it has its place */
    COMMITTING,
    TAKING,
    FOUND_NONE, /* a take has, at a moment: then it may get what the dead have left */
    TAKEN,      /* happened, not returned; message 0: there was none */
    HOLDING,
    RELEASING,
    DEAD, /* its message comes back some time */
};

struct possibility {
    uint64_t queue; /* a byte each, the oldest lowest; 0 ends it */
    uint64_t seats; /* a byte each */
};

static uint32_t doing(const struct possibility *one, int seat)
{
    return (uint32_t)(one->seats >> 8 * seat) & 15;
}

static uint32_t message(const struct possibility *one, int seat)
{
    return (uint32_t)(one->seats >> (8 * seat + 4)) & 15;
}

static void set(struct possibility *one, int seat, uint32_t what, uint32_t value)
{
    one->seats &= ~(UINT64_C(0xff) << 8 * seat);
    one->seats |= (uint64_t)(value << 4 | what) << 8 * seat;
}

static bool is_before(const struct possibility *one, const struct possibility *other)
{
    return one->queue != other->queue ? one->queue < other->queue : one->seats < other->seats;
}

static uint32_t entry(const struct possibility *one, int at)
{
    return at < 64 ? (uint32_t)(one->queue >> at) & 0xff : 0;
}

static void append(struct possibility *one, uint32_t value)
{
    int at = 0;

    while (entry(one, at) != 0)
        at += 8;
    if (at == 64)
        explore_fail("more messages than a possibility has room for");
    one->queue |= (uint64_t)value << at;
}

static void take_away(struct possibility *one, int at)
{
    uint64_t below = (UINT64_C(1) << at) - 1;

    one->queue = (one->queue & below) | (one->queue >> 8 & ~below);
}

/* Where that is; -1: nowhere. */
static int find(const struct possibility *one, uint32_t value)
{
    for (int at = 0; entry(one, at) != 0; at += 8)
        if (entry(one, at) == value)
            return at;
    return -1;
}

#endif

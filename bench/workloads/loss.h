/* SPDX-License-Identifier: MIT */
/*
 * Where messages may be lost (struct ops, loses): a stream counts what is missing, a question
 * without an answer is asked again, and the last message is sent until the other side has it.
 */
#ifndef BENCH_WORKLOADS_LOSS_H
#define BENCH_WORKLOADS_LOSS_H

#include "payload.h"
#include "transport.h"

#include <string.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The seq that a message claims to have. */
static inline uint64_t loss_seq(const void *message)
{
    uint64_t seq;

    memcpy(&seq, message, sizeof seq);
    return seq;
}

/* Moves seq on to that of the message, if that is a later one. Returns how many are missing. */
static inline uint64_t loss_skip(const void *message, uint64_t *seq)
{
    uint64_t expected = *seq, found = loss_seq(message);

    if (found == PAYLOAD_END || found < expected)
        return 0;
    *seq = found;
    return found - expected;
}

/* Is it one from before seq, whole? */
static inline bool loss_is_past(const void *message, uint64_t seq, uint32_t size)
{
    uint64_t found = loss_seq(message);

    return found < seq && payload_check(message, found, size);
}

/* Does the other side know that it is over? Gives it time to. */
static inline bool loss_is_over(const struct run *run)
{
    static const struct timespec pause = {0, 1000000};

    if (shmring_load32_acquire(run->over) == 0)
        nanosleep(&pause, NULL);
    return shmring_load32_acquire(run->over) != 0;
}

#ifdef __cplusplus
}
#endif

#endif

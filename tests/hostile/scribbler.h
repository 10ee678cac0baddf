/* SPDX-License-Identifier: MIT */
/*
 * Who writes what it should not into a ring, as fast as it can: built without sanitizers and
 * optimized, whatever the rest of the test is. It writes
 *   anything       any 64 bits into any word
 *   what could be  a value that fits, or just does not, into a field that somebody looks at:
 *                  positions, record headers, slots, labels, hints, sessions, counts, bells
 *   to and fro     good ones and bad ones in turn, into what somebody is about to look at
 *   what was       parts, or all, of copies that it made before, the first of them at the start
 * and between that it wakes, and moves to other words, whoever sleeps on a word of the ring, in its
 * own memory and in what it can only read.
 */
#ifndef SHMRING_TESTS_SCRIBBLER_H
#define SHMRING_TESTS_SCRIBBLER_H

#include <shmring/shmring.h>

/* Shared by the processes of a test. */
struct scribbles {
    shmring_word64 stores;  /* all of them, */
    shmring_word64 control; /* and those into words that the library judges by */
    shmring_word64 futexes; /* calls of futex(2) */
    shmring_word64 holes;   /* that were made by others */
    shmring_word32 round;   /* of the test */
};

struct scribbler {
    uint8_t *base; /* what it may write: a ring, or its own lane */
    const shmring_geometry *geometry;
    const uint8_t *others; /* of a link: the other side's lane, to be read; else NULL */
    struct scribbles *scribbles;
    uint32_t round; /* it stops when this is over, also if it comes too late */
};

/* Until the round is over. */
void scribble(const struct scribbler *scribbler, uint64_t seed);

#endif

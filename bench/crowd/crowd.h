/* SPDX-License-Identifier: MIT */
/*
 * Workloads mpmc and solo: a crowd of producers and consumers on one channel, threads of one
 * process or processes of their own. Workloads fan-in and fan-out: many processes and one, with a
 * channel for each of the many, or one that the many share.
 *
 * Three parts of a sample share the memory described here: the members, who send and take
 * (workloads/crowd_loop.h, fan_loop.h); the host, a process that is made for this sample and makes
 * them (host.c), so that a member that hangs can be killed with it; and the conductor, the
 * benchmark itself, which starts and stops them, sleeps in between, and counts by its own clock
 * (conduct.c).
 */
#ifndef BENCH_CROWD_CROWD_H
#define BENCH_CROWD_CROWD_H

#include "clock.h"
#include "transport.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    CROWD_SIDE_MAX = 8, /* producers, and consumers */
    CROWD_MEMBERS_MAX = 2 * CROWD_SIDE_MAX,
    CROWD_NUMBER_BITS = 48, /* of a message's seq; above them: its producer */
    CROWD_STAMP_EVERY = 16, /* takes */
    CROWD_GAP_MIN_NS = 20000,
    CROWD_GAPS_MAX = 8192,
};

enum crowd_phase {
    CROWD_GATHER,
    CROWD_RUN,
    CROWD_STOP,
};

/* A time without a take, in stamps. */
struct crowd_gap {
    uint64_t begin, end;
};

/* What one consumer took of one producer. Squares tell twice 2 and none of 1 and 3 from all. */
struct crowd_origin {
    uint64_t next; /* one more than the last number */
    uint64_t count;
    uint64_t sum;
    uint64_t squares;
};

struct crowd_member {
    /* Written by the member; the conductor looks twice. */
    __attribute__((aligned(128))) shmring_word64 messages;
    shmring_word64 misses; /* tries that failed */

    /* Set before it starts. */
    __attribute__((aligned(128))) struct crowd *crowd;
    uint32_t idx; /* among those of its role */
    uint32_t size;
    uint32_t batch;
    enum role role;
    int cpu;
    bool oversubscribed;
    uint32_t first_side; /* fan: of the channels, its own */
    uint32_t side_count;
    bool fifo;
    bool (*holds)(const void *side);

    /* Its own, until it is gone. */
    struct crowd_origin from[CROWD_SIDE_MAX];
    struct usage usage; /* from the start to its end */
    uint64_t last;      /* stamp of the last take, or of one of the CROWD_STAMP_EVERY before */
    uint64_t gap_min;
    uint32_t gap_count;
    struct crowd_gap gaps[CROWD_GAPS_MAX];
};

struct crowd {
    __attribute__((aligned(128))) shmring_word32 phase; /* enum crowd_phase */
    __attribute__((aligned(128))) shmring_word32 ready;
    shmring_word32 producers_gone;
    shmring_word32 gone;
    __attribute__((aligned(128))) uint32_t producers;
    uint32_t consumers;
    uint64_t start; /* stamp of CROWD_RUN: who takes nothing has a gap from there */
    struct crowd_member members[CROWD_MEMBERS_MAX]; /* producers, then consumers */
};

/* The longest time, within that between two stamps, that lies in gaps of all consumers; and the
 * longest of a single one. Both in stamps; those shorter than the members noted are told as what
 * they noted at least. */
uint64_t crowd_common_gap(const struct crowd *crowd, uint64_t begin, uint64_t end);
uint64_t crowd_own_gap(const struct crowd *crowd, uint64_t begin, uint64_t end);

/* For the loops, out of line. */

/* Notes [last, now]. */
void crowd_note_gap(struct crowd_member *self, uint64_t now);

/* After CROWD_STOP: have all producers ended? */
bool crowd_may_leave(const struct crowd *crowd);

/* After that: waits until only this one is left, who then takes what is left. So those that hold
 * each other up need not empty the channel together. */
void crowd_await_last(const struct crowd_member *self);

/* And has he, has as much been taken as was sent? */
bool crowd_is_over(const struct crowd *crowd);

#ifdef __cplusplus
}
#endif

#endif

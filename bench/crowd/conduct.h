/* SPDX-License-Identifier: MIT */
/* What a sample of a crowd consists of, for those who take it. */
#ifndef BENCH_CROWD_CONDUCT_H
#define BENCH_CROWD_CONDUCT_H

#include "cases.h"
#include "crowd/crowd.h"

/* The one crowd of this process and its host, in memory that both share. */
extern struct crowd *the_crowd;

enum {
    CROWD_NAP_NS = 100000, /* between two looks at how far the others are */
};

/* Of solo too: one member, who has both roles. */
static inline uint32_t crowd_member_count(const struct crowd *crowd)
{
    return crowd->producers + crowd->consumers;
}

/* Reads which processors there are, of which one is used or all, and makes the shared memory.
 * Before the process is pinned. Returns 0 or -errno. */
int crowd_init(bool same_core);

/* Where the first consumer (of solo: the only member) will run. */
int crowd_host_cpu(const struct bench_case *bench_case);

/* In the benchmark, before the fork: sets the members up. */
void crowd_prepare(const struct bench_case *bench_case);

/* In the benchmark: one run of the crowd. Fails the sample if it comes out wrong. */
void crowd_conduct(const struct bench_case *bench_case, struct run *run,
                   struct crowd_figures *ret_figures);

/* In the host: makes the members and waits for their end. */
void crowd_host(const struct bench_case *bench_case, void *const *channels);

/* How many channels a fan has. */
uint32_t crowd_channels(const struct bench_case *bench_case);

/* Has each consumer, of a fan-out, or have all of them together, taken each message once? Fails the
 * sample if not. */
void crowd_check_books(const struct crowd *crowd, bool to_each);

#endif

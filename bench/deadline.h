/* SPDX-License-Identifier: MIT */
/*
 * How long a sample may take, by the time in which those who take part could run: that in which one
 * of them waited for a processor, since others had them all, does not count. So a busy machine is
 * no failure, and who hangs, asleep or spinning, is found out all the same.
 */
#ifndef BENCH_DEADLINE_H
#define BENCH_DEADLINE_H

#include "shmring/atomic.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DEADLINE_MEMBERS_MAX = 18, /* two sides and a crowd */
    DEADLINE_PATIENCE = 10,    /* times the allowance, however much of it was spent waiting */
};

/* Those who take part. In shared memory, zeroed before each sample. */
struct deadline_members {
    struct deadline_member {
        shmring_word32 tid; /* 0: none, or not yet */
        int64_t before_ns;  /* that it had waited when it joined */
    } of[DEADLINE_MEMBERS_MAX];
};

struct deadline {
    const struct deadline_members *members;
    int64_t begin_ns;
    int64_t allowed_ns;
    int64_t waited_ns; /* by begin */
};

/* The calling thread takes part from now on, in a place of its own. */
void deadline_join(struct deadline_members *members, uint32_t place);

struct deadline deadline_in(const struct deadline_members *members, int64_t ns);

/* May be called in a signal handler, as the next one. */
bool deadline_is_over(const struct deadline *deadline);

/* For how long one of them has waited for a processor since, as far as the kernel tells: a wait
 * that is not over yet does not count. */
int64_t deadline_waited_ns(const struct deadline *deadline);

#endif

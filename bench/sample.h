/* SPDX-License-Identifier: MIT */
/* One sample of one case: two processes, each on a processor of its own. */
#ifndef BENCH_SAMPLE_H
#define BENCH_SAMPLE_H

#include "cases.h"

struct sampler {
    int cpus[2]; /* of the parent (asks, produces) and the child */
    unsigned cpu_count;
    bool same_core; /* both on one processor, though there are more */
    struct place_limits limits;
    double seconds;

    uint64_t *ticks;            /* shared with the children */
    struct histogram *times;    /* of the last sample, if case_has_times() */
    struct crowd_figures crowd; /* of the last sample, if that was of a crowd */
};

enum sample_end {
    SAMPLE_DONE,
    SAMPLE_FAILED,      /* see the reason */
    SAMPLE_CORRUPT,     /* a message was not what was sent: see the reason */
    SAMPLE_INTERRUPTED, /* by SIGINT or SIGTERM */
};

struct sample {
    enum place place;
    uint32_t probe_ns[2];
    double value; /* as in struct result */
    struct cost cost;
    char reason[160];
};

/* Pins the process, takes over SIGINT, SIGTERM, SIGCHLD and SIGALRM. Returns 0 or -errno. */
int sampler_init(struct sampler *sampler);

void sampler_free(struct sampler *sampler);

enum sample_end sampler_take(struct sampler *sampler, const struct bench_case *bench_case,
                             struct sample *ret_sample);

/* Returns 0 or -errno. */
int sampler_pin(int cpu);

/* Lets the thread run on all processors that the benchmark may use. */
void sampler_unpin(void);

/* Has a signal asked us to stop? */
bool sampler_interrupted(void);

#endif

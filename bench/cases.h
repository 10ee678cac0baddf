/* SPDX-License-Identifier: MIT */
/* The cases: every transport, workload, size, policy and batch that goes together. */
#ifndef BENCH_CASES_H
#define BENCH_CASES_H

#include "histogram.h"
#include "probe.h"
#include "transport.h"

#include <stdio.h>

enum workload {
    WORKLOAD_STREAM,
    WORKLOAD_PINGPONG,
    WORKLOAD_FLOOR_1LINE,
    WORKLOAD_FLOOR_2LINES,
    WORKLOAD_FLOOR_MEMCPY,
};

/* What was measured of one case in one place. */
struct result {
    unsigned count;
    double *samples;         /* messages per second; median round trip in ns */
    struct histogram *times; /* of a dialogue, over all samples */
};

struct bench_case {
    char id[BENCH_ID_MAX];
    const struct transport *transport; /* NULL: a floor without one */
    enum workload workload;
    bool is_floor;
    bool is_quick;
    struct shape shape;
    struct result results[PLACE_COUNT];
};

/* A case that cannot be, and why. Cases with the same reason are one. */
struct skipped {
    char what[BENCH_ID_MAX];
    char reason[96];
};

struct cases {
    struct bench_case *list;
    size_t count;
    struct skipped *skipped;
    size_t skipped_count;
};

/* Returns 0 or -ENOMEM. */
int cases_make(struct cases *ret_cases);

/* Keeps those that match one of the patterns, or, if there is none, the quick ones or all. Returns
 * 0, or -ENOENT with the pattern that matches nothing. */
int cases_select(struct cases *cases, const char *const *patterns, size_t pattern_count, bool quick,
                 const char **ret_pattern);

/* On one processor: a spinner would only keep the other from running. */
void cases_keep_blocking(struct cases *cases);

void cases_free(struct cases *cases);

/* Adds a sample; for a dialogue with its times. Returns 0 or -ENOMEM. */
int case_add(struct bench_case *bench_case, enum place place, double value,
             const struct histogram *times);

bool case_is_dialogue(const struct bench_case *bench_case);
const char *case_transport(const struct bench_case *bench_case);
const char *case_workload(const struct bench_case *bench_case);
const char *policy_name(enum policy policy);
extern const uint32_t bench_sizes[BENCH_SIZES];

/* Of an odd or even number of values; sorts them. */
double median(double *values, size_t count);

/* "8 B", "64 KiB", "4 MiB". */
const char *size_text(uint32_t size, char *text, size_t text_size);

#endif

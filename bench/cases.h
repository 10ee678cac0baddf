/* SPDX-License-Identifier: MIT */
/* The cases: every transport, workload, size, policy and batch that goes together. */
#ifndef BENCH_CASES_H
#define BENCH_CASES_H

#include "histogram.h"
#include "loads.h"
#include "probe.h"
#include "transport.h"

#include <stdio.h>

enum workload {
    WORKLOAD_STREAM,
    WORKLOAD_PINGPONG,
    WORKLOAD_OPEN,
    WORKLOAD_BURST,
    WORKLOAD_FLOOR_1LINE,
    WORKLOAD_FLOOR_2LINES,
    WORKLOAD_FLOOR_MEMCPY,
    WORKLOAD_MPMC,
    WORKLOAD_SOLO,
    WORKLOAD_FAN_IN,
    WORKLOAD_FAN_OUT,
};

/* What else is known of one sample of a crowd. README.md says how each is defined. */
struct crowd_figures {
    double rate;            /* messages per second */
    double gap_ns;          /* longest time without a take by anybody */
    double own_gap_ns;      /* longest time without a take by one consumer */
    double fairness[2];     /* least share over mean share, by enum role */
    double failed_tries[2]; /* share of all tries, by enum role */
};

/* What one sample cost all who took part: per message, of a dialogue per round trip. */
struct cost {
    double cpu_ns;   /* time of processors */
    double switches; /* context switches, wanted or not */
    struct counts counts;
    double lost; /* share of what was sent, of a dialogue of all questions */
};

/* What was measured of one case in one place. */
struct result {
    unsigned count;
    double *samples;             /* messages per second; median round trip, latency or cost, ns */
    struct histogram *times;     /* if case_has_times(), over all samples */
    struct crowd_figures *crowd; /* if case_has_members(), one per sample */
    struct cost *costs;          /* one per sample */
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
int cases_make(const struct loads *loads, struct cases *ret_cases);

/* Keeps those that match one of the patterns, or, if there is none, the quick ones or all. Returns
 * 0, or -ENOENT with the pattern that matches nothing. */
int cases_select(struct cases *cases, const char *const *patterns, size_t pattern_count, bool quick,
                 const char **ret_pattern);

/* On one processor: a spinner would only keep the other from running. */
void cases_keep_blocking(struct cases *cases);

/* For those who add cases: one more, and one that cannot be. */
struct bench_case *cases_add(struct cases *cases, struct bench_case added);
void cases_add_shape(struct cases *cases, const struct transport *transport, enum workload workload,
                     const struct shape *shape);
void cases_skip(struct cases *cases, const char *what, const char *reason);

/* Floors: those without a transport, and those of one. */
void cases_add_floors(struct cases *cases);
void cases_add_floor(struct cases *cases, const struct transport *transport);

/* The cases of a transport whose messages come at set times, and how their ids name that. */
void cases_add_loads(struct cases *cases, const struct transport *transport, enum policy policy,
                     const struct loads *loads);
bool load_is_quick(const struct bench_case *bench_case);
const char *load_text(const struct bench_case *bench_case, char *text, size_t text_size);

/* The cases of a transport for many, and its name for a workload with so many. */
void cases_add_crowd(struct cases *cases, const struct transport *transport);
const char *crowd_workload(const struct shape *shape);
extern const uint32_t crowd_sizes[3]; /* ends with 0 */
extern const uint32_t crowd_sides[5]; /* producers, and consumers; ends with 0 */

/* Those of many and one. */
void cases_add_fans(struct cases *cases, const struct transport *transport, enum policy policy);
bool fan_is_quick(const struct bench_case *bench_case);
uint32_t fan_many(const struct shape *shape);
extern const uint32_t fan_sizes[3]; /* ends with 0 */

void cases_free(struct cases *cases);

/* What one sample gave. */
struct measured {
    double value;                      /* as in struct result */
    const struct histogram *times;     /* if case_has_times(), else NULL */
    const struct crowd_figures *crowd; /* if case_has_members(), else NULL */
    struct cost cost;
};

/* Returns 0 or -ENOMEM. */
int case_add(struct bench_case *bench_case, enum place place, const struct measured *measured);

bool case_is_dialogue(const struct bench_case *bench_case);
bool case_is_timed(const struct bench_case *bench_case);  /* messages at set times */
bool case_has_times(const struct bench_case *bench_case); /* its results are times */
bool case_is_crowd(const struct bench_case *bench_case);
bool case_is_fan(const struct bench_case *bench_case);
bool case_has_members(const struct bench_case *bench_case); /* a crowd, but for solo */
const char *case_transport(const struct bench_case *bench_case);
const char *case_workload(const struct bench_case *bench_case);
const char *policy_name(enum policy policy);
extern const uint32_t bench_sizes[BENCH_SIZES];

/* Of an odd or even number of values; sorts them. */
double median(double *values, size_t count);

/* "8 B", "64 KiB", "4 MiB". */
const char *size_text(uint32_t size, char *text, size_t text_size);

#endif

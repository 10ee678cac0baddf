/* SPDX-License-Identifier: MIT */
/* What the processor and the kernel count of a thread: perf_event_open(2), where it can be had. */
#ifndef BENCH_COUNTERS_H
#define BENCH_COUNTERS_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum counter {
    COUNTER_CYCLES,
    COUNTER_INSTRUCTIONS,
    COUNTER_CACHE_MISSES,
    COUNTER_PAGE_FAULTS, /* counted by the kernel: there also where the processor counts nothing */
    COUNTER_COUNT,
};

struct counts {
    double of[COUNTER_COUNT]; /* 0 if it cannot be had */
};

/* Finds out what can be had; once, before any thread counts. */
void counters_init(void);

/* Of the calling thread since its first call, of no other one that it made. A counter that has to
 * share its register is scaled up, as perf stat does. */
struct counts counters_now(void);

const char *counter_name(enum counter counter);

/* NULL: it is counted. Else why not. */
const char *counter_missing(enum counter counter);

/* Else only what the threads do outside the kernel. */
bool counters_see_kernel(void);

#ifdef __cplusplus
}
#endif

#endif

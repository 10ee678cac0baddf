/* SPDX-License-Identifier: MIT */
/* Two clocks: nanoseconds of CLOCK_MONOTONIC, and stamps, which are cheaper where the processor
 * counts cycles for us. Both are the same for all processes of the machine. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include "shmring/wait.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Nanoseconds per stamp: measured once, at the start. */
extern double stamp_ns;

void stamp_calibrate(void);

/* That long at least: a signal does not shorten it. */
void clock_sleep(int64_t ns);

static inline uint64_t stamp(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return (uint64_t)shmring_clock();
#endif
}

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Deadlines: absolute, in nanoseconds of CLOCK_MONOTONIC. Negative ones have passed.
 */
#ifndef SHMRING_CLOCK_H
#define SHMRING_CLOCK_H

#include <stdint.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

#define SHMRING_NOW INT64_C(0) /* do not wait */
#define SHMRING_NEVER INT64_MAX /* wait for as long as it takes */

/* Now, and now + ns (SHMRING_NEVER if that overflows): for making deadlines. Async-signal-safe. */
int64_t shmring_clock(void);
int64_t shmring_deadline(int64_t ns);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: MIT */
/* How often messages are due, where that is set beforehand (workloads/timed_loop.h). */
#ifndef BENCH_LOADS_H
#define BENCH_LOADS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LOADS_MAX = 8,
    RATE_MAX = 100000000,
};

struct loads {
    uint32_t rates[LOADS_MAX + 1]; /* open: messages per second; ends with 0 */
};

extern const struct loads LOADS_DEFAULT;

/* "1000" or "1000,50000", 1 to RATE_MAX each, LOADS_MAX at most. False: it is not such a text. */
bool loads_read_rates(const char *text, struct loads *loads);

#endif

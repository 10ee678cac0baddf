/* SPDX-License-Identifier: MIT */
/* How often messages are due, where that is set beforehand (workloads/timed_loop.h). */
#ifndef BENCH_LOADS_H
#define BENCH_LOADS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LOADS_MAX = 8,
    RATE_MAX = 100000000,
    BURST_MAX = 65536,
    EVERY_MAX_US = 1000000,
};

struct burst {
    uint32_t count, every_us;
};

struct loads {
    uint32_t rates[LOADS_MAX + 1];      /* open: messages per second; ends with 0 */
    struct burst bursts[LOADS_MAX + 1]; /* ends with a count of 0 */
};

extern const struct loads LOADS_DEFAULT;

/* "1000" or "1000,50000", 1 to RATE_MAX each, LOADS_MAX at most. False: it is not such a text. */
bool loads_read_rates(const char *text, struct loads *loads);

/* "16,1000" or "16,1000,256,500": so many messages, every so many us; LOADS_MAX times at most. */
bool loads_read_bursts(const char *text, struct loads *loads);

#endif

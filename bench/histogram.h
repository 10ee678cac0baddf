/* SPDX-License-Identifier: MIT */
/* Counts of times in nanoseconds: exact below 1024, within 0.2 % above. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_EXACT = 1024,
    HISTOGRAM_STEPS = 512, /* in each doubling above that */
    HISTOGRAM_DOUBLINGS = 30,
    HISTOGRAM_BUCKETS = HISTOGRAM_EXACT + HISTOGRAM_DOUBLINGS * HISTOGRAM_STEPS,
};

struct histogram {
    uint64_t total;
    uint64_t max;
    uint64_t counts[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t ns);
void histogram_merge(struct histogram *to, const struct histogram *from);

/* The smallest time that at least this share (0 to 1) of all reaches not beyond; 0 if empty. */
uint64_t histogram_quantile(const struct histogram *histogram, double share);

#endif

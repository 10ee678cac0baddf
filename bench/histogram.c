/* SPDX-License-Identifier: MIT */
#include "histogram.h"

#include <math.h>

static size_t bucket_of(uint64_t ns)
{
    if (ns < HISTOGRAM_EXACT)
        return (size_t)ns;
    unsigned doubling = 63U - (unsigned)__builtin_clzll(ns) - 10; /* 1024 to 2047: 0 */

    if (doubling >= HISTOGRAM_DOUBLINGS)
        return HISTOGRAM_BUCKETS - 1;
    size_t step = (size_t)(ns >> (doubling + 1)) - HISTOGRAM_STEPS;

    return HISTOGRAM_EXACT + doubling * HISTOGRAM_STEPS + step;
}

/* The middle of the bucket. */
static uint64_t time_of(size_t bucket)
{
    if (bucket < HISTOGRAM_EXACT)
        return bucket;
    size_t doubling = (bucket - HISTOGRAM_EXACT) / HISTOGRAM_STEPS;
    size_t step = (bucket - HISTOGRAM_EXACT) % HISTOGRAM_STEPS;

    return ((uint64_t)(HISTOGRAM_STEPS + step) << (doubling + 1)) + (UINT64_C(1) << doubling);
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
    histogram->counts[bucket_of(ns)]++;
    histogram->total++;
    if (ns > histogram->max)
        histogram->max = ns;
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        to->counts[i] += from->counts[i];
    to->total += from->total;
    if (from->max > to->max)
        to->max = from->max;
}

uint64_t histogram_quantile(const struct histogram *histogram, double share)
{
    uint64_t want = (uint64_t)ceil(share * (double)histogram->total), count = 0;

    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        count += histogram->counts[i];
        if (count != 0 && count >= want)
            return time_of(i) < histogram->max ? time_of(i) : histogram->max;
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Which of two samples has the larger values? Rank tests: they ask nothing of the distribution. */
#ifndef BENCH_COMPARE_RANK_H
#define BENCH_COMPARE_RANK_H

#include <stddef.h>

/* The chance that a difference like this one, or a larger one, comes about where there is none:
 * Mann-Whitney, two-sided. Exact up to 100 values together, also with ties; beyond that by the
 * normal distribution, with corrections for ties and continuity. Returns below 0 if there is no
 * memory. */
double rank_test(const double *a, size_t a_count, const double *b, size_t b_count);

/* The least that rank_test() can return for so many. */
double rank_test_least(size_t a_count, size_t b_count);

/* Among many tests one of twenty shows a difference by mere chance. Makes chances larger, in place,
 * so that not one of all does so, but for one run of twenty: Holm. Returns 0 or -ENOMEM. */
int rank_correct(double *chances, size_t count);

#endif

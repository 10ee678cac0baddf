/* SPDX-License-Identifier: MIT */
/* How well is a median known? */
#ifndef BENCH_REPORT_INTERVAL_H
#define BENCH_REPORT_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>

/* The interval that has the median of what was sampled in it with 95 % at least, whatever the
 * distribution: two of the values, by order. false: fewer than 6 values cannot tell. */
bool median_interval(const double *sorted, size_t count, double *ret_low, double *ret_high);

#endif

/* SPDX-License-Identifier: MIT */
/* Figures as the tables have them. */
#ifndef BENCH_REPORT_FIGURES_H
#define BENCH_REPORT_FIGURES_H

#include "cases.h"

/* Three digits that count. */
const char *three_digits(double value, char *text, size_t text_size);

/* Nanoseconds; from 10 us on in us, from 1 ms on in ms. */
const char *time_text(double ns, char *text, size_t text_size);

/* The median of the samples; 0 if there is none. */
double figure_middle(const struct result *result);

/* "2.35 0.001": medians of what the samples cost, nanoseconds and switches. */
const char *cost_text(const struct result *result, char *text, size_t text_size);

/* The class that has most samples, of counts[PLACE_COUNT]; PLACE_MIXED if no table can be made. */
enum place figure_place(const unsigned *counts);

#endif

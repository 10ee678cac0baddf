/* SPDX-License-Identifier: MIT */
/* Parts of the document; NULL if there is no memory. */
#ifndef BENCH_REPORT_JSON_PARTS_H
#define BENCH_REPORT_JSON_PARTS_H

#include "cases.h"
#include "doctor/doctor.h"

#include <jansson.h>

/* Percentiles, and the spectrum that charts are drawn from; of: what they are of. */
void json_add_times(json_t *json, const struct histogram *times, const char *of);

/* [low, high], or null if there are too few. */
json_t *json_interval(const double *sorted, size_t count);

/* What the doctor found, by check. */
json_t *json_environment(const struct finding *findings);

/* Which counters there are, and why not. */
json_t *json_counters(void);

/* Per message and sample: {"cycles": [..] or null, ..}. */
json_t *json_counts(const struct result *result);

#endif

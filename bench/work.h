/* SPDX-License-Identifier: MIT */
/* What the two processes of a sample do, by workload. */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include "cases.h"
#include "floors/floors.h"

/* sides: the channel from parent to child, and the one back; NULL where there is none. */

/* role: in the first; the other one in the second. Both fail the sample if they cannot. */
void work_attach_side(const struct bench_case *bench_case, void *side, enum role role);
void work_attach(const struct bench_case *bench_case, void *const *sides, enum role role);

void work_parent(const struct bench_case *bench_case, void *const *sides, struct floor_line *lines,
                 struct run *run, struct crowd_figures *ret_figures);
void work_child(const struct bench_case *bench_case, void *const *sides, struct floor_line *lines,
                struct run *run);

#endif

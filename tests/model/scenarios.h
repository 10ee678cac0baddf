/* SPDX-License-Identifier: MIT */
#ifndef SHMRING_TESTS_MODEL_SCENARIOS_H
#define SHMRING_TESTS_MODEL_SCENARIOS_H

#include "explore.h"

/* Of a program, finished is ring_finish() if it is not set, and the other calls are set by main. */
struct scenario {
    const char *name;
    explore_program program;
};

/* Each list ends with a name of NULL. */
extern const struct scenario scenarios_order[];
extern const struct scenario scenarios_held[];
extern const struct scenario scenarios_death[];
extern const struct scenario scenarios_hostile[];

/* Seats so many producers, and after them so many consumers. */
void scenario_join(int producers, int consumers, bool bet);

#endif

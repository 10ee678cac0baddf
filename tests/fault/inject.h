/* SPDX-License-Identifier: MIT */
/* Calls of the library that fail as planned. The wrappers that the linker puts in their place end
 * up here (--wrap; CMakeLists.txt writes them). */
#ifndef SHMRING_TESTS_FAULT_INJECT_H
#define SHMRING_TESTS_FAULT_INJECT_H

#include "calls.h"

#include <stdbool.h>

enum {
    FAULT_TRACE_MAX = 1024,
    FAULT_PLANNED = 2, /* at most */
    FAULT_BURST = 3,
};

/* The n-th call since arming, from 1, fails. */
typedef struct fault {
    int n, error; /* n 0: none */
    bool from_on; /* and so do all later calls that can fail like that */
} fault;

/* A call that was made while armed. */
typedef struct fault_trace {
    const fault_call *call;
    const char *site; /* where it returns to, from the beginning of the executable */
} fault_trace;

void fault_plan(const fault faults[FAULT_PLANNED]);

/* The library's calls of this thread count, from here to there. Counting goes on when armed anew;
 * fault_plan() begins anew. */
void fault_arm(void);
void fault_disarm(void);

/* Since fault_plan(): the calls, how many were made to fail, and whether one of these was to take
 * away what has a name. */
const fault_trace *fault_traced(int *ret_count);
int fault_injected(void);
int fault_injected_at_once(void); /* the most while it was armed */
bool fault_undoing_failed(void);

/* System V sets that were made by the library and are there still. */
int fault_sets(void);
void fault_sets_remove(void);

typedef long fault_function(long, long, long, long, long, long, long);
long fault_enter(const char *name, fault_function *real, void *return_address,
                 const long arguments[FAULT_ARGUMENTS]);

#endif

/* SPDX-License-Identifier: MIT */
/* What the library calls, and how each call may fail. */
#ifndef SHMRING_TESTS_FAULT_CALLS_H
#define SHMRING_TESTS_FAULT_CALLS_H

#include <stddef.h>

enum {
    FAULT_ERRORS_MAX = 16,
    FAULT_ARGUMENTS = 7,
    FAULT_SHORT = -1, /* in place of an errno: half of it is done, and said so */
};

/* A function, or one command of a function that has many: which argument says it, and how. */
typedef struct fault_call {
    const char *name;
    int errors[FAULT_ERRORS_MAX]; /* until 0; none: it cannot fail here */
    struct {
        int argument;
        long mask, value; /* no mask: all calls of the function, but for those in rows before */
    } when;
    const char *under; /* of a call with a path: one that begins like that */
    int size_argument; /* what FAULT_SHORT halves */
    int is_done;       /* it has done its work when it says that it failed */
    int undoes;    /* when it fails, something with a name may stay; 2: if others failed before */
    int leaves[8]; /* likewise with these errors: they say that it is not there, or not ours */
    int returns_null; /* NULL is its error, not -1 */
} fault_call;

/* The row of a call. NULL: no row for that function. */
const fault_call *fault_call_find(const char *name, const long *arguments);

#endif

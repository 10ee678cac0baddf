/* SPDX-License-Identifier: MIT */
/* One thing that a program does with the library, to be done with every call failing in turn. */
#ifndef SHMRING_TESTS_FAULT_SCENARIO_H
#define SHMRING_TESTS_FAULT_SCENARIO_H

#include "../backends.h"
#include "inject.h"
#include "leaks.h"

#include <stdbool.h>
#include <stddef.h>

struct scenario {
    const char *name;
    /* Arms around the calls in question; 0 or -errno. */
    int (*act)(const struct scenario *scenario);
    void (*prepare)(const struct scenario *scenario); /* may be NULL */
    /* Undoes both, however act ended, and checks what must hold after it. May be NULL. */
    void (*clean)(const struct scenario *scenario);
    const int *errors; /* that its documentation lists, until 0 */
    enum shmring_backend backend;
    bool is_queue;
    int variant;
    bool keeps; /* a call that fails may leave what it had; else nothing new may be there */
};

/* Each call x each errno, once and from then on. */
void scenario_try(const struct scenario *scenario);

/* Says what is wrong in this run. */
void scenario_failed(const char *what);

/* An output that a call must leave alone if it fails. */
void scenario_mark(void *output, size_t size);
void scenario_check_marked(const void *output, size_t size);

/* The groups. */
void scenarios_segment(void), scenarios_ring(void), scenarios_open(void), scenarios_wait(void);
void scenarios_link(void);

/* Prints the counts, and the sites if that is asked for. Did all hold? */
bool scenario_report(const char *group, bool sites);

#endif

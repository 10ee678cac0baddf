/* SPDX-License-Identifier: MIT */
/* What is told at the end: a table for people, JSON for programs. */
#ifndef BENCH_REPORT_REPORT_H
#define BENCH_REPORT_REPORT_H

#include "cases.h"
#include "doctor/doctor.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

struct host {
    char cpu[96];
    char kernel[96];
    char governor[32]; /* empty: none to be seen */
    char clocksource[32];
    char thp[64];
    char compiler[64];
    bool hypervisor;
    bool optimized; /* this program, by the compiler */
    bool sanitized;
    unsigned cpus;                       /* that this process may use */
    double load;                         /* one minute, before the first sample */
    struct finding findings[CHECKS_MAX]; /* of the doctor, one for each check */
};

struct failure {
    char id[BENCH_ID_MAX];
    char reason[160];
    bool corrupt;
};

enum {
    WARNINGS_MAX = 10,
    FAILURES_MAX = 64,
};

struct report {
    const struct cases *cases;
    struct host host;
    struct place_limits limits;
    int cpus[2];
    double seconds;
    unsigned repeat;
    bool quick;
    bool same_core; /* by --same-core */
    const struct loads *loads;
    const char *const *patterns; /* of --only */
    size_t pattern_count;
    time_t started;
    double took_s;
    bool interrupted;
    unsigned places[PLACE_COUNT]; /* samples in each */
    struct failure failures[FAILURES_MAX];
    size_t failure_count; /* may be more than are kept */
    char warnings[WARNINGS_MAX][120];
    size_t warning_count;
};

void host_read(struct host *ret_host);

/* What the reader must know before he believes the figures. */
void report_warn(struct report *report);

void report_table(const struct report *report, FILE *file);

/* The part of it that is about messages at set times. */
void report_timed(const struct report *report, FILE *file);

/* The part of it that is about crowds: workloads mpmc, solo, fan-in and fan-out. */
void report_crowd(const struct report *report, FILE *file);

/* path: "-" for stdout. Returns 0 or -errno. */
int report_json(const struct report *report, const char *path);

#endif

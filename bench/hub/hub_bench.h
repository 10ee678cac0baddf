/* SPDX-License-Identifier: MIT */
/* What the cases of shmring-bench-hub share: two processes, each on a processor of its own, and
 * where these lie before and after a sample. */
#ifndef BENCH_HUB_BENCH_H
#define BENCH_HUB_BENCH_H

#include "bench.h"
#include "clock.h"
#include "payload.h"
#include "probe.h"

#include <shmring/hub.h>
#include <stdio.h>
#include <sys/types.h>

enum {
    HUB_BENCH_SIZE = 64, /* of a message, bytes */
    HUB_BENCH_SAMPLES_MAX = 1024,
};

/* In memory that both processes share. */
struct stage {
    struct probe probes[2];
    shmring_word32 ready; /* the other side has come */
    shmring_word32 stop;  /* it shall end */
    shmring_word64 made;  /* joins, by who comes and goes */
};

struct hub_bench {
    struct stage *stage;
    char path[96]; /* of the socket */
    int cpus[2];   /* of who receives, of who sends */
    unsigned samples;
    unsigned links;
};

/* The figures of a case by place, in the order of sampling. */
struct figure {
    const char *name, *unit;
    double values[PLACE_COUNT][HUB_BENCH_SAMPLES_MAX];
    unsigned counts[PLACE_COUNT];
};

_Noreturn void bench_fail(const char *what, int error);
void bench_check(const char *what, int error);
void bench_pin(int cpu);

/* Forks, pins the child to the second processor, and runs the work there: probe, work, probe. */
pid_t bench_start(struct hub_bench *bench, void (*work)(struct hub_bench *bench, void *argument),
                  void *argument);
/* The other end of the probes: before the sample, and after it, when it ends the child. */
uint32_t bench_probe(struct hub_bench *bench);
enum place bench_end(struct hub_bench *bench, pid_t child, uint32_t before_ns);
bool bench_is_stopped(const struct hub_bench *bench);

/* What the kernel says of a thread: how long it had a processor, and waited for one that another
 * program had, ns. From its file schedstat in /proc; reading that takes some microseconds. */
struct running {
    long long ran, waited;
};
#define BENCH_SELF "/proc/thread-self/schedstat"
struct running bench_running(const char *path);

double bench_median(double *values, size_t count);
void figure_add(struct figure *figure, enum place place, double value);
void figure_print(const struct figure *figures, size_t count);

shmring_hub *bench_open_hub(struct hub_bench *bench, shmring_hub_options options);

void bench_idle(struct hub_bench *bench);
void bench_merge(struct hub_bench *bench);
void bench_churn(struct hub_bench *bench);
void bench_setup(struct hub_bench *bench);

#endif

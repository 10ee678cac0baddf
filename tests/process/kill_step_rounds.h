/* SPDX-License-Identifier: MIT */
/* The rounds of kill_step and kill_pairs: all operations in all states of rings of all sizes, by
 * processes that share the cases, and the sums. */
#ifndef SHMRING_TESTS_KILL_STEP_ROUNDS_H
#define SHMRING_TESTS_KILL_STEP_ROUNDS_H

#include "kill_step_trace.h"

#include <sched.h>

enum {
    WORKERS = 2, /* processes that share the cases, each on a processor of its own */
    RINGS = 6,   /* sizes times options: all in as many rounds */
    VICTIMS = 2, /* at once, at most */
#ifdef __OPTIMIZE__
    ONE_OF = 1,
#else
    ONE_OF = 3, /* cases, without --scale: here there are three times as many boundaries */
#endif
};

struct count {
    unsigned long kills, stops, cases, steps, drifted;
};

/* One operation in one state of the ring. */
typedef void case_of(enum operation operation, enum state state, uint64_t random,
                     struct count *count);

static bool is_thorough; /* --scale was given */

static void one_round(uint64_t seed, unsigned round, unsigned worker, struct count *counts,
                      case_of *try)
{
    shmring_segment segments[RINGS];
    shmring_geometry geometries[RINGS];

    for (unsigned i = 0; i < RINGS; i++) {
        CHECK_EQ(shmring_layout_plan(SHMRING_KIND_MPMC, SMALL_MAX, UINT64_C(2) << i / 2,
                                     &geometries[i]), 0);
        CHECK(geometries[i].slot_stride <= STRIDE_MAX);
        geometries[i].options = i % 2 != 0 ? SHMRING_OPTION_REDELIVER : 0;
        CHECK_EQ(shmring_segment_create(&segments[i], NULL, &geometries[i], NULL), 0);
    }
    for (unsigned i = worker; i < OPERATIONS * STATES; i += WORKERS) {
        uint64_t mixed = message_hash(seed + i), random = seed + round * 1000 + i;
        unsigned which = (unsigned)((mixed + round) % RINGS);

        if (!is_thorough && (seed + i / WORKERS) % ONE_OF != 0)
            continue;
        if (i % STATES == ORPHAN)
            which |= 1;
        segment = segments[which];
        geometry = geometries[which];
        try(i / STATES, i % STATES, test_random(&random), &counts[i / STATES]);
    }
    for (unsigned i = 0; i < RINGS; i++)
        shmring_segment_close(&segments[i]);
}

/* Two processes that take turns are faster on one processor. */
static void stay_on_one_processor(unsigned worker)
{
    cpu_set_t all, one;
    size_t at = 0;

    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    for (unsigned left = worker % (unsigned)CPU_COUNT(&all) + 1; at < CPU_SETSIZE; at++)
        if (CPU_ISSET(at, &all) && --left == 0)
            break;
    CPU_ZERO(&one);
    CPU_SET(at, &one);
    sched_setaffinity(0, sizeof one, &one);
}

static _Noreturn void work(uint64_t seed, unsigned rounds, unsigned worker, struct count *counts,
                           case_of *try)
{
    victim_places = mmap(NULL, VICTIMS * sizeof *victim_places, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(victim_places != MAP_FAILED);
    victim = victim_places;
    stay_on_one_processor(worker);
    for (unsigned round = 0; round < rounds; round++)
        one_round(seed, round, worker, counts, try);
    counts[0].steps = steps_made;
    counts[0].drifted = drifted;
    fflush(NULL);
    _exit(0);
}

static void report(struct count (*counts)[OPERATIONS])
{
    struct count sum = {0};

    for (unsigned operation = 0; operation < OPERATIONS; operation++) {
        struct count before = sum;

        for (unsigned i = 0; i < WORKERS; i++) {
            sum.kills += counts[i][operation].kills;
            sum.stops += counts[i][operation].stops;
            sum.cases += counts[i][operation].cases;
            sum.steps += counts[i][operation].steps;
            sum.drifted += counts[i][operation].drifted;
        }
        if (is_thorough)
            printf("%-22s %8lu kills in %3lu cases\n", operation_names[operation],
                   sum.kills - before.kills, sum.cases - before.cases);
    }
    printf("%lu kills, %lu stops, in %lu cases; %lu steps; %lu were elsewhere than planned\n",
           sum.kills, sum.stops, sum.cases, sum.steps, sum.drifted);
    CHECK(sum.kills > 1000);
}

/* NAME [SEED] [--scale ROUNDS], by default one round. */
static int run_rounds(int argc, char **argv, case_of *try)
{
    is_thorough = argc > 2 && strcmp(argv[argc - 2], "--scale") == 0;
    unsigned rounds = is_thorough ? (unsigned)atoi(argv[argc - 1]) : 1;
    uint64_t seed = test_seed(is_thorough ? argc - 2 : argc, argv);
    struct count(*counts)[OPERATIONS] = mmap(NULL, WORKERS * sizeof *counts,
                                             PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                                             -1, 0);
    pid_t workers[WORKERS];

    CHECK(counts != MAP_FAILED);
    for (unsigned i = 0; i < WORKERS; i++)
        if ((workers[i] = check_fork()) == 0)
            work(seed, rounds, i, counts[i], try);
    for (unsigned i = 0; i < WORKERS; i++) {
        int status = check_wait(workers[i]);

        if (status != 0)
            return status < 0 ? 1 : status;
    }
    report(counts);
    return 0;
}

#endif

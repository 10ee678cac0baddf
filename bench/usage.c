/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <sys/resource.h>
#include <time.h>

static bool of_process;

void usage_of_process(void)
{
    of_process = true;
}

/* Time by the clock of the thread: that of getrusage() is as old as the last tick. */
struct usage usage_now(void)
{
    struct counts counts = counters_now();
    struct timespec time = {0};
    struct rusage rusage = {0};

    clock_gettime(of_process ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_THREAD_CPUTIME_ID, &time);
    getrusage(of_process ? RUSAGE_SELF : RUSAGE_THREAD, &rusage);
    return (struct usage){.cpu_ns = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec,
                          .switches = rusage.ru_nvcsw + rusage.ru_nivcsw,
                          .counts = counts};
}

struct usage usage_since(const struct usage *begin)
{
    struct usage now = usage_now();

    now.cpu_ns -= begin->cpu_ns;
    now.switches -= begin->switches;
    for (enum counter counter = 0; counter < COUNTER_COUNT; counter++)
        now.counts.of[counter] -= begin->counts.of[counter];
    return now;
}

void usage_add(struct usage *to, const struct usage *added)
{
    to->cpu_ns += added->cpu_ns;
    to->switches += added->switches;
    for (enum counter counter = 0; counter < COUNTER_COUNT; counter++)
        to->counts.of[counter] += added->counts.of[counter];
}

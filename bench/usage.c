/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <sys/resource.h>
#include <time.h>

/* Time by the clock of the thread: that of getrusage() is as old as the last tick. */
struct usage usage_now(void)
{
    struct timespec time = {0};
    struct rusage rusage = {0};

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    getrusage(RUSAGE_THREAD, &rusage);
    return (struct usage){.cpu_ns = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec,
                          .switches = rusage.ru_nvcsw + rusage.ru_nivcsw};
}

struct usage usage_since(const struct usage *begin)
{
    struct usage now = usage_now();

    return (struct usage){.cpu_ns = now.cpu_ns - begin->cpu_ns,
                          .switches = now.switches - begin->switches};
}

/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <time.h>

double stamp_ns = 1;

void stamp_calibrate(void)
{
#if defined(__x86_64__)
    int64_t begin_ns = shmring_clock(), now_ns;
    uint64_t begin = stamp();

    do
        now_ns = shmring_clock();
    while (now_ns < begin_ns + 20000000);
    stamp_ns = (double)(now_ns - begin_ns) / (double)(stamp() - begin);
#endif
}

void clock_sleep(int64_t ns)
{
    struct timespec left = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

    while (nanosleep(&left, &left) != 0)
        continue;
}

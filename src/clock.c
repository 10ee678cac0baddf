/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* clock_gettime */
#include "shmring/clock.h"

#include <time.h>

static const int64_t NS_PER_S = 1000000000;

int64_t shmring_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t shmring_deadline(int64_t ns)
{
    int64_t now = shmring_clock();

    return ns > SHMRING_NEVER - now ? SHMRING_NEVER : now + ns;
}

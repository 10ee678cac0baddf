/* SPDX-License-Identifier: MIT */
/* What a test of this directory has at its beginning and says at its end. */
#ifndef SHMRING_TESTS_SUMMARY_H
#define SHMRING_TESTS_SUMMARY_H

#include "calls.h"
#include "scribbler.h"

#include <sys/mman.h>

static struct scribbles *scribbles;

static inline void summary_begin(void)
{
    scribbles =
        mmap(NULL, sizeof *scribbles, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(scribbles != MAP_FAILED);
}

static inline void summary_end(void)
{
    /* relaxed: those who counted are no more. */
    unsigned long long stores = shmring_load64_relaxed(&scribbles->stores);
    unsigned long long control = shmring_load64_relaxed(&scribbles->control);
    unsigned long long futexes = shmring_load64_relaxed(&scribbles->futexes);

    printf("%llu hostile stores, %llu of them into what is judged by, %llu futex calls\n", stores,
           control, futexes);
    calls_report();
}

#endif

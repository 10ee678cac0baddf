/* SPDX-License-Identifier: MIT */
/* What stands before the library's text in a model: GenMC brings headers of its own, which lack
 * some, and cannot call the system. */
#ifndef SHMRING_TESTS_MODEL_GENMC_BEGIN_H
#define SHMRING_TESTS_MODEL_GENMC_BEGIN_H

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

typedef unsigned long dev_t;
typedef unsigned long ino_t;

#ifndef EOWNERDEAD
#define EOWNERDEAD 130
#endif

/* no fence and no pause in assembler */
#undef __x86_64__

#ifndef OPEN_MAX
#define OPEN_MAX 32 /* positions that a consumer notes, or fewer */
#endif

/* one file, so nothing is defined elsewhere */
#define inline static inline

static int model_clock(int id, struct timespec *now)
{
    (void)id;
    now->tv_sec = 1;
    now->tv_nsec = 0;
    return 0;
}
#define clock_gettime model_clock

static void model_prefetch(const void *place, int to_write)
{
    (void)place;
    (void)to_write;
}
#define __builtin_prefetch model_prefetch

#endif

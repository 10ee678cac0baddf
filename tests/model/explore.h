/* SPDX-License-Identifier: MIT */
/*
 * Runs a few threads of one program in every order of their steps, at sequential consistency.
 *
 * A step is what a thread does from one explore_point() to the next: one verb on shared memory. The
 * explorer goes depth first, and leaves out what it has seen: a state is the content of the memory
 * given to explore_keep(), and for each thread a hash of where it stands and what it has seen since
 * its last explore_forget(). (64 bits: that two different ones of 10^7 states meet by chance has a
 * probability of 10^-5.)
 *
 * The threads are coroutines; going back is done by copying their stacks and that memory. So
 * whatever a thread writes must be on its stack or kept.
 */
#ifndef SHMRING_TESTS_MODEL_EXPLORE_H
#define SHMRING_TESTS_MODEL_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EXPLORE_THREADS = 4,
    EXPLORE_NOBODY = -1,
    /* Of one thread from one explore_forget() to the next; more: failed. */
    EXPLORE_STEPS_MAX = 4000,
};

enum explore_kind {
    EXPLORE_SHARED,  /* threads meet there */
    EXPLORE_COUNTED, /* part of the state, but a verb on it is no step: nobody acts on it */
    EXPLORE_PRIVATE, /* makes no difference, or follows from the rest; a verb on it is no step */
};

typedef struct explore_program {
    void (*setup)(void); /* before all threads, alone: not explored; calls explore_keep() */
    void (*threads[EXPLORE_THREADS])(int me);
    uint32_t mortal; /* bit t: thread t may die at each of its steps */
    uint32_t deaths; /* of how many threads at most, in one run */
    void (*died)(int thread);
    void (*stepped)(void);  /* after each step */
    void (*finished)(void); /* when no thread can go on; alone, not explored */
    const char *(*name_of)(const void *where);
} explore_program;

/* Explores all. Returns only if nothing failed; prints one line of numbers. */
void explore(const char *name, const explore_program *program);

/* For setup(). size is a multiple of 8 if it is part of the state. */
void explore_keep(enum explore_kind kind, void *memory, size_t size);

/* For threads. Outside of a thread these do nothing. */
void explore_point(const char *verb, const void *where);
void explore_saw(const void *where, uint64_t value);
/* All that the caller still knows is in that digest, and in what it does next. */
void explore_forget(uint64_t digest);
/* The caller goes on when ready() is true, a question about kept memory. */
void explore_wait_until(bool (*ready)(void));

/* Who runs: a thread, or EXPLORE_NOBODY outside. */
int explore_me(void);
bool explore_has_died(int thread);
bool explore_has_ended(int thread);

uint64_t explore_mix(uint64_t hash, uint64_t value);

/* Prints that, and the steps that led to it, and exits with status 1. */
_Noreturn __attribute__((format(printf, 1, 2))) void explore_fail(const char *format, ...);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Stands in for include/shmring/atomic.h in the explorer: the same verbs, each of which first lets
 * any other thread run, and remembers what it saw (atomic.c). The orders in the names mean nothing
 * here: one thread runs at a time, so all is sequentially consistent.
 */
#ifndef SHMRING_ATOMIC_H
#define SHMRING_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#define SHMRING_HOT __attribute__((always_inline))

typedef struct shmring_word32 {
    uint32_t raw;
} shmring_word32;

typedef struct shmring_word64 {
    __attribute__((aligned(8))) uint64_t raw;
} shmring_word64;

uint32_t shmring_load32_relaxed(const shmring_word32 *word);
uint32_t shmring_load32_acquire(const shmring_word32 *word);
void shmring_store32_relaxed(shmring_word32 *word, uint32_t value);
void shmring_store32_release(shmring_word32 *word, uint32_t value);
uint64_t shmring_load64_relaxed(const shmring_word64 *word);
uint64_t shmring_load64_acquire(const shmring_word64 *word);
void shmring_store64_relaxed(shmring_word64 *word, uint64_t value);
void shmring_store64_release(shmring_word64 *word, uint64_t value);
bool shmring_cas64_acq_rel(shmring_word64 *word, uint64_t *expected, uint64_t desired);
bool shmring_cas64_acquire(shmring_word64 *word, uint64_t *expected, uint64_t desired);
bool shmring_cas64_release(shmring_word64 *word, uint64_t *expected, uint64_t desired);
bool shmring_cas32_acq_rel(shmring_word32 *word, uint32_t *expected, uint32_t desired);
void shmring_add32_release(shmring_word32 *word, uint32_t value);
void shmring_add64_relaxed(shmring_word64 *word, uint64_t value);

void shmring_cpu_pause(void);
void shmring_prefetch_to_write(const void *place);

#endif

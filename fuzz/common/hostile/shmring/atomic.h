/* SPDX-License-Identifier: MIT */
/*
 * Stands in for include/shmring/atomic.h in the targets with a hostile ring: the same verbs, before
 * each of which the other side may do what it likes to the word (common/hostile.c). The orders in
 * the names mean nothing here: there is one thread.
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

uint32_t hostile_load32(const shmring_word32 *word);
uint64_t hostile_load64(const shmring_word64 *word);
void hostile_store32(shmring_word32 *word, uint32_t value);
void hostile_store64(shmring_word64 *word, uint64_t value);
bool hostile_cas32(shmring_word32 *word, uint32_t *expected, uint32_t desired);
bool hostile_cas64(shmring_word64 *word, uint64_t *expected, uint64_t desired);
void hostile_add32(shmring_word32 *word, uint32_t value);
void hostile_add64(shmring_word64 *word, uint64_t value);

inline uint32_t shmring_load32_relaxed(const shmring_word32 *word)
{
    return hostile_load32(word);
}

inline uint32_t shmring_load32_acquire(const shmring_word32 *word)
{
    return hostile_load32(word);
}

inline void shmring_store32_relaxed(shmring_word32 *word, uint32_t value)
{
    hostile_store32(word, value);
}

inline void shmring_store32_release(shmring_word32 *word, uint32_t value)
{
    hostile_store32(word, value);
}

inline uint64_t shmring_load64_relaxed(const shmring_word64 *word)
{
    return hostile_load64(word);
}

inline uint64_t shmring_load64_acquire(const shmring_word64 *word)
{
    return hostile_load64(word);
}

inline void shmring_store64_relaxed(shmring_word64 *word, uint64_t value)
{
    hostile_store64(word, value);
}

inline void shmring_store64_release(shmring_word64 *word, uint64_t value)
{
    hostile_store64(word, value);
}

inline bool shmring_cas64_relaxed(shmring_word64 *word, uint64_t *expected, uint64_t desired)
{
    return hostile_cas64(word, expected, desired);
}

inline bool shmring_cas64_acquire(shmring_word64 *word, uint64_t *expected, uint64_t desired)
{
    return hostile_cas64(word, expected, desired);
}

inline bool shmring_cas64_release(shmring_word64 *word, uint64_t *expected, uint64_t desired)
{
    return hostile_cas64(word, expected, desired);
}

inline bool shmring_cas64_acq_rel(shmring_word64 *word, uint64_t *expected, uint64_t desired)
{
    return hostile_cas64(word, expected, desired);
}

inline bool shmring_cas32_acq_rel(shmring_word32 *word, uint32_t *expected, uint32_t desired)
{
    return hostile_cas32(word, expected, desired);
}

inline void shmring_add32_release(shmring_word32 *word, uint32_t value)
{
    hostile_add32(word, value);
}

inline void shmring_add32_relaxed(shmring_word32 *word, uint32_t value)
{
    hostile_add32(word, value);
}

inline void shmring_add64_relaxed(shmring_word64 *word, uint64_t value)
{
    hostile_add64(word, value);
}

inline void shmring_fence_seq_cst(void)
{
}

inline void shmring_fence_light(void)
{
}

inline void shmring_prefetch_to_write(const void *place)
{
    (void)place;
}

inline void shmring_cpu_pause(void)
{
}

#if defined(__x86_64__)
inline void shmring_cpu_tpause(uint64_t until)
{
    (void)until;
}
#elif defined(__aarch64__)
inline void shmring_cpu_wfe(void)
{
}
#endif

inline void shmring_cpu_watch(const shmring_word64 *word)
{
    (void)word;
}

#endif

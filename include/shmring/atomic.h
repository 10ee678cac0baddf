/* SPDX-License-Identifier: MIT */
/*
 * The only file that names a memory order. Elsewhere the order is part of the verb, so that no
 * site can fall back to seq_cst by omission and every site can be found by its name.
 *
 * A shared word is a struct: it cannot be read or written by accident, and it has one layout in
 * C, in C++ and in every foreign language.
 */
#ifndef SHMRING_ATOMIC_H
#define SHMRING_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
#include <atomic>
#define SHMRING_ATOMIC(type) std::atomic<type>
using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;
#else
#include <stdatomic.h>
#define SHMRING_ATOMIC(type) _Atomic(type)
#endif

#if __GCC_ATOMIC_INT_LOCK_FREE != 2 || __GCC_ATOMIC_LLONG_LOCK_FREE != 2
#error "32- and 64-bit atomics must be lock-free: a lock does not cross processes"
#endif

/* The hot path is inlined for certain: compilers stop inlining in large programs, and a call costs
 * as much as the work. */
#define SHMRING_HOT __attribute__((always_inline))

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* All members are private: use the verbs below. */
typedef struct shmring_word32 {
    SHMRING_ATOMIC(uint32_t) raw;
} shmring_word32;

typedef struct shmring_word64 {
    /* i386 aligns a 64-bit member to 4 bytes; a word that straddles two lines is not atomic. */
    __attribute__((aligned(8))) SHMRING_ATOMIC(uint64_t) raw;
} shmring_word64;

inline uint32_t shmring_load32_relaxed(const shmring_word32 *word)
{
    return atomic_load_explicit(&word->raw, memory_order_relaxed);
}

inline uint32_t shmring_load32_acquire(const shmring_word32 *word)
{
    return atomic_load_explicit(&word->raw, memory_order_acquire);
}

inline void shmring_store32_relaxed(shmring_word32 *word, uint32_t value)
{
    atomic_store_explicit(&word->raw, value, memory_order_relaxed);
}

inline void shmring_store32_release(shmring_word32 *word, uint32_t value)
{
    atomic_store_explicit(&word->raw, value, memory_order_release);
}

inline uint64_t shmring_load64_relaxed(const shmring_word64 *word)
{
    return atomic_load_explicit(&word->raw, memory_order_relaxed);
}

inline uint64_t shmring_load64_acquire(const shmring_word64 *word)
{
    return atomic_load_explicit(&word->raw, memory_order_acquire);
}

inline void shmring_store64_relaxed(shmring_word64 *word, uint64_t value)
{
    atomic_store_explicit(&word->raw, value, memory_order_relaxed);
}

inline void shmring_store64_release(shmring_word64 *word, uint64_t value)
{
    atomic_store_explicit(&word->raw, value, memory_order_release);
}

/*
 * Compare and swap: if the word holds *expected, stores desired and returns true; else sets
 * *expected to what it holds and returns false. Never fails for no reason. A failure orders
 * nothing, whatever the verb.
 */
inline bool shmring_cas64_relaxed(shmring_word64 *word, uint64_t *expected, uint64_t desired)
{
    return atomic_compare_exchange_strong_explicit(
        &word->raw, expected, desired, memory_order_relaxed, memory_order_relaxed);
}

inline bool shmring_cas64_acquire(shmring_word64 *word, uint64_t *expected, uint64_t desired)
{
    return atomic_compare_exchange_strong_explicit(
        &word->raw, expected, desired, memory_order_acquire, memory_order_relaxed);
}

inline bool shmring_cas64_release(shmring_word64 *word, uint64_t *expected, uint64_t desired)
{
    return atomic_compare_exchange_strong_explicit(
        &word->raw, expected, desired, memory_order_release, memory_order_relaxed);
}

inline bool shmring_cas64_acq_rel(shmring_word64 *word, uint64_t *expected, uint64_t desired)
{
    return atomic_compare_exchange_strong_explicit(
        &word->raw, expected, desired, memory_order_acq_rel, memory_order_relaxed);
}

inline bool shmring_cas32_acq_rel(shmring_word32 *word, uint32_t *expected, uint32_t desired)
{
    return atomic_compare_exchange_strong_explicit(
        &word->raw, expected, desired, memory_order_acq_rel, memory_order_relaxed);
}

/* Add to a counter; the sum wraps. */
inline void shmring_add32_release(shmring_word32 *word, uint32_t value)
{
    atomic_fetch_add_explicit(&word->raw, value, memory_order_release);
}

inline void shmring_add32_relaxed(shmring_word32 *word, uint32_t value)
{
    atomic_fetch_add_explicit(&word->raw, value, memory_order_relaxed);
}

inline void shmring_add64_relaxed(shmring_word64 *word, uint64_t value)
{
    atomic_fetch_add_explicit(&word->raw, value, memory_order_relaxed);
}

/*
 * A full fence. For sleep and wake only (store, fence, load on both sides): no payload is ever
 * ordered by it, so a race detector that does not model fences stays exact.
 * On x86 a locked operation on the stack is a full fence at an eighth of the price of the mfence
 * that some compilers emit.
 */
inline void shmring_fence_seq_cst(void)
{
#if defined(__x86_64__)
    __asm__ volatile("lock orl $0, -4(%%rsp)" ::: "memory", "cc");
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

/*
 * The light half of an asymmetric fence: keeps the compiler from moving anything across, and costs
 * nothing. It is a full fence only against those who pass shmring_fence_heavy() (wait.h).
 */
inline void shmring_fence_light(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

/* Fetches the line at place, with the right to write it. Orders nothing. */
inline void shmring_prefetch_to_write(const void *place)
{
#if defined(__x86_64__)
    /* Compilers fetch to read where they do not know that the machine has this; where it has not,
     * it does nothing. */
    __asm__ volatile("prefetchw %0" ::"m"(*(const char *)place));
#else
    __builtin_prefetch(place, 1);
#endif
}

/* Tells the core that this is a spin loop. Orders nothing. */
inline void shmring_cpu_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

#if defined(__x86_64__)
/* TPAUSE, in bytes: assemblers of 2018 do not know it. Rests lightly until the time stamp counter
 * has come so far. Only where CPUID says that there is WAITPKG. */
inline void shmring_cpu_tpause(uint64_t until)
{
    __asm__ volatile(".byte 0x66, 0x0f, 0xae, 0xf7"
                     :
                     : "D"(1), "a"((uint32_t)until), "d"((uint32_t)(until >> 32))
                     : "cc");
}
#elif defined(__aarch64__)
/* Rests until the word that was watched is written, or for no reason. */
inline void shmring_cpu_wfe(void)
{
    __asm__ volatile("wfe" ::: "memory");
}
#endif

/* Before a look at the word: a change after that ends shmring_cpu_wfe(). */
inline void shmring_cpu_watch(const shmring_word64 *word)
{
#if defined(__aarch64__)
    uint64_t ignored;

    __asm__ volatile("ldxr %0, %1" : "=r"(ignored) : "Q"(*word));
#else
    (void)word;
#endif
}

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

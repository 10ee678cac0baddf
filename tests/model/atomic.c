/* SPDX-License-Identifier: MIT */
/* The verbs of the explorer. A step begins with a verb and ends before the next one. */
#include "shmring/atomic.h"

#include "explore.h"

uint32_t shmring_load32_relaxed(const shmring_word32 *word)
{
    explore_point("load", word);
    explore_saw(word, word->raw);
    return word->raw;
}

uint32_t shmring_load32_acquire(const shmring_word32 *word)
{
    return shmring_load32_relaxed(word);
}

void shmring_store32_relaxed(shmring_word32 *word, uint32_t value)
{
    explore_point("store", word);
    word->raw = value;
    explore_saw(word, value);
}

void shmring_store32_release(shmring_word32 *word, uint32_t value)
{
    shmring_store32_relaxed(word, value);
}

uint64_t shmring_load64_relaxed(const shmring_word64 *word)
{
    explore_point("load", word);
    explore_saw(word, word->raw);
    return word->raw;
}

uint64_t shmring_load64_acquire(const shmring_word64 *word)
{
    return shmring_load64_relaxed(word);
}

void shmring_store64_relaxed(shmring_word64 *word, uint64_t value)
{
    explore_point("store", word);
    word->raw = value;
    explore_saw(word, value);
}

void shmring_store64_release(shmring_word64 *word, uint64_t value)
{
    shmring_store64_relaxed(word, value);
}

bool shmring_cas64_acq_rel(shmring_word64 *word, uint64_t *expected, uint64_t desired)
{
    explore_point("cas", word);
    uint64_t seen = word->raw;
    bool swapped = seen == *expected;

    if (swapped)
        word->raw = desired;
    *expected = seen;
    explore_saw(word, swapped ? desired : seen);
    return swapped;
}

bool shmring_cas64_acquire(shmring_word64 *word, uint64_t *expected, uint64_t desired)
{
    return shmring_cas64_acq_rel(word, expected, desired);
}

bool shmring_cas64_release(shmring_word64 *word, uint64_t *expected, uint64_t desired)
{
    return shmring_cas64_acq_rel(word, expected, desired);
}

bool shmring_cas32_acq_rel(shmring_word32 *word, uint32_t *expected, uint32_t desired)
{
    explore_point("cas", word);
    uint32_t seen = word->raw;
    bool swapped = seen == *expected;

    if (swapped)
        word->raw = desired;
    *expected = seen;
    explore_saw(word, swapped ? desired : seen);
    return swapped;
}

void shmring_add32_release(shmring_word32 *word, uint32_t value)
{
    explore_point("add", word);
    word->raw += value;
    explore_saw(word, value);
}

void shmring_add64_relaxed(shmring_word64 *word, uint64_t value)
{
    explore_point("add", word);
    word->raw += value;
    explore_saw(word, value);
}

void shmring_cpu_pause(void)
{
}

void shmring_prefetch_to_write(const void *place)
{
    (void)place;
}

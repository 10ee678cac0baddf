/* SPDX-License-Identifier: MIT */
/*
 * What the word of a slot means (struct shmring_mpmc_entry): the whole truth about the slot.
 *
 *   bits 0-11 owner   12-13 state   14 redelivered   15 always 0   16-63 lap
 *
 *   FREE(l)       nobody's, may be claimed at lap l+1
 *   WRITING(l,o)  claimed by o, not committed yet
 *   READY(l)      holds a message
 *   READING(l,o)  taken by o, not released yet
 *   READING(l,0)  an orphan, marked redelivered: a dead consumer's message, to be delivered again
 *
 * Memory that was never written is FREE(0).
 */
#ifndef SHMRING_MPMC_WORD_H
#define SHMRING_MPMC_WORD_H

#include "shmring/atomic.h"

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

#define SHMRING_SLOT_OWNER_MASK UINT64_C(0x0fff)
#define SHMRING_SLOT_STATE_MASK UINT64_C(0x3000)
#define SHMRING_SLOT_WHO_MASK (SHMRING_SLOT_STATE_MASK | SHMRING_SLOT_OWNER_MASK)
#define SHMRING_SLOT_REDELIVERED UINT64_C(0x4000)
#define SHMRING_SLOT_RESERVED UINT64_C(0x8000)
#define SHMRING_SLOT_ONE_LAP UINT64_C(0x10000)
#define SHMRING_SLOT_LAP_MASK (~(SHMRING_SLOT_ONE_LAP - 1))

#define SHMRING_SLOT_FREE UINT64_C(0x0000)
#define SHMRING_SLOT_WRITING UINT64_C(0x1000)
#define SHMRING_SLOT_READY UINT64_C(0x2000)
#define SHMRING_SLOT_READING UINT64_C(0x3000)

SHMRING_HOT inline uint64_t shmring_slot_state(uint64_t word)
{
    return word & SHMRING_SLOT_STATE_MASK;
}

SHMRING_HOT inline uint32_t shmring_slot_owner(uint64_t word)
{
    return (uint32_t)(word & SHMRING_SLOT_OWNER_MASK);
}

/* Laps from lap (a word or its lap part) to that of the word, over the wrap of the count. */
SHMRING_HOT inline int64_t shmring_slot_laps(uint64_t word, uint64_t lap)
{
    uint64_t laps = (word & SHMRING_SLOT_LAP_MASK) - (lap & SHMRING_SLOT_LAP_MASK);

    return (int64_t)laps / (int64_t)SHMRING_SLOT_ONE_LAP;
}

inline bool shmring_slot_is_orphan(uint64_t word)
{
    return shmring_slot_state(word) == SHMRING_SLOT_READING && shmring_slot_owner(word) == 0;
}

/* Is it a word that the protocol writes? */
inline bool shmring_slot_is_possible(uint64_t word)
{
    bool owned = shmring_slot_owner(word) != 0;
    bool marked = (word & SHMRING_SLOT_REDELIVERED) != 0;

    if ((word & SHMRING_SLOT_RESERVED) != 0)
        return false;
    switch (shmring_slot_state(word)) {
    case SHMRING_SLOT_FREE:
        return !owned && !marked;
    case SHMRING_SLOT_WRITING:
        return owned && !marked;
    case SHMRING_SLOT_READY:
        return !owned;
    default:
        return owned || marked;
    }
}

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

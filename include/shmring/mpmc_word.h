/* SPDX-License-Identifier: MIT */
/*
 * What the two words of a slot mean (struct shmring_mpmc_entry): the whole truth about the slot.
 *
 *   word   bits 0-11 owner   12-13 claimed or taken   14 redelivered   15 always 0   16-63 lap
 *   label  bits 0-30 length  31 filled                32-63 the user's type
 *
 *   word                label filled       label not filled
 *   CLAIMED(l, o)       READY(l)           WRITING(l, o)
 *   TAKEN(l, o)         READING(l, o)      FREE(l)
 *   FREE(l)             (see below)        FREE(l)
 *
 *   FREE      nobody's, may be claimed at lap l+1      READY    holds a message
 *   WRITING   o's, not committed yet                   READING  taken by o, not released yet
 *   ORPHAN    READING of nobody, marked redelivered: a message to be delivered again
 *
 * Who becomes an owner swaps the word, who is done stores the label: one locked operation each for
 * a message sent and taken. A member that was taken for dead and commits after that leaves FREE
 * with a filled label, which is emptied by who meets it; one that releases after that leaves a slot
 * of nobody with an empty one, which is free. Memory that was never written is FREE(0).
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

#define SHMRING_WORD_OWNER_MASK UINT64_C(0x0fff)
#define SHMRING_WORD_KIND_MASK UINT64_C(0x3000)
#define SHMRING_WORD_FREE UINT64_C(0x0000)
#define SHMRING_WORD_CLAIMED UINT64_C(0x1000)
#define SHMRING_WORD_TAKEN UINT64_C(0x2000)
#define SHMRING_WORD_WHO_MASK (SHMRING_WORD_KIND_MASK | SHMRING_WORD_OWNER_MASK)
#define SHMRING_WORD_REDELIVERED UINT64_C(0x4000)
#define SHMRING_WORD_ONE_LAP UINT64_C(0x10000)
#define SHMRING_WORD_LAP_MASK (~(SHMRING_WORD_ONE_LAP - 1))

#define SHMRING_LABEL_FILLED (UINT64_C(1) << 31)
#define SHMRING_LABEL_LENGTH_MASK (SHMRING_LABEL_FILLED - 1)

enum shmring_slot_state {
    SHMRING_SLOT_FREE,
    SHMRING_SLOT_WRITING,
    SHMRING_SLOT_READY,
    SHMRING_SLOT_READING,
    SHMRING_SLOT_ORPHAN,
    SHMRING_SLOT_UNDEAD,     /* FREE with a filled label */
    SHMRING_SLOT_IMPOSSIBLE, /* nothing that the protocol writes */
};

SHMRING_HOT inline uint32_t shmring_slot_owner(uint64_t word)
{
    return (uint32_t)(word & SHMRING_WORD_OWNER_MASK);
}

SHMRING_HOT inline bool shmring_slot_is_filled(uint64_t label)
{
    return (label & SHMRING_LABEL_FILLED) != 0;
}

/* Laps from lap (a word or its lap part) to that of the word, over the wrap of the count. */
SHMRING_HOT inline int64_t shmring_slot_laps(uint64_t word, uint64_t lap)
{
    uint64_t laps = (word & SHMRING_WORD_LAP_MASK) - (lap & SHMRING_WORD_LAP_MASK);

    return (int64_t)laps / (int64_t)SHMRING_WORD_ONE_LAP;
}

/* Is word of that kind, by anyone, unmarked, and the given laps before that of next? */
SHMRING_HOT inline bool shmring_slot_precedes(uint64_t word, uint64_t kind, uint64_t next,
                                             uint64_t laps)
{
    uint64_t want = (next & SHMRING_WORD_LAP_MASK) - laps * SHMRING_WORD_ONE_LAP;

    return (word ^ want ^ kind) <= SHMRING_WORD_OWNER_MASK;
}

inline enum shmring_slot_state shmring_slot_state(uint64_t word, uint64_t label)
{
    bool owned = shmring_slot_owner(word) != 0;
    bool marked = (word & SHMRING_WORD_REDELIVERED) != 0;
    bool filled = shmring_slot_is_filled(label);

    switch (word & (~SHMRING_WORD_LAP_MASK ^ SHMRING_WORD_OWNER_MASK ^ SHMRING_WORD_REDELIVERED)) {
    case SHMRING_WORD_FREE:
        if (owned || marked)
            return SHMRING_SLOT_IMPOSSIBLE;
        return filled ? SHMRING_SLOT_UNDEAD : SHMRING_SLOT_FREE;
    case SHMRING_WORD_CLAIMED: /* that of nobody was an orphan */
        if (owned == marked)
            return SHMRING_SLOT_IMPOSSIBLE;
        if (filled)
            return SHMRING_SLOT_READY;
        return owned ? SHMRING_SLOT_WRITING : SHMRING_SLOT_FREE;
    case SHMRING_WORD_TAKEN:
        if (!filled)
            return SHMRING_SLOT_FREE;
        if (!owned)
            return marked ? SHMRING_SLOT_ORPHAN : SHMRING_SLOT_IMPOSSIBLE;
        return SHMRING_SLOT_READING;
    default:
        return SHMRING_SLOT_IMPOSSIBLE;
    }
}

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: MIT */
/* What is done for the dead and for held slots: carry, recover, deliver again. */
#define _GNU_SOURCE /* CLOCK_MONOTONIC_COARSE */
#include "shmring/mpmc.h"

#include <time.h>

/* When others first had to step around the owner of a held slot: for people. */
static void note_held(shmring_mpmc_side *side, uint64_t word)
{
    shmring_word64 *since = &side->records[shmring_slot_owner(word)].held_since;
    struct timespec now;

    /* relaxed: a note for people. */
    if (shmring_load64_relaxed(since) != 0 || clock_gettime(CLOCK_MONOTONIC_COARSE, &now) != 0)
        return;
    /* relaxed: likewise. */
    shmring_store64_relaxed(since, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
}

/*
 * Makes position pos used without claiming it; word is what was seen there, a held slot or an
 * orphan of the lap before. A held one keeps its owner and state. An orphan becomes a message: here
 * it is delivered again. Once the swap has failed, or not, the caller looks anew.
 */
void shmring_mpmc_pass(shmring_mpmc_side *side, uint64_t pos, uint64_t word)
{
    uint64_t lap = shmring_mpmc_lap(side, pos);
    uint64_t rest = word & ~SHMRING_SLOT_LAP_MASK;
    bool is_orphan = shmring_slot_is_orphan(word);

    if (is_orphan)
        rest = SHMRING_SLOT_READY | SHMRING_SLOT_REDELIVERED;
    /* [mpmc.F] pairs with [mpmc.E] */
    if (!shmring_cas64_acq_rel(shmring_mpmc_word(side, pos), &word, lap | rest))
        return;
    /* relaxed: a count. */
    if (is_orphan)
        shmring_add64_relaxed(&side->control->redelivered, 1);
    else
        note_held(side, word);
}

/* What becomes of a word of a member that is gone. */
static uint64_t settled(const shmring_mpmc_side *side, uint64_t word)
{
    uint64_t lap = word & SHMRING_SLOT_LAP_MASK;

    if (shmring_slot_state(word) == SHMRING_SLOT_WRITING || !side->redeliver)
        return lap | SHMRING_SLOT_FREE;
    return lap | SHMRING_SLOT_READING | SHMRING_SLOT_REDELIVERED;
}

/*
 * Gives back all that a member holds that will do nothing more: it is dead and the caller has its
 * lock, or it is the caller. One look at each word is enough, for nobody can claim or take in its
 * name; a word that is carried meanwhile is looked at again. May be done twice, or by halves.
 */
void shmring_mpmc_recover_slots(shmring_mpmc_side *side, uint32_t gone)
{
    for (uint64_t idx = 0; idx <= side->mask; idx++) {
        shmring_word64 *shared = shmring_mpmc_word(side, idx);

        for (int tries = 0; tries < SHMRING_MPMC_TRIES; tries++) {
            /* [mpmc.E] pairs with [mpmc.B], [mpmc.D] and [mpmc.F] */
            uint64_t word = shmring_load64_acquire(shared);
            uint64_t state = shmring_slot_state(word);

            if (shmring_slot_owner(word) != gone ||
                (state != SHMRING_SLOT_WRITING && state != SHMRING_SLOT_READING))
                break;
            /* [mpmc.F] pairs with [mpmc.E] */
            if (!shmring_cas64_acq_rel(shared, &word, settled(side, word)))
                continue;
            /* relaxed: a count. */
            if (state == SHMRING_SLOT_READING && !side->redeliver)
                shmring_add64_relaxed(&side->control->dropped, 1);
            break;
        }
    }
    /* Told also when none were found: who began this and died may have made some. [mpmc.I] pairs
     * with [mpmc.J] */
    if (side->redeliver)
        shmring_add32_release(&side->control->orphan_epoch, 1);
}

/* The first position that is not used, as far as a look over one lap finds it. */
static uint64_t find_frontier(const shmring_mpmc_side *side)
{
    /* [mpmc.H] pairs with [mpmc.G] */
    uint64_t pos = shmring_load64_acquire(&side->control->tail_hint);

    for (uint64_t steps = 0; steps <= side->mask + 1; steps++) {
        /* [mpmc.E] pairs with [mpmc.B], [mpmc.D] and [mpmc.F] */
        uint64_t word = shmring_load64_acquire(shmring_mpmc_word(side, pos));
        int64_t ahead = shmring_mpmc_ahead(side, pos, word);

        if (ahead < 0)
            break;
        pos += ((uint64_t)ahead << side->shift) + 1;
    }
    return pos;
}

/* Makes a position used that nobody wants: a free slot is passed over, at once used and closed.
 * False if a message stands there, or anything that should not. */
static bool use_up(shmring_mpmc_side *side, uint64_t pos)
{
    uint64_t lap = shmring_mpmc_lap(side, pos);

    for (int tries = 0; tries < SHMRING_MPMC_TRIES; tries++) {
        /* [mpmc.E] pairs with [mpmc.B], [mpmc.D] and [mpmc.F] */
        uint64_t word = shmring_load64_acquire(shmring_mpmc_word(side, pos));
        uint64_t state = shmring_slot_state(word);
        int64_t ahead = shmring_mpmc_ahead(side, pos, word);

        if (ahead >= 0)
            return true;
        if (ahead < -1 || state == SHMRING_SLOT_READY)
            return false;
        if (state != SHMRING_SLOT_FREE)
            shmring_mpmc_pass(side, pos, word);
        else /* [mpmc.F] pairs with [mpmc.E] */
            shmring_cas64_acq_rel(shmring_mpmc_word(side, pos), &word, lap | SHMRING_SLOT_FREE);
    }
    return false;
}

/*
 * Moves the frontier up to the orphans, which makes messages of them, as far as no message stands
 * in the way: those come first. Producers do the same in passing, so an orphan is delivered within
 * a lap at the latest. Returns true if no orphan is left.
 */
bool shmring_mpmc_redeliver(shmring_mpmc_side *side)
{
    uint64_t first = find_frontier(side), end = first;
    bool blocked = false, left = false;

    for (uint64_t i = 0; i <= side->mask; i++) {
        uint64_t pos = first + i;
        /* [mpmc.E] pairs with [mpmc.B], [mpmc.D] and [mpmc.F] */
        uint64_t word = shmring_load64_acquire(shmring_mpmc_word(side, pos));
        bool unused = shmring_mpmc_ahead(side, pos, word) == -1;

        if (shmring_slot_is_orphan(word) && unused && !blocked)
            end = pos + 1;
        else if (shmring_slot_is_orphan(word))
            left = true;
        else if (unused && shmring_slot_state(word) == SHMRING_SLOT_READY)
            blocked = true;
    }
    for (uint64_t pos = first; pos != end; pos++)
        if (!use_up(side, pos))
            return false;
    return !left;
}

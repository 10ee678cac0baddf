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

/* FREE with a filled label: a member that was taken for dead has committed. The slot is made ours
 * first, so that nobody else's label can be hit, and then emptied as by any reader. */
static void unsay(shmring_mpmc_side *side, uint64_t pos, uint64_t word)
{
    uint64_t own = (word & SHMRING_WORD_LAP_MASK) | SHMRING_WORD_TAKEN | side->member.id;

    /* [mpmc.F] pairs with [mpmc.E] */
    if (shmring_cas64_acq_rel(shmring_mpmc_word(side, pos), &word, own)) {
        /* [mpmc.D] pairs with [mpmc.A] */
        shmring_store64_release(shmring_mpmc_label(side, pos), 0);
    }
}

/*
 * Makes position pos used without claiming it; word and label are what was seen there at the lap
 * before: a held slot, or an orphan. A held one keeps its owner. An orphan becomes a message: here
 * it is delivered again. Returns false if it was not so (any more): look anew.
 */
bool shmring_mpmc_pass(shmring_mpmc_side *side, uint64_t pos, uint64_t word, uint64_t label)
{
    enum shmring_slot_state state = shmring_slot_state(word, label);
    uint64_t passed = shmring_mpmc_lap(side, pos) | (word & ~SHMRING_WORD_LAP_MASK);

    if (state == SHMRING_SLOT_UNDEAD) {
        unsay(side, pos, word);
        return false;
    }
    if (state == SHMRING_SLOT_ORPHAN)
        passed ^= SHMRING_WORD_TAKEN ^ SHMRING_WORD_CLAIMED;
    /* [mpmc.F] pairs with [mpmc.E] */
    if (!shmring_cas64_acq_rel(shmring_mpmc_word(side, pos), &word, passed))
        return false;
    /* relaxed: a count. */
    if (state == SHMRING_SLOT_ORPHAN)
        shmring_add64_relaxed(&side->control->redelivered, 1);
    else
        note_held(side, word);
    return true;
}

/* Gives back one slot of a session that is over. Returns false if it was carried meanwhile. */
static bool recover_slot(shmring_mpmc_side *side, uint64_t idx, uint32_t gone, uint32_t session)
{
    shmring_word64 *shared = shmring_mpmc_word(side, idx);
    /* [mpmc.E] pairs with [mpmc.F] */
    uint64_t word = shmring_load64_acquire(shared);
    /* [mpmc.C] pairs with [mpmc.B] */
    uint64_t label = shmring_load64_acquire(shmring_mpmc_label(side, idx));
    enum shmring_slot_state state = shmring_slot_state(word, label);
    uint64_t lap = word & SHMRING_WORD_LAP_MASK;
    uint64_t orphan = lap | SHMRING_WORD_TAKEN | SHMRING_WORD_REDELIVERED;

    /* Nobody claims or takes in its name any more: what is not its own will not be. */
    if (shmring_slot_owner(word) != gone)
        return true;
    /* The label may be of a later owner: who released long ago is not to be taken for a reader. */
    if (shmring_mpmc_has_changed(side, idx, word))
        return false;
    if ((state != SHMRING_SLOT_WRITING && state != SHMRING_SLOT_READING))
        return true; /* also what it has committed, or released: nothing is to be done there */
    /* [member.B] pairs with [member.A]: what a later session owns is none of ours. */
    if (shmring_load32_acquire(&side->records[gone].session) != session)
        return true;
    if (state == SHMRING_SLOT_WRITING) /* [mpmc.F] pairs with [mpmc.E] */
        return shmring_cas64_acq_rel(shared, &word, lap | SHMRING_WORD_FREE);
    if (side->redeliver) /* [mpmc.F] pairs with [mpmc.E] */
        return shmring_cas64_acq_rel(shared, &word, orphan);
    /* Released, in its name. [mpmc.D] pairs with [mpmc.A] */
    if (shmring_cas64_release(shmring_mpmc_label(side, idx), &label, 0)) {
        /* relaxed: a count. */
        shmring_add64_relaxed(&side->control->dropped, 1);
    }
    return true;
}

/*
 * Gives back all that a member holds that will do nothing more in that session: it is dead and the
 * caller has its lock, or it is the caller. One look at each slot is enough, for nobody can claim
 * or take in its name; a slot that is carried meanwhile is looked at again. May be done twice, or
 * by halves. Returns false if a slot was carried each time: do not bury the member then.
 */
bool shmring_mpmc_recover_slots(shmring_mpmc_side *side, uint32_t gone, uint32_t session)
{
    bool all = true;

    for (uint64_t idx = 0; idx <= side->mask; idx++) {
        bool done = false;

        for (int tries = 0; tries < SHMRING_MPMC_TRIES && !done; tries++)
            done = recover_slot(side, idx, gone, session);
        all = all && done;
    }
    /* Told also when there were none: who began this and died may have made some. [mpmc.I] pairs
     * with [mpmc.J] */
    if (side->redeliver)
        shmring_add32_release(&side->control->orphan_epoch, 1);
    return all;
}

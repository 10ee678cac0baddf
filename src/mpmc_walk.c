/* SPDX-License-Identifier: MIT */
/* The walk of a producer to the frontier, and what both walks are made of. */
#include "shmring/mpmc.h"

/* Some steps, and some per slot, are enough for anything but a member that breaks the rules. */
enum {
    STEPS_MIN = 4096,
    STEPS_PER_SLOT = 4,
    HINT_STEPS = 8, /* steps over used positions between looks at the hint */
};

uint64_t shmring_mpmc_step_limit(const shmring_mpmc_side *side)
{
    return STEPS_MIN + STEPS_PER_SLOT * (side->mask + 1);
}

void shmring_mpmc_give_hint(shmring_word64 *hint, uint64_t pos)
{
    /* relaxed: an old value makes the swap fail, which is as good. */
    uint64_t seen = shmring_load64_relaxed(hint);

    /* [mpmc.G] pairs with [mpmc.H] */
    if ((int64_t)(pos - seen) > 0)
        shmring_cas64_release(hint, &seen, pos);
}

/* No bets for a member that others took for dead: its calls must walk, and be refused. */
void shmring_mpmc_guessed(shmring_mpmc_side *side, bool right)
{
    side->streak = right ? side->streak + 1 : 0;
    if (!shmring_member_is_here(&side->member))
        return;
    bool bets = side->streak >= SHMRING_MPMC_STREAK && shmring_mpmc_error(side) == 0;

    /* relaxed: our own, and nobody else looks. */
    shmring_store32_relaxed(side->member.here, bets ? SHMRING_MEMBER_BETS : SHMRING_MEMBER_HERE);
}

uint64_t shmring_mpmc_take_hint(const shmring_word64 *hint, uint64_t pos)
{
    /* [mpmc.H] pairs with [mpmc.G] */
    uint64_t seen = shmring_load64_acquire(hint);

    return (int64_t)(seen - pos) > 0 ? seen : pos;
}

bool shmring_mpmc_has_changed(const shmring_mpmc_side *side, uint64_t pos, uint64_t word)
{
    /* [mpmc.E] pairs with [mpmc.F] */
    return shmring_load64_acquire(shmring_mpmc_word(side, pos)) != word;
}

shmring_mpmc_slot shmring_mpmc_own(const shmring_mpmc_side *side, uint64_t pos, uint64_t word)
{
    return (shmring_mpmc_slot){
        .data = side->data + (pos & side->mask) * side->slot_stride,
        .session = (uint16_t)side->member.session,
        .idx = (uint32_t)(pos & side->mask),
        .word = word,
    };
}

/* Of two words of one slot the later one ranks no lower: what is taken or free was claimed before.
 * (Of equal rank are FREE and TAKEN of one lap, which an UNDEAD slot goes through.) */
static uint64_t rank_of(uint64_t word)
{
    bool claimed = (word & SHMRING_WORD_KIND_MASK) == SHMRING_WORD_CLAIMED;

    return (word & SHMRING_WORD_LAP_MASK) | (claimed ? 0 : SHMRING_WORD_CLAIMED);
}

/* Is none of the slots free? *ret_rank: the sum of their ranks. */
static bool is_none_free(const shmring_mpmc_side *side, uint64_t *ret_rank)
{
    *ret_rank = 0;
    for (uint64_t idx = 0; idx <= side->mask; idx++) {
        shmring_mpmc_look look = shmring_mpmc_look_at(side, idx);

        if (look.state == SHMRING_SLOT_FREE)
            return false;
        *ret_rank += rank_of(look.word);
    }
    return true;
}

/* Are all slots in use, at one moment at least? Ranks only grow: twice the same sum is that no slot
 * was claimed, taken or given up between the two looks; and none of them was free after it. */
static bool is_all_in_use(const shmring_mpmc_side *side)
{
    uint64_t before, after;

    return is_none_free(side, &before) && is_none_free(side, &after) && before == after;
}

bool shmring_mpmc_claim_walk(shmring_mpmc_producer *producer, shmring_mpmc_slot *ret_slot)
{
    shmring_mpmc_side *side = &producer->side;
    uint64_t steps, start = producer->tail_pos, pos = start, carried = 0;

    for (steps = 0; steps < shmring_mpmc_step_limit(side) && shmring_mpmc_error(side) == 0;
         steps++) {
        shmring_mpmc_look look = shmring_mpmc_look_at(side, pos);

        if (look.ahead >= 0) { /* used; and so is what the word's own lap says */
            pos += ((uint64_t)look.ahead << side->shift) + 1;
            if (steps % HINT_STEPS == 0)
                pos = shmring_mpmc_take_hint(&side->control->tail_hint, pos);
            producer->tail_pos = pos;
            continue;
        }
        if (shmring_mpmc_has_changed(side, pos, look.word))
            continue; /* the label may be newer */
        if (look.ahead < -1 || look.state == SHMRING_SLOT_IMPOSSIBLE)
            return shmring_mpmc_poison(side);
        if (look.state == SHMRING_SLOT_READY)
            break; /* full */
        if (look.state != SHMRING_SLOT_FREE) {
            if (carried > side->mask && is_all_in_use(side))
                break; /* full: of slots that are held */
            carried = carried > side->mask ? 0 : carried;
            carried += shmring_mpmc_pass(side, pos, look.word, look.label);
            continue;
        }
        uint64_t claimed = shmring_mpmc_word_at(side, pos, SHMRING_WORD_CLAIMED);

        /* [mpmc.F] pairs with [mpmc.E] */
        if (!shmring_cas64_acq_rel(shmring_mpmc_word(side, pos), &look.word, claimed))
            continue;
        producer->tail_pos = pos + 1;
        producer->claimed = shmring_mpmc_word_at(side, pos + 1, SHMRING_WORD_CLAIMED);
        shmring_mpmc_guessed(side, steps == 0);
        if (shmring_mpmc_is_hint_due(side, start, pos + 1))
            shmring_mpmc_give_hint(&side->control->tail_hint, pos + 1);
        *ret_slot = shmring_mpmc_own(side, pos, claimed);
        return true;
    }
    shmring_mpmc_guessed(side, false);
    return false;
}

void shmring_mpmc_produced(shmring_mpmc_producer *producer)
{
    shmring_mpmc_side *side = &producer->side;

    producer->claimed = shmring_mpmc_word_at(side, producer->tail_pos, SHMRING_WORD_CLAIMED);
    shmring_mpmc_give_hint(&side->control->tail_hint, producer->tail_pos);
    shmring_mpmc_guessed(side, shmring_mpmc_error(side) == 0);
}

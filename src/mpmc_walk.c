/* SPDX-License-Identifier: MIT */
/* The walks of the claim ring: to the frontier, and to the message that is wanted. */
#include "shmring/mpmc.h"

#include <string.h>

/* A call gives up after so many steps, and some per slot: whatever the words hold, it ends. */
enum {
    STEPS_MIN = 4096,
    STEPS_PER_SLOT = 4,
    HINT_STEPS = 8,   /* steps over used positions between looks at the hint */
    RUN_AHEAD = 128,  /* positions that producers shall be ahead, */
    RUN_PAUSES = 256, /* the time that they get for it, */
    RUN_MIN = 8,      /* and what shows that somebody runs at all */
    RUN_STREAK = 64,
    RUN_CAPACITY = 8 * RUN_AHEAD,
    RUN_GAP_MAX = 1 << 16,
};

static uint64_t step_limit(const shmring_mpmc_side *side)
{
    return STEPS_MIN + STEPS_PER_SLOT * (side->mask + 1);
}

/* Now and then on the hot path, too: a member that others took for dead must not go on. */
void shmring_mpmc_hint(shmring_mpmc_side *side, shmring_word64 *hint, uint64_t pos)
{
    if (shmring_mpmc_error(side) != 0)
        side->streak = 0;
    /* relaxed: an old value makes the swap fail, which is as good. */
    uint64_t seen = shmring_load64_relaxed(hint);

    /* [mpmc.G] pairs with [mpmc.H] */
    if ((int64_t)(pos - seen) > 0)
        shmring_cas64_release(hint, &seen, pos);
}

/* Where a walk that is at pos may go on: at the hint, if that is further. */
static uint64_t hinted(const shmring_word64 *hint, uint64_t pos)
{
    /* [mpmc.H] pairs with [mpmc.G] */
    uint64_t seen = shmring_load64_acquire(hint);

    return (int64_t)(seen - pos) > 0 ? seen : pos;
}

/* A walk has come from one position to another: tell others now and then, and learn whether betting
 * on the next position is worth while. */
static void walked(shmring_mpmc_side *side, shmring_word64 *hint, uint64_t from, uint64_t to,
                   bool straight)
{
    side->streak = straight ? side->streak + 1 : 0;
    if (((from ^ to) & ~side->hint_mask) != 0)
        shmring_mpmc_hint(side, hint, to);
}

bool shmring_mpmc_claim_walk(shmring_mpmc_producer *producer, shmring_mpmc_slot *ret_slot)
{
    shmring_mpmc_side *side = &producer->side;
    uint64_t steps, start = producer->tail_pos, pos = start, carried = 0;

    for (steps = 0; steps < step_limit(side) && shmring_mpmc_error(side) == 0; steps++) {
        /* [mpmc.E] pairs with [mpmc.B], [mpmc.D] and [mpmc.F] */
        uint64_t word = shmring_load64_acquire(shmring_mpmc_word(side, pos));
        int64_t ahead = shmring_mpmc_ahead(side, pos, word);

        if (ahead < -1 || !shmring_slot_is_possible(word))
            return shmring_mpmc_poison(side);
        if (ahead >= 0) { /* used; and so is what the word's own lap says */
            pos += ((uint64_t)ahead << side->shift) + 1;
            producer->tail_pos =
                steps % HINT_STEPS == 0 ? hinted(&side->control->tail_hint, pos) : pos;
            pos = producer->tail_pos;
            continue;
        }
        if (shmring_slot_state(word) == SHMRING_SLOT_READY)
            break; /* full */
        if (shmring_slot_state(word) != SHMRING_SLOT_FREE) {
            if (++carried > side->mask + 1)
                break; /* all are held */
            shmring_mpmc_pass(side, pos, word);
            continue;
        }
        uint64_t claimed = shmring_mpmc_lap(side, pos) | SHMRING_SLOT_WRITING | side->member.id;

        /* [mpmc.A] pairs with [mpmc.D] */
        if (!shmring_cas64_acquire(shmring_mpmc_word(side, pos), &word, claimed))
            continue;
        producer->tail_pos = pos + 1;
        walked(side, &side->control->tail_hint, start, pos + 1, steps == 0);
        shmring_mpmc_own(side, pos, claimed, ret_slot);
        return true;
    }
    side->streak = 0;
    return false;
}

/* What a search for a message knows. */
struct search {
    enum shmring_mpmc_wish wish;
    uint32_t type;
    uint64_t steps; /* left */
    bool again;     /* start over */
    bool found;
    uint64_t pos, word; /* the best so far */
    uint64_t label;
    uint32_t noted;     /* entries of open that were looked at */
    uint64_t more_from; /* WRITING positions that found no place in open: the first, */
    uint64_t more_to;   /* the end of where they were looked for, */
    uint64_t more;      /* and how many */
};

/* Is the message with this label wanted, and better than the best so far? */
static bool is_better(const struct search *search, uint64_t label)
{
    uint32_t type = (uint32_t)(label >> 32);
    uint32_t best = (uint32_t)(search->label >> 32);

    switch (search->wish) {
    case SHMRING_TAKE_EQUAL:
        return type == search->type;
    case SHMRING_TAKE_EXCEPT:
        return type != search->type;
    case SHMRING_TAKE_LOWEST:
        return type <= search->type && (!search->found || type < best);
    case SHMRING_TAKE_HIGHEST:
        return type >= search->type && (!search->found || type > best);
    default:
        return true;
    }
}

/* Notes the message at pos if it is wanted. Returns true if the search is over. */
static bool consider(const shmring_mpmc_side *side, struct search *search, uint64_t pos,
                     uint64_t word)
{
    /* relaxed: it may be another's already; then the swap at C will fail, for laps only grow. */
    uint64_t label = shmring_load64_relaxed(shmring_mpmc_label(side, pos));

    if (!is_better(search, label))
        return false;
    search->found = true;
    search->pos = pos;
    search->word = word;
    search->label = label;
    return search->wish != SHMRING_TAKE_LOWEST && search->wish != SHMRING_TAKE_HIGHEST;
}

/* The positions noted in earlier searches: drops those that are closed by now. */
static bool search_open(shmring_mpmc_consumer *consumer, struct search *search)
{
    const shmring_mpmc_side *side = &consumer->side;
    uint32_t kept = 0;
    bool over = false;

    for (uint32_t i = 0; i < consumer->open_count; i++) {
        uint64_t pos = consumer->open[i].pos;

        if (!over) {
            /* [mpmc.E] pairs with [mpmc.B], [mpmc.D] and [mpmc.F] */
            uint64_t word = shmring_load64_acquire(shmring_mpmc_word(side, pos));
            uint64_t state = shmring_slot_state(word);

            if (shmring_mpmc_ahead(side, pos, word) != 0 || state == SHMRING_SLOT_FREE ||
                state == SHMRING_SLOT_READING)
                continue;
            consumer->open[i].word = word;
            over = state == SHMRING_SLOT_READY && consider(side, search, pos, word);
        }
        consumer->open[kept++] = consumer->open[i];
        if (!over)
            search->noted = kept;
    }
    consumer->open_count = kept;
    return over;
}

/* pos, which is not closed, is passed by: it goes into open, if all before it did, else it is
 * counted. */
static void pass_by(shmring_mpmc_consumer *consumer, struct search *search, uint64_t pos,
                    uint64_t word)
{
    if (pos == consumer->head_pos && consumer->open_count < SHMRING_MPMC_OPEN_MAX) {
        consumer->open[consumer->open_count].pos = pos;
        consumer->open[consumer->open_count].word = word;
        search->noted = ++consumer->open_count;
        consumer->head_pos++;
    } else if (shmring_slot_state(word) == SHMRING_SLOT_WRITING) {
        if (search->more++ == 0)
            search->more_from = pos;
    }
}

/* From head to the message or to the frontier. */
static void search_rest(shmring_mpmc_consumer *consumer, struct search *search)
{
    shmring_mpmc_side *side = &consumer->side;
    uint64_t pos = consumer->head_pos;

    for (uint32_t closed = 0; search->steps != 0; search->steps--, pos++) {
        /* [mpmc.E] pairs with [mpmc.B], [mpmc.D] and [mpmc.F] */
        uint64_t word = shmring_load64_acquire(shmring_mpmc_word(side, pos));
        int64_t ahead = shmring_mpmc_ahead(side, pos, word);
        uint64_t state = shmring_slot_state(word);

        if (ahead < -1 || !shmring_slot_is_possible(word)) {
            shmring_mpmc_poison(side);
            return;
        }
        search->more_to = pos;
        if (ahead < 0)
            return;
        if (ahead > 0) { /* closed; and so is what is a lap before the word's own position */
            consumer->head_pos = pos = pos + ((uint64_t)(ahead - 1) << side->shift) + 1;
            search->again = true;
            return;
        }
        if (state == SHMRING_SLOT_FREE || state == SHMRING_SLOT_READING) {
            if (pos != consumer->head_pos)
                continue;
            consumer->head_pos++;
            if (++closed % HINT_STEPS == 1) {
                consumer->head_pos = hinted(&side->control->head_hint, consumer->head_pos);
                pos = consumer->head_pos - 1;
            }
            continue;
        }
        if (state == SHMRING_SLOT_READY && consider(side, search, pos, word))
            return;
        pass_by(consumer, search, pos, word);
    }
    search->again = true;
}

/* The second look: are all that were seen WRITING still so? Then what was found is the oldest (or
 * there was nothing), at the moment when the search ended. */
static bool still_writing(const shmring_mpmc_consumer *consumer, const struct search *search)
{
    const shmring_mpmc_side *side = &consumer->side;
    uint64_t more = 0;

    for (uint32_t i = 0; i < search->noted; i++) {
        uint64_t word = consumer->open[i].word;

        /* [mpmc.E] pairs with [mpmc.B], [mpmc.D] and [mpmc.F] */
        if (shmring_slot_state(word) == SHMRING_SLOT_WRITING &&
            shmring_load64_acquire(shmring_mpmc_word(side, consumer->open[i].pos)) != word)
            return false;
    }
    for (uint64_t pos = search->more_from; search->more != 0 && pos != search->more_to; pos++) {
        /* [mpmc.E] pairs with [mpmc.B], [mpmc.D] and [mpmc.F] */
        uint64_t word = shmring_load64_acquire(shmring_mpmc_word(side, pos));

        more += shmring_mpmc_ahead(side, pos, word) == 0 &&
                shmring_slot_state(word) == SHMRING_SLOT_WRITING;
    }
    /* Each of them can only have ceased to be WRITING: as many are the same ones. */
    return more == search->more;
}

/* Nothing there: are there orphans that nobody has looked for since they became some? */
static bool look_for_orphans(shmring_mpmc_consumer *consumer)
{
    /* [mpmc.J] pairs with [mpmc.I] */
    uint32_t epoch = shmring_load32_acquire(&consumer->side.control->orphan_epoch);

    if (epoch == consumer->orphans_seen)
        return false;
    if (!shmring_mpmc_redeliver(&consumer->side))
        return false;
    consumer->orphans_seen = epoch;
    return true;
}

static bool is_used(const shmring_mpmc_side *side, uint64_t pos)
{
    /* relaxed: a guess, whether to wait. */
    uint64_t word = shmring_load64_relaxed(shmring_mpmc_word(side, pos));

    return shmring_mpmc_ahead(side, pos, word) >= 0;
}

/*
 * A consumer that keeps up with a stream would take each message while its neighbours on the line
 * are being written, and both sides would wait for the line. Better to let the producers run ahead,
 * for a few microseconds at most. Only after a streak: who waits for single messages is not held
 * up. And more and more seldom where it was in vain: nobody was running.
 */
static void let_run_ahead(shmring_mpmc_consumer *consumer)
{
    const shmring_mpmc_side *side = &consumer->side;
    uint64_t head = consumer->head_pos;

    if (side->streak < RUN_STREAK || (int64_t)(consumer->bet_end - head) > 0)
        return;
    if (is_used(side, head + RUN_AHEAD / 2)) {
        consumer->bet_end = head + RUN_AHEAD / 2;
        return;
    }
    for (int i = 0; i < RUN_PAUSES && side->mask + 1 >= RUN_CAPACITY; i++) {
        if (is_used(side, head + RUN_AHEAD)) {
            consumer->bet_end = head + RUN_AHEAD;
            consumer->bet_gap = RUN_MIN;
            return;
        }
        shmring_cpu_pause();
    }
    consumer->bet_end = head + consumer->bet_gap;
    if (is_used(side, head + RUN_MIN))
        consumer->bet_gap = RUN_MIN;
    else
        consumer->bet_gap = consumer->bet_gap % RUN_GAP_MAX * 2 + RUN_MIN;
}

bool shmring_mpmc_take_walk(shmring_mpmc_consumer *consumer, enum shmring_mpmc_wish wish,
                            uint32_t type, uint32_t max_length, shmring_mpmc_slot *ret_slot)
{
    shmring_mpmc_side *side = &consumer->side;
    uint64_t start = consumer->head_pos, steps = step_limit(side);
    bool looked = false;

    let_run_ahead(consumer);
    while (steps != 0 && shmring_mpmc_error(side) == 0) {
        struct search search = {.wish = wish, .type = type, .steps = steps - 1};

        if (!search_open(consumer, &search))
            search_rest(consumer, &search);
        steps = search.steps;
        if (side->error != 0 || search.again || !still_writing(consumer, &search))
            continue;
        if (!search.found && !looked && look_for_orphans(consumer)) {
            looked = true;
            continue;
        }
        if (!search.found)
            break;
        if ((uint32_t)search.label > side->slot_size)
            return shmring_mpmc_poison(side);
        if ((uint32_t)search.label > max_length) {
            ret_slot->length = (uint32_t)search.label;
            return false;
        }
        uint64_t taken = search.word | SHMRING_SLOT_READING | side->member.id;

        /* [mpmc.C] pairs with [mpmc.B] */
        if (!shmring_cas64_acquire(shmring_mpmc_word(side, search.pos), &search.word, taken))
            continue;
        if (search.pos == consumer->head_pos)
            consumer->head_pos++;
        bool noted = consumer->open_count != 0;

        walked(side, &side->control->head_hint, start,
               noted ? consumer->open[0].pos : consumer->head_pos, !noted && search.pos == start);
        shmring_mpmc_own(side, search.pos, taken, ret_slot);
        return shmring_mpmc_accept(side, search.label, ret_slot);
    }
    side->streak = 0;
    return false;
}

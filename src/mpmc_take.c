/* SPDX-License-Identifier: MIT */
/* The walk of a consumer to the message that is wanted. */
#include "shmring/mpmc.h"

enum {
    HINT_STEPS = 8,   /* steps over closed positions between looks at the hint */
    RUN_MAX = 512,    /* positions that producers shall be ahead (an eighth of a smaller ring), */
    RUN_WORTH = 64,   /* if it is as many as that, */
    RUN_MIN = 8,      /* what shows that they run at all, */
    RUN_PAUSES = 256, /* and the time that they get */
    RUN_GAP_MAX = 1 << 16,
};

/* What a search for a message knows. */
struct search {
    enum shmring_mpmc_wish wish;
    uint32_t type;
    uint64_t steps; /* left */
    bool again;     /* start over */
    bool found;
    uint64_t pos; /* the best so far */
    uint64_t word, label;
    uint32_t noted;     /* entries of open that were looked at */
    uint64_t end_word;  /* of the frontier, if the search came there */
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

/* Notes the message at pos if it is wanted. Returns true if the search is over. Should its slot be
 * another's by now, then the swap will fail: laps only grow. */
static bool consider(struct search *search, uint64_t pos, const shmring_mpmc_look *look)
{
    if (!is_better(search, look->label))
        return false;
    search->found = true;
    search->pos = pos;
    search->word = look->word;
    search->label = look->label;
    return search->wish != SHMRING_TAKE_LOWEST && search->wish != SHMRING_TAKE_HIGHEST;
}

/* The positions noted in earlier searches: drops those that are closed by now. */
static bool search_open(shmring_mpmc_consumer *consumer, struct search *search)
{
    uint32_t kept = 0;
    bool over = false;

    for (uint32_t i = 0; i < consumer->open_count; i++) {
        if (!over) {
            uint64_t pos = consumer->open[i].pos;
            shmring_mpmc_look look = shmring_mpmc_look_at(&consumer->side, pos);

            if (look.ahead != 0 ||
                (look.state != SHMRING_SLOT_WRITING && look.state != SHMRING_SLOT_READY))
                continue;
            consumer->open[i].word = look.word;
            consumer->open[i].was_writing = look.state == SHMRING_SLOT_WRITING;
            over = look.state == SHMRING_SLOT_READY && consider(search, pos, &look);
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
                    const shmring_mpmc_look *look)
{
    bool writing = look->state == SHMRING_SLOT_WRITING;

    if (pos == consumer->head_pos && consumer->open_count < SHMRING_MPMC_OPEN_MAX) {
        consumer->open[consumer->open_count].pos = pos;
        consumer->open[consumer->open_count].word = look->word;
        consumer->open[consumer->open_count].was_writing = writing;
        search->noted = ++consumer->open_count;
        consumer->head_pos++;
    } else if (writing) {
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
        shmring_mpmc_look look = shmring_mpmc_look_at(side, pos);

        search->more_to = pos;
        search->end_word = look.word;
        if (look.ahead > 0) { /* closed; and so is what is a lap before the word's own position */
            consumer->head_pos = pos + ((uint64_t)(look.ahead - 1) << side->shift) + 1;
            search->again = true;
            return;
        }
        if (look.ahead < -1 || look.state == SHMRING_SLOT_IMPOSSIBLE) {
            search->again = true;
            if (!shmring_mpmc_has_changed(side, pos, look.word))
                shmring_mpmc_poison(side);
            return;
        }
        if (look.ahead < 0)
            return;
        if (look.state == SHMRING_SLOT_READY && consider(search, pos, &look))
            return;
        if (look.state == SHMRING_SLOT_READY || look.state == SHMRING_SLOT_WRITING) {
            pass_by(consumer, search, pos, &look);
        } else if (pos == consumer->head_pos) {
            consumer->head_pos++;
            if (++closed % HINT_STEPS == 1) {
                consumer->head_pos =
                    shmring_mpmc_take_hint(&side->control->head_hint, consumer->head_pos);
                pos = consumer->head_pos - 1;
            }
        }
    }
    search->again = true;
}

/* Is it WRITING, for its owner of then? The label first: so it is of that owner, or older. */
static bool is_writing(const shmring_mpmc_side *side, uint64_t pos, uint64_t *word)
{
    /* [mpmc.C] pairs with [mpmc.B] */
    uint64_t label = shmring_load64_acquire(shmring_mpmc_label(side, pos));

    /* [mpmc.E] pairs with [mpmc.F] */
    *word = shmring_load64_acquire(shmring_mpmc_word(side, pos));
    return shmring_slot_state(*word, label) == SHMRING_SLOT_WRITING;
}

/* The second look: are all that were seen WRITING still so? Then what was found is the oldest (or
 * there was nothing), at the moment when the search ended. */
static bool still_writing(const shmring_mpmc_consumer *consumer, const struct search *search)
{
    const shmring_mpmc_side *side = &consumer->side;
    uint64_t word, more = 0;

    for (uint32_t i = 0; i < search->noted; i++)
        if (consumer->open[i].was_writing &&
            (!is_writing(side, consumer->open[i].pos, &word) || word != consumer->open[i].word))
            return false;
    for (uint64_t pos = search->more_from; search->more != 0 && pos != search->more_to; pos++)
        more += is_writing(side, pos, &word) && shmring_mpmc_ahead(side, pos, word) == 0;
    /* Each of them can only have ceased to be WRITING: as many are the same ones. */
    return more == search->more;
}

/* May there be orphans? Else the search need not be repeated. */
static bool has_orphans(const shmring_mpmc_consumer *consumer)
{
    /* [mpmc.J] pairs with [mpmc.I] */
    return shmring_load32_acquire(&consumer->side.control->orphan_epoch) != consumer->orphans_seen;
}

/*
 * Nothing wanted is there: is there an orphan, since somebody made some? It is taken where it lies:
 * its position was closed long ago. (Producers make a message of it where they meet it, so that it
 * also comes to its turn in a queue that never runs empty.)
 */
static bool take_orphan(shmring_mpmc_consumer *consumer, struct search *search)
{
    shmring_mpmc_side *side = &consumer->side;
    /* [mpmc.J] pairs with [mpmc.I] */
    uint32_t epoch = shmring_load32_acquire(&side->control->orphan_epoch);
    bool left = false;

    for (uint64_t i = 0; i <= side->mask; i++) {
        uint64_t pos = consumer->head_pos + i; /* the oldest first, of those of one lap */
        shmring_mpmc_look look = shmring_mpmc_look_at(side, pos);

        if (look.state != SHMRING_SLOT_ORPHAN)
            continue;
        left = true;
        if (consider(search, pos, &look))
            break;
    }
    if (!left)
        consumer->orphans_seen = epoch;
    return search->found;
}

/* How far are the producers ahead? Roughly: the largest of enough, half of that, and so on. */
static uint64_t run_of(const shmring_mpmc_side *side, uint64_t head, uint64_t enough)
{
    uint64_t run = enough;

    for (; run >= RUN_MIN; run /= 2) {
        /* relaxed: a guess, whether to wait. */
        uint64_t word = shmring_load64_relaxed(shmring_mpmc_word(side, head + run));

        if (shmring_mpmc_ahead(side, head + run, word) >= 0)
            break;
    }
    return run;
}

/*
 * A consumer that keeps up with a stream would take each message while its neighbours on the line
 * are being written, and both sides would wait for the line. Better to let the producers run ahead,
 * for some microseconds at most. Only after a streak: who waits for single messages is not held up.
 * And more and more seldom where it was in vain: nobody was running, or they wait for us.
 */
static void let_run_ahead(shmring_mpmc_consumer *consumer)
{
    const shmring_mpmc_side *side = &consumer->side;
    uint64_t head = consumer->head_pos, eighth = (side->mask + 1) / 8;
    uint64_t enough = eighth < RUN_MAX ? eighth : RUN_MAX;

    if (enough < RUN_WORTH || (int64_t)(head - consumer->run_at) < 0)
        return;
    uint64_t before = run_of(side, head, enough), run = before;

    if (before >= enough / 2)
        return;
    for (int pauses = 0; pauses < RUN_PAUSES && run < enough; pauses += RUN_MIN) {
        for (int i = 0; i < RUN_MIN; i++)
            shmring_cpu_pause();
        run = run_of(side, head, enough);
    }
    consumer->run_gap = run > before ? 0 : consumer->run_gap % RUN_GAP_MAX * 2 + enough;
    consumer->run_at = head + consumer->run_gap;
}

void shmring_mpmc_consumed(shmring_mpmc_consumer *consumer)
{
    shmring_mpmc_side *side = &consumer->side;

    consumer->taken = shmring_mpmc_word_at(side, consumer->head_pos, SHMRING_WORD_TAKEN);
    shmring_mpmc_give_hint(&side->control->head_hint, consumer->head_pos);
    shmring_mpmc_guessed(side, shmring_mpmc_error(side) == 0);
    if (side->streak >= SHMRING_MPMC_STREAK)
        let_run_ahead(consumer);
}

/* The swap of what was found, which fails if it is another's by now. */
static bool take_found(shmring_mpmc_consumer *consumer, struct search *search,
                       shmring_mpmc_slot *ret_slot)
{
    shmring_mpmc_side *side = &consumer->side;
    bool orphan = shmring_slot_state(search->word, search->label) == SHMRING_SLOT_ORPHAN;
    uint64_t taken = (search->word & ~SHMRING_WORD_WHO_MASK) | SHMRING_WORD_TAKEN | side->member.id;

    /* [mpmc.F] pairs with [mpmc.E] */
    if (!shmring_cas64_acq_rel(shmring_mpmc_word(side, search->pos), &search->word, taken))
        return false;
    /* relaxed: a count. */
    if (orphan)
        shmring_add64_relaxed(&side->control->redelivered, 1);
    *ret_slot = shmring_mpmc_own(side, search->pos, taken);
    return true;
}

/* After a take by walking from start: where to go on, hints, and whether to bet. */
static void taken_at(shmring_mpmc_consumer *consumer, uint64_t start, uint64_t pos)
{
    shmring_mpmc_side *side = &consumer->side;
    bool noted = consumer->open_count != 0;

    if (pos == consumer->head_pos)
        consumer->head_pos++;
    uint64_t closed_to = noted ? consumer->open[0].pos : consumer->head_pos;

    consumer->taken = shmring_mpmc_word_at(side, consumer->head_pos, SHMRING_WORD_TAKEN);
    shmring_mpmc_guessed(side, !noted && pos == start);
    if (shmring_mpmc_is_hint_due(side, start, closed_to))
        shmring_mpmc_give_hint(&side->control->head_hint, closed_to);
}

bool shmring_mpmc_take_walk(shmring_mpmc_consumer *consumer, enum shmring_mpmc_wish wish,
                            uint32_t type, uint32_t max_length, shmring_mpmc_slot *ret_slot)
{
    shmring_mpmc_side *side = &consumer->side;
    uint64_t start = consumer->head_pos, steps = shmring_mpmc_step_limit(side);

    while (steps != 0 && shmring_mpmc_error(side) == 0) {
        struct search search = {.wish = wish, .type = type, .steps = steps - 1};

        if (!search_open(consumer, &search))
            search_rest(consumer, &search);
        steps = search.steps;
        if (side->error != 0 || search.again || !still_writing(consumer, &search))
            continue;
        bool queued = search.found;

        if (!queued) {
            steps -= steps > side->mask ? side->mask + 1 : steps;
            if (!has_orphans(consumer))
                break;
            /* One may have become a message at the frontier, while it was looked for here. */
            if (!take_orphan(consumer, &search)) {
                if (shmring_mpmc_has_changed(side, search.more_to, search.end_word))
                    continue;
                break;
            }
        }
        uint64_t length = search.label & SHMRING_LABEL_LENGTH_MASK;

        if (length > side->slot_size || length > max_length) {
            if (shmring_mpmc_has_changed(side, search.pos, search.word))
                continue;
            if (length > side->slot_size)
                shmring_mpmc_poison(side);
            ret_slot->length = (uint32_t)length;
            break;
        }
        if (!take_found(consumer, &search, ret_slot))
            continue;
        if (queued)
            taken_at(consumer, start, search.pos);
        else
            shmring_mpmc_guessed(side, false);
        return shmring_mpmc_accept(side, search.label, ret_slot);
    }
    shmring_mpmc_guessed(side, false);
    return false;
}

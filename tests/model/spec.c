/* SPDX-License-Identifier: MIT */
#include "spec.h"

#include "possibility.h"

#include <string.h>

static struct {
    uint64_t count;
    struct possibility all[SPEC_MAX];
    uint32_t wanted[SPEC_SEATS], limit[SPEC_SEATS];
    const uint8_t *rank[SPEC_SEATS];
    bool in_place, deaths;
} spec;

void spec_begin(bool in_place, bool deaths)
{
    memset(&spec, 0, sizeof spec);
    spec.deaths = deaths;
    spec.in_place = in_place;
    spec.count = 1;
    explore_keep(EXPLORE_SHARED, &spec, sizeof spec);
}

/* Adds it, in order, unless it is there. */
static void add(struct possibility one)
{
    uint64_t at = 0;

    for (uint64_t end = spec.count; at < end;) {
        uint64_t middle = (at + end) / 2;

        if (is_before(&spec.all[middle], &one))
            at = middle + 1;
        else
            end = middle;
    }
    if (at < spec.count && spec.all[at].queue == one.queue && spec.all[at].seats == one.seats)
        return;
    if (spec.count == SPEC_MAX)
        explore_fail("more than %d possibilities", SPEC_MAX);
    memmove(&spec.all[at + 1], &spec.all[at], (spec.count - at) * sizeof one);
    spec.all[at] = one;
    spec.count++;
}

/* The message that a take gets, removed if it is not above the limit; 0: none. */
static uint32_t take_out(struct possibility *one, int seat)
{
    const uint8_t *rank = spec.rank[seat];
    uint32_t best = 0;
    int best_at = 0;

    for (int at = 0; entry(one, at) != 0; at += 8) {
        uint32_t value = entry(one, at), number = value % SPEC_REDELIVERED;

        if (value >= SPEC_UNSENT || (spec.wanted[seat] >> number & 1) == 0)
            continue;
        if (best == 0 || (rank != NULL && rank[number] > rank[best % SPEC_REDELIVERED])) {
            best = value;
            best_at = at;
        }
    }
    if (best % SPEC_REDELIVERED > spec.limit[seat])
        return best % SPEC_REDELIVERED;
    if (best != 0)
        take_away(one, best_at);
    return best;
}

/* The place of a claim goes to the tail. */
static bool move_to_tail(struct possibility *one, int seat)
{
    uint32_t value = message(one, seat) | SPEC_UNSENT;

    if (doing(one, seat) != PLACED && doing(one, seat) != COMMITTING)
        return false;
    take_away(one, find(one, value));
    append(one, value);
    return true;
}

/* The possibility in which the operation of that seat happens now. False: it cannot. */
static bool happen(struct possibility *one, int seat)
{
    uint32_t value = message(one, seat);

    switch (doing(one, seat)) {
    case SENDING:
        append(one, value);
        set(one, seat, SENT, value);
        return true;
    case CLAIMING:
        append(one, value | SPEC_UNSENT);
        set(one, seat, PLACED, value);
        return true;
    case COMMITTING:
        one->queue ^= (uint64_t)SPEC_UNSENT << find(one, value | SPEC_UNSENT);
        set(one, seat, SENT, value);
        return true;
    case TAKING:
        set(one, seat, TAKEN, take_out(one, seat));
        return true;
    case DEAD:
        append(one, value | SPEC_REDELIVERED);
        set(one, seat, IDLE, 0);
        return true;
    default:
        return false;
    }
}

/* A take that has found nothing gets what the dead one of another seat held. */
static bool give(struct possibility *one, int taker, int dead)
{
    uint32_t value = message(one, dead);

    if (doing(one, taker) != FOUND_NONE || doing(one, dead) != DEAD ||
        (spec.wanted[taker] >> value % SPEC_REDELIVERED & 1) == 0)
        return false;
    set(one, dead, IDLE, 0);
    set(one, taker, TAKEN, value | SPEC_REDELIVERED);
    return true;
}

static void add_gifts(const struct possibility *one, int taker)
{
    for (int dead = 0; dead < SPEC_SEATS; dead++) {
        struct possibility given = *one;

        if (give(&given, taker, dead))
            add(given);
    }
}

/* A take sees, at this moment, that there is nothing for it. */
static bool find_none(struct possibility *one, int seat)
{
    struct possibility copy = *one;

    if (doing(one, seat) != TAKING || take_out(&copy, seat) != 0)
        return false;
    set(one, seat, FOUND_NONE, 0);
    return true;
}

/* Adds all that this seat may do next. */
static void add_next(struct possibility one, int seat)
{
    struct possibility next = one;

    if (happen(&next, seat))
        add(next);
    next = one;
    if (move_to_tail(&next, seat))
        add(next);
    next = one;
    if (spec.deaths && find_none(&next, seat))
        add(next);
    add_gifts(&next, seat);
}

/* Adds all that may have happened by now. */
static void let_happen(void)
{
    uint64_t before;

    do {
        before = spec.count;
        for (uint64_t i = 0; i < spec.count; i++)
            for (int seat = 0; seat < SPEC_SEATS; seat++)
                if (doing(&spec.all[i], seat) != IDLE)
                    add_next(spec.all[i], seat);
    } while (spec.count != before);
}

/* Replaces that of a seat in all, drops those where change() says false, and adds what may happen
 * then: so equal pasts become equal sets. */
static void change_all(int seat, bool (*change)(struct possibility *, int seat, uint32_t value),
                       uint32_t value)
{
    static struct possibility old[SPEC_MAX];
    uint64_t count = spec.count;

    memcpy(old, spec.all, count * sizeof old[0]);
    memset(spec.all, 0, count * sizeof old[0]);
    spec.count = 0;
    for (uint64_t i = 0; i < count; i++)
        if (change(&old[i], seat, value))
            add(old[i]);
    let_happen();
}

static bool call_send(struct possibility *one, int seat, uint32_t value)
{
    set(one, seat, spec.in_place ? CLAIMING : SENDING, value);
    return true;
}

void spec_send_called(int seat, uint32_t value)
{
    change_all(seat, call_send, value);
}

static bool return_claim(struct possibility *one, int seat, uint32_t value)
{
    (void)value;
    return doing(one, seat) == PLACED;
}

void spec_claim_returned(int seat)
{
    if (spec.in_place)
        change_all(seat, return_claim, 0);
}

static bool call_commit(struct possibility *one, int seat, uint32_t value)
{
    (void)value;
    set(one, seat, COMMITTING, message(one, seat));
    return true;
}

void spec_commit_called(int seat)
{
    if (spec.in_place)
        change_all(seat, call_commit, 0);
}

/* What has not happened will not. */
static void forget_place(struct possibility *one, int seat)
{
    int at = find(one, message(one, seat) | SPEC_UNSENT);

    if (doing(one, seat) != IDLE && at >= 0)
        take_away(one, at);
}

static bool return_send(struct possibility *one, int seat, uint32_t sent)
{
    bool fits = (doing(one, seat) == SENT) == sent;

    forget_place(one, seat);
    set(one, seat, IDLE, 0);
    return fits;
}

void spec_send_returned(int seat, bool sent)
{
    change_all(seat, return_send, sent);
    if (spec.count == 0)
        explore_fail("seat %d: a message that was not sent is there", seat);
}

static bool call_take(struct possibility *one, int seat, uint32_t value)
{
    set(one, seat, TAKING, value);
    return true;
}

void spec_take_called(int seat, uint32_t wanted, const uint8_t *rank, uint32_t limit)
{
    spec.wanted[seat] = wanted;
    spec.limit[seat] = limit;
    spec.rank[seat] = rank;
    change_all(seat, call_take, 0);
}

static bool return_take(struct possibility *one, int seat, uint32_t value)
{
    bool found = doing(one, seat) == TAKEN && message(one, seat) == value;
    bool fits = found || (value == 0 && doing(one, seat) == FOUND_NONE);

    bool stays = value == 0 || value % SPEC_REDELIVERED > spec.limit[seat];

    set(one, seat, stays ? IDLE : HOLDING, stays ? 0 : value);
    return fits;
}

void spec_take_returned(int seat, uint32_t value)
{
    change_all(seat, return_take, value);
    if (spec.count == 0 && value == 0)
        explore_fail("seat %d: a take found nothing where something was all the time", seat);
    if (spec.count == 0)
        explore_fail("seat %d: took %u%s, which is not there or not the next", seat,
                     value % SPEC_REDELIVERED, value > SPEC_REDELIVERED ? " (redelivered)" : "");
}

static bool call_release(struct possibility *one, int seat, uint32_t value)
{
    (void)value;
    set(one, seat, RELEASING, message(one, seat));
    return true;
}

void spec_release_called(int seat)
{
    change_all(seat, call_release, 0);
}

static bool return_release(struct possibility *one, int seat, uint32_t value)
{
    set(one, seat, IDLE, value);
    return true;
}

void spec_release_returned(int seat)
{
    change_all(seat, return_release, 0);
}

static bool die(struct possibility *one, int seat, uint32_t comes_back)
{
    uint32_t what = doing(one, seat), value = message(one, seat);
    bool held = what == HOLDING || what == TAKEN || what == RELEASING;

    forget_place(one, seat);
    set(one, seat, IDLE, 0);
    if (what == RELEASING && comes_back)
        add(*one); /* it died after the release */
    if (held && value != 0 && comes_back)
        set(one, seat, DEAD, value);
    return true;
}

void spec_died(int seat, bool comes_back)
{
    change_all(seat, die, comes_back);
}

uint64_t spec_count(void)
{
    return spec.count;
}

bool spec_may_be_empty(void)
{
    for (uint64_t i = 0; i < spec.count; i++) {
        bool may = spec.all[i].queue == 0;

        for (int seat = 0; seat < SPEC_SEATS; seat++)
            may = may && doing(&spec.all[i], seat) != DEAD;
        if (may)
            return true;
    }
    return false;
}

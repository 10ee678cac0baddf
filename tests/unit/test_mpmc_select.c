/* SPDX-License-Identifier: MIT */
/*
 * Which message a take finds: against a model that knows of each slot its position and state, and
 * nothing of hints, notes and streaks. SEED in the environment repeats a run.
 */
#include "../messages.h"
#include "mpmc_pair.h"

enum {
    HANDLES = 3,
    SLOTS_MAX = 32,
    STEPS = 20000,
    TYPES = 5,
};

/* Around the ends of the range too. */
static const uint32_t TYPE[TYPES] = {0, 1, 7, 1U << 31, UINT32_MAX};

enum state {
    FREE,
    WRITING,
    READY,
    READING,
};

/* A slot as the rules say it is: held ones also as their holders know them. */
typedef struct model_slot {
    enum state state;
    uint64_t pos; /* of its present lap */
    uint32_t type;
    uint32_t number;
    int holder;
    shmring_mpmc_slot held;
} model_slot;

typedef struct model {
    uint64_t slots;
    uint64_t frontier;
    model_slot slot[SLOTS_MAX];
    uint64_t seed;
    uint32_t numbers;
    shmring_mpmc_producer producers[HANDLES];
    shmring_mpmc_consumer consumers[HANDLES];
} model;

/* The slot that a claim gets, NULL: full. Held ones go along with the frontier. */
static model_slot *model_claim(model *m)
{
    for (uint64_t carried = 0;; m->frontier++) {
        model_slot *slot = &m->slot[m->frontier % m->slots];

        if (slot->state == READY)
            return NULL;
        if (slot->state != FREE && ++carried > m->slots)
            return NULL;
        slot->pos = m->frontier;
        if (slot->state == FREE) {
            m->frontier++;
            return slot;
        }
    }
}

static bool is_wanted(enum shmring_mpmc_wish wish, uint32_t limit, uint32_t type)
{
    switch (wish) {
    case SHMRING_TAKE_EQUAL:
        return type == limit;
    case SHMRING_TAKE_EXCEPT:
        return type != limit;
    case SHMRING_TAKE_LOWEST:
        return type <= limit;
    case SHMRING_TAKE_HIGHEST:
        return type >= limit;
    default:
        return true;
    }
}

/* Does the message in a come before the one in b? */
static bool is_before(enum shmring_mpmc_wish wish, const model_slot *a, const model_slot *b)
{
    if (a->type != b->type && wish == SHMRING_TAKE_LOWEST)
        return a->type < b->type;
    if (a->type != b->type && wish == SHMRING_TAKE_HIGHEST)
        return a->type > b->type;
    return a->pos < b->pos;
}

/* The slot that a take gets, NULL: none is wanted. */
static model_slot *model_take(model *m, enum shmring_mpmc_wish wish, uint32_t limit)
{
    model_slot *best = NULL;

    for (uint64_t i = 0; i < m->slots; i++) {
        model_slot *slot = &m->slot[i];

        if (slot->state == READY && is_wanted(wish, limit, slot->type) &&
            (best == NULL || is_before(wish, slot, best)))
            best = slot;
    }
    return best;
}

static void do_claim(model *m)
{
    int holder = (int)(test_random(&m->seed) % HANDLES);
    model_slot *want = model_claim(m);
    shmring_mpmc_slot got;

    cr_assert_eq(shmring_mpmc_claim(&m->producers[holder], &got), want != NULL);
    if (want == NULL)
        return;
    cr_assert_eq(got.idx, want->pos % m->slots);
    want->state = WRITING;
    want->holder = holder;
    want->held = got;
}

static void do_take(model *m)
{
    int holder = (int)(test_random(&m->seed) % HANDLES);
    enum shmring_mpmc_wish wish = (enum shmring_mpmc_wish)(test_random(&m->seed) % 5);
    uint32_t beside = (uint32_t)(test_random(&m->seed) % 3) - 1;
    uint32_t limit = TYPE[test_random(&m->seed) % TYPES] + beside;
    shmring_mpmc_consumer *consumer = &m->consumers[holder];
    model_slot *want = model_take(m, wish, limit);
    shmring_mpmc_slot got;
    bool taken = wish == SHMRING_TAKE_ANY && test_random(&m->seed) % 2
                     ? shmring_mpmc_take(consumer, &got)
                     : shmring_mpmc_take_by(consumer, wish, limit, &got);

    cr_assert_eq(taken, want != NULL, "wish %d of %u", wish, limit);
    if (want == NULL)
        return;
    cr_assert_eq(got.idx, want->pos % m->slots, "wish %d of %u: type %u", wish, limit, got.type);
    cr_assert_eq(got.type, want->type);
    cr_assert_eq(got.length, sizeof want->number);
    cr_assert_eq(memcmp(got.data, &want->number, sizeof want->number), 0);
    want->state = READING;
    want->holder = holder;
    want->held = got;
}

/* Ends the hold of a slot at random, if it is held. */
static void do_settle(model *m)
{
    model_slot *slot = &m->slot[test_random(&m->seed) % m->slots];

    if (slot->state == READING) {
        cr_assert_eq(shmring_mpmc_release(&m->consumers[slot->holder], &slot->held), 0);
        slot->state = FREE;
    } else if (slot->state == WRITING && test_random(&m->seed) % 8 == 0) {
        cr_assert_eq(shmring_mpmc_abort(&m->producers[slot->holder], &slot->held), 0);
        slot->state = FREE;
    } else if (slot->state == WRITING) {
        slot->type = TYPE[test_random(&m->seed) % TYPES];
        slot->number = m->numbers++;
        memcpy(slot->held.data, &slot->number, sizeof slot->number);
        cr_assert_eq(shmring_mpmc_commit(&m->producers[slot->holder], &slot->held,
                                         sizeof slot->number, slot->type), 0);
        slot->state = READY;
    }
}

static uint64_t unit_seed(void)
{
    char program[] = "";
    char *argv[] = {program, getenv("SEED"), NULL};

    return test_seed(argv[1] != NULL ? 2 : 1, argv);
}

static void model_run(uint64_t slots, uint64_t seed)
{
    model m = {.slots = slots, .seed = seed};
    pair ring = pair_new(slots);

    for (int i = 0; i < HANDLES; i++) {
        attach_producer(&ring, &m.producers[i]);
        attach_consumer(&ring, &m.consumers[i]);
    }
    for (int step = 0; step < STEPS; step++) {
        /* Tides: now full, now empty, now both all the time. */
        uint64_t tide = (uint64_t)step / 500 % 3, dice = test_random(&m.seed) % 8;

        if (dice < 2 + tide)
            do_settle(&m);
        else if (dice < 5)
            do_claim(&m);
        else
            do_take(&m);
    }
    for (int i = 0; i < HANDLES; i++) {
        cr_expect_eq(shmring_mpmc_error(&m.producers[i].side), 0);
        cr_expect_eq(shmring_mpmc_error(&m.consumers[i].side), 0);
        shmring_mpmc_detach_producer(&m.producers[i]);
        shmring_mpmc_detach_consumer(&m.consumers[i]);
    }
    cr_assert_gt(m.frontier, 20 * slots, "laps enough to mean something");
    pair_free(&ring);
}

Test(mpmc_select, each_take_finds_what_the_model_finds)
{
    uint64_t seed = unit_seed();

    for (uint64_t slots = 2; slots <= SLOTS_MAX; slots *= 2)
        model_run(slots, seed + slots);
}

/* Sends numbers from 0 with these types. */
static pair with_messages(const uint32_t *types, int count)
{
    pair ring = pair_new(16);

    for (int i = 0; i < count; i++)
        cr_assert_eq(shmring_mpmc_send(&ring.producer, &i, sizeof i, types[i]), 0);
    return ring;
}

/* Takes all that is wanted, and compares the numbers. */
static void expect_order(shmring_mpmc_consumer *consumer, enum shmring_mpmc_wish wish,
                         uint32_t type, const char *want)
{
    shmring_mpmc_slot slot;
    char got[20] = "";

    while (shmring_mpmc_take_by(consumer, wish, type, &slot)) {
        got[strlen(got)] = (char)('a' + *(int *)slot.data);
        cr_assert_eq(shmring_mpmc_release(consumer, &slot), 0);
    }
    cr_expect_str_eq(got, want);
}

Test(mpmc_select, each_wish_has_an_order_of_its_own)
{
    const uint32_t types[] = {5, 3, 9, 3, 5, 1, 9, 5};
    const struct {
        enum shmring_mpmc_wish wish;
        uint32_t type;
        const char *first, *rest;
    } cases[] = {
        {SHMRING_TAKE_ANY, 5, "abcdefgh", ""},
        {SHMRING_TAKE_EQUAL, 5, "aeh", "bcdfg"},
        {SHMRING_TAKE_EQUAL, 4, "", "abcdefgh"},
        {SHMRING_TAKE_EXCEPT, 5, "bcdfg", "aeh"},
        {SHMRING_TAKE_EXCEPT, 4, "abcdefgh", ""},
        {SHMRING_TAKE_LOWEST, 5, "fbdaeh", "cg"},
        {SHMRING_TAKE_LOWEST, 0, "", "abcdefgh"},
        {SHMRING_TAKE_LOWEST, UINT32_MAX, "fbdaehcg", ""},
        {SHMRING_TAKE_HIGHEST, 5, "cgaeh", "bdf"},
        {SHMRING_TAKE_HIGHEST, 10, "", "abcdefgh"},
        {SHMRING_TAKE_HIGHEST, 0, "cgaehbdf", ""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pair ring = with_messages(types, 8);

        expect_order(&ring.consumer, cases[i].wish, cases[i].type, cases[i].first);
        expect_order(&ring.consumer, SHMRING_TAKE_ANY, 0, cases[i].rest);
        pair_free(&ring);
    }
}

Test(mpmc_select, messages_that_nobody_wants_stay_and_fill_the_ring)
{
    pair ring = pair_new(4);
    shmring_mpmc_slot slot;

    for (int i = 0; i < 30; i++) {
        cr_assert_eq(put(&ring.producer, 1), 0);
        for (int other = 2; other <= 4; other++) {
            cr_assert_eq(put(&ring.producer, other), 0);
            cr_assert(shmring_mpmc_take_by(&ring.consumer, SHMRING_TAKE_EXCEPT, (uint32_t)~1,
                                           &slot));
            expect_is(&slot, other);
            cr_assert_eq(shmring_mpmc_release(&ring.consumer, &slot), 0);
        }
        cr_expect_eq(put(&ring.producer, 5), -EAGAIN, "the oldest is a lap behind");
        cr_expect_not(shmring_mpmc_take_by(&ring.consumer, SHMRING_TAKE_EXCEPT, (uint32_t)~1,
                                           &slot));
        cr_expect_eq(get(&ring.consumer), 1);
    }
    pair_free(&ring);
}

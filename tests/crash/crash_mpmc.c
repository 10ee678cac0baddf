/* SPDX-License-Identifier: MIT */
/*
 * Claim: whenever all or some of the processes that use a claim ring die, in the middle of up to
 * three calls and between any two verbs of them, also of a recovery, who comes then finds all that
 * was sent and not yet given back, in order, nothing else, and all slots.
 *
 * A life: three to five members make calls at random, one inside the other: the outer one is
 * stopped meanwhile. Before each verb an image is taken: there all that are within a call die, and
 * others, the rest finishes what it holds, somebody recovers, the ring is emptied, filled and
 * compared with the specification (model/spec.h). Then all is as before the image, and the life
 * goes on.
 *
 * usage: crash_mpmc [SEED [IMAGES]]
 */
#include "../model/ring.h"
#include "image.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEATS = 5,
    SECOND = 5, /* who recovers if the first that comes does not live either */
    CALLS_MAX = 3,
    CALLS = 60,           /* of a life */
    MESSAGES_MAX = 5,     /* at a time */
    MANY = SPEC_MAX / 8, /* possibilities; what comes after a crash makes more of them */
    WISHES = SHMRING_TAKE_HIGHEST + 1,
};
_Static_assert((int)SECOND < RING_HOLDER, "a seat of its own");

enum doing { IDLE, BUSY, CLAIMED, TAKEN, DEAD };

/* Of a life, but for the count. */
static enum doing doing[SEATS];
static uint32_t held[SEATS];
static uint32_t in_use; /* bit v: message v may be there */
static bool in_place;
static jmp_buf calls[CALLS_MAX];
static int depth, depth_max; /* of calls */
static int level;            /* of images */
static int recovers;         /* the seat that does, in an image; -1: none */
static uint32_t living;      /* of the members, in an image */
static uint32_t holding;     /* of those, who has still to finish what it holds */
static uint64_t images, again, calls_made, deaths;

static enum shmring_member_role role_of(int seat)
{
    return seat < 3 ? SHMRING_ROLE_PRODUCER : SHMRING_ROLE_CONSUMER;
}

static uint32_t seats_that(bool (*is)(enum doing))
{
    uint32_t found = 0;

    for (int seat = 0; seat < SEATS; seat++)
        found |= (uint32_t)is(doing[seat]) << seat;
    return found;
}

static bool is_alive(enum doing what)
{
    return what != DEAD;
}

static bool is_holding(enum doing what)
{
    return what == CLAIMED || what == TAKEN;
}

static bool is_busy(enum doing what)
{
    return what == BUSY;
}

static int one_of(uint32_t seats)
{
    int which = (int)image_random((uint32_t)__builtin_popcount(seats));

    while (which-- > 0)
        seats &= seats - 1;
    return __builtin_ctz(seats);
}

/* What they hold is finished, one way or the other. */
static void finish_all(void)
{
    int before = image_play(EXPLORE_NOBODY);

    for (; (holding & living) != 0; holding &= holding - 1) {
        int seat = __builtin_ctz(holding);

        if ((living >> seat & 1) == 0)
            continue;
        image_play(seat);
        if (doing[seat] == TAKEN)
            ring_release(seat);
        else if (image_random(2) == 0)
            ring_abort(seat);
        else
            ring_commit(seat);
    }
    image_play(before);
}

static void recover(int seat)
{
    int before = image_play(seat);

    if (seat >= SEATS)
        ring_join(seat, SHMRING_ROLE_CONSUMER);
    recovers = seat;
    ring_recover(seat);
    recovers = -1;
    image_play(before);
}

/* All that comes after a crash. */
static void go_on(int newcomer)
{
    bool finish_first = image_random(2) == 0;

    if (finish_first)
        finish_all();
    recover(living != 0 && image_random(2) == 0 ? one_of(living) : newcomer);
    if (!finish_first)
        finish_all();
    ring_finish();
}

static void crash(uint32_t dying, int newcomer)
{
    const uint32_t lived = living, held_before = holding;
    const int recovered = recovers;

    image_save(level++);
    images++;
    for (int seat = 0; seat <= RING_HOLDER; seat++)
        if (dying >> seat & 1)
            ring_died(seat);
    living &= ~dying;
    go_on(newcomer);
    image_restore(--level);
    recovers = recovered;
    living = lived;
    holding = held_before;
}

/* Who is within a call dies, and of the others some, or all. */
static void take_image(void)
{
    living = seats_that(is_alive);
    holding = seats_that(is_holding);
    crash(seats_that(is_busy) | (image_random(2) == 0 ? living : image_random(1 << SEATS) & living),
          RING_HOLDER);
}

static void act(void);

static void step(void)
{
    ring_stepped();
    if (level == 1 && recovers >= 0 && image_random(16) == 0) {
        again++;
        crash(1u << recovers, SECOND);
    }
    if (level != 0)
        return;
    take_image();
    if (depth < depth_max && spec_count() <= MANY && image_random(6) == 0)
        act();
    if (image_random(500) == 0)
        longjmp(calls[depth - 1], 1);
}

static uint32_t unused_message(void)
{
    uint32_t unused = ~in_use & ((1u << (SPEC_VALUES + 1)) - 2);

    if (__builtin_popcount(in_use) == MESSAGES_MAX || spec_count() > MANY)
        return 0;
    return (uint32_t)__builtin_ctz(unused);
}

static enum doing send_or_recover(int seat)
{
    uint32_t value = unused_message();

    if (value == 0 || image_random(8) == 0) {
        ring_recover(seat);
        return IDLE;
    }
    in_use |= 1u << value;
    held[seat] = value;
    if (ring_claim(seat, value))
        return CLAIMED;
    in_use &= ~(1u << value);
    return IDLE;
}

static enum doing take_or_recover(int seat)
{
    if (image_random(8) == 0) {
        ring_recover(seat);
        return IDLE;
    }
    if (in_place && image_random(2) == 0)
        held[seat] =
            ring_take_by(seat, (enum shmring_mpmc_wish)image_random(WISHES), image_random(4));
    else
        held[seat] = ring_take(seat);
    held[seat] %= SPEC_REDELIVERED;
    return held[seat] != 0 ? TAKEN : IDLE;
}

static enum doing call(int seat, enum doing was)
{
    if (was == IDLE)
        return role_of(seat) == SHMRING_ROLE_PRODUCER ? send_or_recover(seat)
                                                      : take_or_recover(seat);
    if (was == CLAIMED && image_random(4) != 0) {
        ring_commit(seat);
        return IDLE;
    }
    if (was == CLAIMED)
        ring_abort(seat);
    else
        ring_release(seat);
    in_use &= ~(1u << held[seat]);
    return IDLE;
}

/* One call of one member, within whatever others are stopped in. */
static void act(void)
{
    uint32_t able = seats_that(is_alive) & ~seats_that(is_busy);

    if (able == 0)
        return;
    const int seat = one_of(able), before = image_play(seat);
    enum doing was = doing[seat];

    doing[seat] = BUSY;
    calls_made++;
    /* It dies there for good: nobody comes back to it, nor to what it has called within. */
    if (setjmp(calls[depth++]) == 0) {
        doing[seat] = call(seat, was);
    } else {
        deaths++;
        ring_died(seat);
        doing[seat] = DEAD;
    }
    depth--;
    image_play(before);
}

/* Two producers and a consumer, or one more of either, or of both. The specification has to keep
 * every order of what happens at the same time: so the more there are, the less of that. */
static void join_some(void)
{
    bool more_producers = !in_place && image_random(4) == 0, more_consumers = image_random(2) == 0;

    for (int seat = 0; seat < SEATS; seat++)
        if ((seat == 2 && !more_producers) || (seat == 4 && !more_consumers))
            doing[seat] = DEAD;
        else
            ring_join(seat, role_of(seat));
    depth_max = in_place || more_producers || more_consumers ? CALLS_MAX - 1 : CALLS_MAX;
}

static void live(uint64_t seed)
{
    static const uint64_t sizes[] = {2, 4, 4, 8};

    image_begin(seed, step);
    memset(doing, 0, sizeof doing);
    in_use = 0;
    recovers = -1;
    level = IMAGE_LEVELS; /* no images of what is outside of the calls */
    ring_make(sizes[image_random(4)], image_random(3), image_random(2) == 0);
    join_some();
    level = 0;
    for (int i = 0; i < CALLS; i++)
        act();
    level = IMAGE_LEVELS;
    living = seats_that(is_alive);
    holding = seats_that(is_holding);
    go_on(RING_HOLDER);
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    const uint64_t want = argc > 2 ? strtoull(argv[2], NULL, 0) : 30000;
    uint64_t lives = 0;

    printf("seed %#llx\n", (unsigned long long)seed);
    fflush(stdout);
    for (int half = 1; half <= 2; half++) {
        if (half == 2) {
            in_place = true;
            ring_in_place();
        }
        for (; images < want / 2 * (uint64_t)half; lives++)
            live(seed++);
    }
    printf("%llu crash images, %llu of them of a recovery, in %llu lives with %llu calls, "
           "%llu of which ended there\n",
           (unsigned long long)images, (unsigned long long)again, (unsigned long long)lives,
           (unsigned long long)calls_made, (unsigned long long)deaths);
    return 0;
}

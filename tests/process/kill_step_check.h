/* SPDX-License-Identifier: MIT */
/* What kill_step and kill_pairs expect of a ring after a death: foreseen from its memory, and
 * compared with what comes of it. */
#ifndef SHMRING_TESTS_KILL_STEP_CHECK_H
#define SHMRING_TESTS_KILL_STEP_CHECK_H

#include "kill_step_victim.h"

/* What the ring itself says of each message at the moment of death, to be compared with what comes
 * of it. */
struct forecast {
    uint8_t got[NUMBERS];
    uint8_t more[NUMBERS]; /* deliveries to come */
    unsigned reading;      /* slots in which the dead left a message they had taken */
    int dead;
    uint64_t dropped;
};

static struct forecast foresee(void)
{
    struct forecast forecast = {
        .reading = count_held(SHMRING_SLOT_READING, true),
        .dead = count_dead(),
        .dropped = shmring_mpmc_dropped_guess(&world.producer.side),
    };

    memcpy(forecast.got, world.got, sizeof world.got);
    for (uint64_t idx = 0; idx < geometry.capacity; idx++) {
        enum shmring_slot_state state = state_at(idx);
        uint32_t owner = shmring_slot_owner(word_at(idx));
        uint64_t number = number_at(idx);

        if (state == SHMRING_SLOT_READY || state == SHMRING_SLOT_ORPHAN ||
            (state == SHMRING_SLOT_READING && redelivers() && is_dead(owner))) {
            CHECK(number < NUMBERS);
            forecast.more[number]++;
        }
    }
    return forecast;
}

static void came_true(const struct forecast *forecast)
{
    for (unsigned number = 0; number < NUMBERS; number++)
        if (forecast->got[number] + forecast->more[number] != 0)
            CHECK_EQ(world.got[number], forecast->got[number] + forecast->more[number]);
    CHECK_EQ(shmring_mpmc_dropped_guess(&world.producer.side) - forecast->dropped,
             redelivers() ? 0 : forecast->reading);
}

/* Committed messages that were never delivered. */
static unsigned count_missing(void)
{
    unsigned missing = 0;

    for (unsigned number = 0; number < NUMBERS; number++)
        missing += world.sent[number] == SURELY && world.got[number] == 0;
    return missing;
}

/* What the victim had done for certain, when it came to the end of the operation. */
static void note_done(bool complete)
{
    bool sends = victim->operation == COMMIT || victim->operation == SEND ||
                 (victim->operation == CLAIM && victim->finished);

    if (complete && sends)
        world.sent[FROM_VICTIM] = victim->error == 0 ? SURELY : NOT_SENT;
    if (complete && ((takes(victim->operation) && victim->finished && victim->done) ||
                     victim->operation == RECV) && victim->error == 0)
        note_got(small_number(victim->buffer), victim->slot.redelivered);
}

/* Afterwards: what the living held is theirs, the dead one's place is free, all slots are there. */
static void all_is_well(const struct forecast *forecast)
{
    shmring_mpmc_consumer next;

    take_all();
    if (world.held) {
        if (world.sent[FROM_HOLDER] != SURELY)
            let_go_writing();
        let_go_reading();
    }
    take_all();
    came_true(forecast);
    all_slots_are_there();
    CHECK_EQ(shmring_mpmc_attach_consumer(&next, segment.base, &geometry, segment.fd), 0);
    CHECK_EQ(next.side.member.id, 5);
    shmring_mpmc_detach_consumer(&next);
    CHECK_EQ(count_dead(), 0);
    CHECK_EQ(shmring_mpmc_recover(&world.consumer.side), 0);
}

/* Only what the dead one took, that many, is missing: dropped, or received between taking and
 * telling. */
static void nothing_else_is_missing(enum operation operation, bool complete, unsigned taken)
{
    if (taken != 0)
        CHECK_EQ(count_missing(), redelivers() ? 0 : 1);
    else
        CHECK(count_missing() <= (operation == RECV && !complete));
}

#endif

/* SPDX-License-Identifier: MIT */
/* The members of kill_soak, which live until they are killed, and their ledger, outside the ring:
 * each notes what it is about to do and what it has done. */
#ifndef SHMRING_TESTS_KILL_SOAK_H
#define SHMRING_TESTS_KILL_SOAK_H

#include "kill_message.h"

#include <sched.h>
#include <sys/mman.h>
#include <time.h>

enum {
    SEATS = 16,
    PER_SEAT = 1 << 16, /* messages, until the ledger is checked and begun anew */
    FLAGGED = 1 << 16,  /* in got: deliveries that were marked so are counted in the upper half */
};

enum stage { FORKED, ATTACHING, WORKING, HOLDING, LEAVING, STAGES };

enum sent { NOT_SENT, PERHAPS, SURELY };

struct seat {
    shmring_word32 stage;
    shmring_word32 taking; /* between the begin of a take and the note of what it took */
    shmring_word64 next;   /* number of the next message */
    shmring_word32 sent[PER_SEAT];
    shmring_word32 got[PER_SEAT]; /* deliveries, to anyone */
};

static struct seat *seats; /* shared */
static shmring_segment segment;
static shmring_geometry geometry;

/* What a consumer has taken in order, by seat of the sender. */
struct order {
    int64_t last[SEATS];
};

/* A number says who sent it, as which, and whether it was claimed before another one was sent. */
static uint64_t number_of(unsigned seat, uint64_t which, bool overlaps)
{
    return (uint64_t)seat << 32 | which << 1 | overlaps;
}

/* A message was taken: notes it before the slot is given back. */
static void note_taken(const shmring_mpmc_slot *slot, bool in_order, struct order *order)
{
    uint64_t number = small_read(slot->data, slot->length, slot->type);
    uint64_t from = number >> 32, which = (number & UINT32_MAX) >> 1;

    CHECK(from < SEATS && which < PER_SEAT);
    CHECK(shmring_load32_acquire(&seats[from].sent[which]) != NOT_SENT);
    shmring_add32_release(&seats[from].got[which], slot->redelivered ? FLAGGED : 1);
    if (!in_order || slot->redelivered || number % 2 != 0)
        return;
    CHECK((int64_t)which > order->last[from]);
    order->last[from] = (int64_t)which;
}

static void hold_on(uint64_t random)
{
    for (uint64_t i = random % 512; i != 0; i--)
        shmring_cpu_pause();
    if (random % 64 == 0)
        sched_yield();
}

/* Writes the next message of the seat and commits it. */
static void commit(shmring_mpmc_producer *producer, unsigned me, shmring_mpmc_slot *slot,
                   bool overlaps)
{
    struct seat *seat = &seats[me];
    /* relaxed: ours alone; who had the seat before is dead. */
    uint64_t which = shmring_load64_relaxed(&seat->next);
    uint64_t number = number_of(me, which, overlaps);

    small_write(slot->data, number);
    shmring_store64_release(&seat->next, which + 1);
    shmring_store32_release(&seat->sent[which], PERHAPS);
    CHECK_EQ(shmring_mpmc_commit(producer, slot, small_length(number), small_type(number)), 0);
    shmring_store32_release(&seat->sent[which], SURELY);
}

static void produce(shmring_mpmc_producer *producer, unsigned me, uint64_t random)
{
    shmring_mpmc_slot first, second;

    /* relaxed: ours alone. */
    if (shmring_load64_relaxed(&seats[me].next) > PER_SEAT - 3) {
        sched_yield();
        return;
    }
    if (!shmring_mpmc_claim(producer, &first)) {
        CHECK_EQ(shmring_mpmc_error(&producer->side), 0);
        if (random % 16 == 0)
            CHECK(shmring_mpmc_recover(&producer->side) >= 0);
        hold_on(random);
        return;
    }
    shmring_store32_release(&seats[me].stage, HOLDING);
    if (random % 8 == 0) {
        CHECK_EQ(shmring_mpmc_abort(producer, &first), 0);
    } else if (random % 8 == 1 && shmring_mpmc_claim(producer, &second)) {
        hold_on(random / 64);
        commit(producer, me, &second, true);
        commit(producer, me, &first, true);
    } else {
        if (random % 8 == 2)
            hold_on(random / 64);
        commit(producer, me, &first, false);
    }
    shmring_store32_release(&seats[me].stage, WORKING);
}

static bool take(shmring_mpmc_consumer *consumer, unsigned me, uint64_t random,
                 struct order *order, shmring_mpmc_slot *slot)
{
    uint32_t type = (uint32_t)(random / 8 % 4);
    bool in_order = random % 8 > 1;
    bool taken;

    shmring_store32_release(&seats[me].taking, 1);
    if (in_order)
        taken = shmring_mpmc_take(consumer, slot);
    else
        taken = shmring_mpmc_take_by(consumer, random % 8 == 0 ? SHMRING_TAKE_EQUAL
                                                               : SHMRING_TAKE_HIGHEST,
                                     type, slot);
    if (taken)
        note_taken(slot, in_order, order);
    shmring_store32_release(&seats[me].taking, 0);
    return taken;
}

static void consume(shmring_mpmc_consumer *consumer, unsigned me, uint64_t random,
                    struct order *order)
{
    shmring_mpmc_slot first, second;

    if (!take(consumer, me, random, order, &first)) {
        CHECK_EQ(shmring_mpmc_error(&consumer->side), 0);
        if (random % 16 == 2)
            CHECK(shmring_mpmc_recover(&consumer->side) >= 0);
        hold_on(random);
        return;
    }
    shmring_store32_release(&seats[me].stage, HOLDING);
    if (random / 64 % 8 == 0)
        hold_on(random / 512);
    if (random / 64 % 8 == 1 && take(consumer, me, random / 8, order, &second))
        CHECK_EQ(shmring_mpmc_release(consumer, &second), 0);
    CHECK_EQ(shmring_mpmc_release(consumer, &first), 0);
    shmring_store32_release(&seats[me].stage, WORKING);
}

/* Has the kernel kill this process at a moment that nobody here knows: with a timer of its own it
 * dies between any two instructions, however many processors there are. */
static void die_after(long ns)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    struct itimerspec when = {.it_value.tv_nsec = ns + 1};
    timer_t timer;

    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    CHECK(timer_settime(timer, 0, &when, NULL) == 0);
}

/* Waits to be killed, mostly with a slot that the others have to step around. */
static _Noreturn void hold_until_killed(bool producer, shmring_mpmc_producer *tx,
                                        shmring_mpmc_consumer *rx, unsigned me,
                                        struct order *order)
{
    shmring_mpmc_slot slot;
    bool held = producer ? shmring_mpmc_claim(tx, &slot) : take(rx, me, 2, order, &slot);

    if (held)
        shmring_store32_release(&seats[me].stage, HOLDING);
    for (;;)
        pause();
}

/* A member's life: joins, works, leaves now and then, and joins again, until it is killed: after a
 * time, or, with time 0, by the parent, to wait for whom it lies down. */
static _Noreturn void live(unsigned me, bool producer, long time, uint64_t seed)
{
    shmring_mpmc_producer tx = {0};
    shmring_mpmc_consumer rx = {0};
    struct order order;

    memset(&order, 0xff, sizeof order); /* -1 */
    if (time != 0)
        die_after(time);
    for (uint64_t budget = test_random(&seed) % 256;;) {
        uint64_t left = test_random(&seed) % 128;

        shmring_store32_release(&seats[me].stage, ATTACHING);
        CHECK_EQ(producer ? shmring_mpmc_attach_producer(&tx, segment.base, &geometry, segment.fd)
                          : shmring_mpmc_attach_consumer(&rx, segment.base, &geometry, segment.fd),
                 0);
        shmring_store32_release(&seats[me].stage, WORKING);
        for (; left != 0; left--, budget -= budget != 0) {
            if (time == 0 && budget == 0)
                hold_until_killed(producer, &tx, &rx, me, &order);
            if (producer)
                produce(&tx, me, test_random(&seed));
            else
                consume(&rx, me, test_random(&seed), &order);
        }
        shmring_store32_release(&seats[me].stage, LEAVING);
        shmring_mpmc_detach_producer(&tx);
        shmring_mpmc_detach_consumer(&rx);
    }
}

#endif

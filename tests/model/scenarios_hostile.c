/* SPDX-License-Identifier: MIT */
/* Words that no member writes, and a handle that is a copy. There is nothing to explore: one
 * thread, in setup. */
#include "scenarios.h"

#include "ring.h"

#include <unistd.h>

enum {
    SECONDS = 10, /* for what shall end at once */
};

static shmring_word32 not_here;

static void expect(bool is, const char *what)
{
    if (!is)
        explore_fail("%s", what);
}

static void nothing(void)
{
}

static void begin(uint64_t slots)
{
    alarm(SECONDS);
    ring_make(slots, 0, true);
    scenario_join(1, 1, false);
}

static void copy_in_child(void)
{
    shmring_mpmc_producer *producer;
    shmring_mpmc_consumer *consumer;
    shmring_mpmc_slot claimed, taken, none;

    begin(4);
    producer = ring_producer(0);
    consumer = ring_consumer(1);
    ring_send(0, 1);
    ring_send(0, 2);
    expect(shmring_mpmc_take(consumer, &taken), "nothing to take");
    expect(shmring_mpmc_claim(producer, &claimed), "nothing to claim");
    producer->side.member.here = consumer->side.member.here = &not_here;
    for (int bets = 0; bets < 2; bets++) {
        uint64_t before[4] = {ring_word(0), ring_word(1), ring_word(2), ring_word(3)};

        expect(!shmring_mpmc_claim(producer, &none), "the copy claims");
        expect(!shmring_mpmc_take(consumer, &none), "the copy takes");
        expect(shmring_mpmc_commit(producer, &claimed, 1, 1) == -EOWNERDEAD, "the copy commits");
        expect(shmring_mpmc_release(consumer, &taken) == -EOWNERDEAD, "the copy releases");
        expect(shmring_mpmc_recover(&consumer->side) == -EOWNERDEAD, "the copy recovers");
        expect(shmring_mpmc_error(&producer->side) == -EOWNERDEAD, "the copy knows not what it is");
        for (uint64_t idx = 0; idx < 4; idx++)
            expect(ring_word(idx) == before[idx], "the copy writes");
        ring_bet(0);
        ring_bet(1);
    }
}

static void impossible_words(void)
{
    static const struct rest {
        uint64_t word, label;
    } rests[] = {
        {SHMRING_WORD_FREE | 1, 0},
        {SHMRING_WORD_FREE | SHMRING_WORD_REDELIVERED, 0},
        {SHMRING_WORD_CLAIMED, 0},
        {SHMRING_WORD_CLAIMED | SHMRING_WORD_REDELIVERED | 1, SHMRING_LABEL_FILLED},
        {SHMRING_WORD_TAKEN, SHMRING_LABEL_FILLED},
        {SHMRING_WORD_KIND_MASK | 1, 0},
        {0x8000 | SHMRING_WORD_CLAIMED | 1, SHMRING_LABEL_FILLED},
    };
    shmring_mpmc_slot slot;

    begin(2);
    for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
        shmring_mpmc_producer producer = *ring_producer(0);
        shmring_mpmc_consumer consumer = *ring_consumer(1);

        ring_set_entry(0, rests[i].word, rests[i].label);
        expect(!shmring_mpmc_claim(&producer, &slot), "a claim of an impossible word");
        expect(shmring_mpmc_error(&producer.side) == -EBADMSG, "a claim passed by it");
        ring_set_entry(0, SHMRING_WORD_ONE_LAP | rests[i].word, rests[i].label);
        expect(!shmring_mpmc_take(&consumer, &slot), "a take of an impossible word");
        expect(shmring_mpmc_error(&consumer.side) == -EBADMSG, "a take passed by it");
    }
}

/* Each lap is ahead of the next one, in a circle. */
static void laps_in_a_circle(void)
{
    static const uint64_t laps[] = {UINT64_C(0x100000000000), UINT64_C(0x500000000000),
                                    UINT64_C(0x900000000000), UINT64_C(0xd00000000000)};
    shmring_mpmc_slot slot;

    begin(4);
    for (uint64_t idx = 0; idx < 4; idx++)
        ring_set_entry(idx, laps[idx] << 16, 0);
    expect(!shmring_mpmc_claim(ring_producer(0), &slot), "a claim between the laps");
    expect(!shmring_mpmc_take(ring_consumer(1), &slot), "a take between the laps");
}

static void impossible_length(void)
{
    uint8_t buffer[8];
    shmring_mpmc_slot slot;

    begin(2);
    for (int bets = 0; bets < 2; bets++) {
        shmring_mpmc_consumer consumer = *ring_consumer(1), other = consumer;

        ring_set_entry(0, SHMRING_WORD_ONE_LAP | SHMRING_WORD_CLAIMED | 1,
                       SHMRING_LABEL_FILLED | (sizeof buffer + 1));
        expect(!shmring_mpmc_take(&consumer, &slot), "a message longer than its slot");
        expect(shmring_mpmc_error(&consumer.side) == -EBADMSG, "and no error");
        ring_set_entry(0, SHMRING_WORD_ONE_LAP | SHMRING_WORD_CLAIMED | 1,
                       SHMRING_LABEL_FILLED | (sizeof buffer + 1));
        expect(shmring_mpmc_recv(&other, buffer, sizeof buffer, &slot) == -EBADMSG,
               "a copy of a message longer than its slot");
        ring_bet(1);
    }
}

const struct scenario scenarios_hostile[] = {
    {"copy_in_child", {.setup = copy_in_child, .finished = nothing}},
    {"impossible_words", {.setup = impossible_words, .finished = nothing}},
    {"laps_in_a_circle", {.setup = laps_in_a_circle, .finished = nothing}},
    {"impossible_length", {.setup = impossible_length, .finished = nothing}},
    {0},
};

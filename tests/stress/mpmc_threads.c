/* SPDX-License-Identifier: MIT */
/*
 * Claim: messages pass between many threads whole, each once, and those of one producer and type
 * in order; with aborts, batches, slots held for laps, selective takes and consumers that leave
 * with a message in hand. One mapping, so that ThreadSanitizer sees both ends of each ordering:
 * with [mpmc.A], B, C or D made relaxed it reports a race.
 */
#include "../messages.h"

#include <pthread.h>
#include <sched.h>

enum {
    MEMBERS_MAX = 4,
    MESSAGES = 12000, /* of each producer */
    TYPES = 4,       /* of each producer; the last is for what may come out of order */
    UNORDERED = TYPES - 1,
    HELD_MAX = 6,
};

/* What all threads of a round share. */
static struct {
    shmring_geometry geometry;
    shmring_segment segment;
    int producers;
    uint64_t seed;
    shmring_word64 done; /* messages that were released */
} ring;

typedef struct sender {
    int index;
    uint64_t random;
    uint64_t number;
    shmring_mpmc_producer producer;
    shmring_mpmc_slot held[HELD_MAX];
    uint32_t held_count;
} sender;

typedef struct receiver {
    uint64_t random;
    shmring_mpmc_consumer consumer;
    shmring_mpmc_slot held[HELD_MAX];
    uint32_t held_count;
    uint64_t next[MEMBERS_MAX][TYPES]; /* the least number that may come */
    uint8_t seen[MEMBERS_MAX][MESSAGES];
} receiver;

/* Sends the next message of this thread in that slot. */
static void finish(sender *me, shmring_mpmc_slot *slot, bool ordered)
{
    uint64_t number = (uint64_t)me->index << 32 | me->number++;
    uint32_t type = ordered ? (uint32_t)(test_random(&me->random) % UNORDERED) : UNORDERED;

    message_write(slot->data, number);
    CHECK_EQ(shmring_mpmc_commit(&me->producer, slot, (uint32_t)message_length(number),
                                 (uint32_t)me->index * TYPES + type), 0);
}

static void finish_held(sender *me)
{
    if (me->held_count != 0)
        finish(me, &me->held[--me->held_count], false);
}

static void send_some(sender *me)
{
    uint64_t dice = test_random(&me->random), left = MESSAGES - me->number - me->held_count;
    shmring_mpmc_slot slots[4];
    uint32_t want = dice % 8 == 0 ? 1 + (uint32_t)(dice >> 8) % 4 : 1;
    uint32_t count = shmring_mpmc_claim_many(&me->producer, slots, want < left ? want : 1);

    CHECK_EQ(shmring_mpmc_error(&me->producer.side), 0);
    if (count == 0) {
        finish_held(me);
        sched_yield();
    } else if (dice % 8 == 1 || left == 0) {
        memset(slots[0].data, (int)dice, MESSAGE_MAX);
        CHECK_EQ(shmring_mpmc_abort(&me->producer, &slots[0]), 0);
    } else if (dice % 8 == 2 && me->held_count < HELD_MAX) {
        me->held[me->held_count++] = slots[0];
    } else {
        for (uint32_t i = 0; i < count; i++)
            finish(me, &slots[i], count == 1);
    }
    if (dice >> 16 & 1 || left == 0)
        finish_held(me);
}

static void *produce(void *argument)
{
    sender *me = argument;

    CHECK_EQ(shmring_mpmc_attach_producer(&me->producer, ring.segment.base, &ring.geometry, -1),
             0);
    while (me->number < MESSAGES)
        send_some(me);
    shmring_mpmc_detach_producer(&me->producer);
    return NULL;
}

/* Is the message whole? Returns its number. */
static uint32_t check_message(const shmring_mpmc_slot *slot)
{
    uint64_t number;

    CHECK(slot->type / TYPES < (uint32_t)ring.producers && slot->length >= sizeof number);
    memcpy(&number, slot->data, sizeof number);
    CHECK_EQ(number >> 32, slot->type / TYPES);
    CHECK(message_is(slot->data, slot->length, message_type(number), number));
    CHECK((uint32_t)number < MESSAGES);
    return (uint32_t)number;
}

static void check_order(receiver *me, const shmring_mpmc_slot *slot)
{
    uint32_t number = check_message(slot);
    uint64_t *next = &me->next[slot->type / TYPES][slot->type % TYPES];

    if (slot->type % TYPES == UNORDERED || slot->redelivered)
        return;
    CHECK(number >= *next);
    *next = number + 1;
}

static void release(receiver *me)
{
    if (me->held_count == 0)
        return;
    shmring_mpmc_slot *slot = &me->held[--me->held_count];

    /* Whole still, however long it was held. */
    me->seen[slot->type / TYPES][check_message(slot)]++;
    CHECK_EQ(shmring_mpmc_release(&me->consumer, slot), 0);
    /* relaxed: a count. */
    shmring_add64_relaxed(&ring.done, 1);
}

static bool take(receiver *me, uint64_t dice, shmring_mpmc_slot *slot)
{
    uint32_t type = (uint32_t)(dice >> 8) % (TYPES * MEMBERS_MAX);

    if (dice % 4 != 0)
        return shmring_mpmc_take(&me->consumer, slot);
    return shmring_mpmc_take_by(&me->consumer, (enum shmring_mpmc_wish)(dice >> 16 & 3) + 1, type,
                                slot);
}

static void attach(receiver *me)
{
    CHECK_EQ(shmring_mpmc_attach_consumer(&me->consumer, ring.segment.base, &ring.geometry, -1),
             0);
}

static void *consume(void *argument)
{
    receiver *me = argument;
    uint64_t total = (uint64_t)ring.producers * MESSAGES;

    attach(me);
    /* relaxed: a count. */
    while (shmring_load64_relaxed(&ring.done) < total) {
        uint64_t dice = test_random(&me->random);
        shmring_mpmc_slot slot;

        if (!take(me, dice, &slot)) {
            CHECK_EQ(shmring_mpmc_error(&me->consumer.side), 0);
            release(me);
            sched_yield();
            continue;
        }
        check_order(me, &slot);
        if (me->held_count == HELD_MAX)
            release(me);
        me->held[me->held_count++] = slot;
        if (dice >> 20 & 3)
            release(me);
        /* Leaves with messages in hand: they come again, to whomever. */
        if (ring.geometry.options == SHMRING_OPTION_REDELIVER && (dice >> 24) % 512 == 0) {
            shmring_mpmc_detach_consumer(&me->consumer);
            me->held_count = 0;
            attach(me);
        }
    }
    CHECK_EQ(me->held_count, 0);
    CHECK(!shmring_mpmc_take(&me->consumer, &me->held[0]));
    shmring_mpmc_detach_consumer(&me->consumer);
    return NULL;
}

static void run(uint64_t slots, int producers, int consumers, uint64_t options)
{
    static sender senders[MEMBERS_MAX];
    static receiver receivers[MEMBERS_MAX];
    pthread_t threads[2 * MEMBERS_MAX];

    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_MPMC, MESSAGE_MAX, slots, &ring.geometry), 0);
    ring.geometry.options = options;
    CHECK_EQ(shmring_segment_create(&ring.segment, NULL, &ring.geometry, NULL), 0);
    ring.producers = producers;
    shmring_store64_relaxed(&ring.done, 0);
    memset(senders, 0, sizeof senders);
    memset(receivers, 0, sizeof receivers);
    for (int i = 0; i < producers; i++) {
        senders[i].index = i;
        senders[i].random = test_random(&ring.seed);
        CHECK_EQ(pthread_create(&threads[i], NULL, produce, &senders[i]), 0);
    }
    for (int i = 0; i < consumers; i++) {
        receivers[i].random = test_random(&ring.seed);
        CHECK_EQ(pthread_create(&threads[producers + i], NULL, consume, &receivers[i]), 0);
    }
    for (int i = 0; i < producers + consumers; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    for (int from = 0; from < producers; from++)
        for (int number = 0; number < MESSAGES; number++) {
            int times = 0;

            for (int i = 0; i < consumers; i++)
                times += receivers[i].seen[from][number];
            CHECK_EQ(times, 1);
        }
    shmring_segment_close(&ring.segment);
}

enum {
    OVERTAKES = 2000,
    BEFORE = 20, /* more than a consumer notes */
    BETWEEN = 600,
};

/*
 * One slot is claimed, then many that are held, so that a search takes long from the first to the
 * frontier. Meanwhile a message goes into the first, and after that another behind the last: a
 * search that had passed by the first must not come back with the second.
 */
static void *overtake(void *argument)
{
    static shmring_mpmc_slot slots[BEFORE + 1 + BETWEEN + 1];
    shmring_mpmc_producer producer;

    (void)argument;
    CHECK_EQ(shmring_mpmc_attach_producer(&producer, ring.segment.base, &ring.geometry, -1), 0);
    for (uint32_t round = 0; round < OVERTAKES; round++) {
        uint32_t before = round % 2 * BEFORE, last = before + 1 + BETWEEN;

        CHECK_EQ(shmring_mpmc_claim_many(&producer, slots, last), last);
        CHECK_EQ(shmring_mpmc_commit(&producer, &slots[before], 0, 2 * round), 0);
        CHECK_EQ(shmring_mpmc_send(&producer, "", 0, 2 * round + 1), 0);
        /* The first ones last: a change of theirs would make the search start over anyway. */
        for (uint32_t i = last; i-- != 0;)
            CHECK(i == before || shmring_mpmc_abort(&producer, &slots[i]) == 0);
        /* relaxed: a count. */
        while (shmring_load64_relaxed(&ring.done) != 2 * (round + 1))
            sched_yield();
    }
    shmring_mpmc_detach_producer(&producer);
    return NULL;
}

static void run_overtakes(void)
{
    shmring_mpmc_consumer consumer;
    shmring_mpmc_slot slot;
    pthread_t thread;

    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_MPMC, 8, 1024, &ring.geometry), 0);
    CHECK_EQ(shmring_segment_create(&ring.segment, NULL, &ring.geometry, NULL), 0);
    CHECK_EQ(shmring_mpmc_attach_consumer(&consumer, ring.segment.base, &ring.geometry, -1), 0);
    shmring_store64_relaxed(&ring.done, 0);
    CHECK_EQ(pthread_create(&thread, NULL, overtake, NULL), 0);
    for (uint32_t want = 0; want < 2 * OVERTAKES; want++) {
        while (!shmring_mpmc_take(&consumer, &slot))
            CHECK_EQ(shmring_mpmc_error(&consumer.side), 0);
        CHECK_EQ(slot.type, want);
        CHECK_EQ(shmring_mpmc_release(&consumer, &slot), 0);
        /* relaxed: a count. */
        shmring_add64_relaxed(&ring.done, 1);
    }
    CHECK_EQ(pthread_join(thread, NULL), 0);
    shmring_mpmc_detach_consumer(&consumer);
    shmring_segment_close(&ring.segment);
}

int main(int argc, char **argv)
{
    ring.seed = test_seed(argc, argv);
    run(2, 2, 2, 0);
    run(2, 4, 3, 0);
    run(4, 3, 2, 0);
    run(4, 2, 4, SHMRING_OPTION_REDELIVER);
    run(64, 2, 2, 0);
    run(64, 4, 4, SHMRING_OPTION_REDELIVER);
    run(1024, 1, 3, 0);
    run_overtakes();
    return 0;
}

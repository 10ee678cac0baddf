/* SPDX-License-Identifier: MIT */
/*
 * Claim: messages pass between two threads whole, once and in order, with batches on both sides,
 * spinning and sleeping. One mapping, so that ThreadSanitizer sees both ends of each ordering:
 * with [spsc.A], B, C or D made relaxed it reports a race.
 */
#include "../messages.h"

#include <pthread.h>

enum {
    MESSAGES = 200000,
};

static shmring_geometry geometry;
static shmring_segment segment;
static bool sleeping;

static void wait_for_room(shmring_spsc_producer *producer, shmring_waiter *waiter,
                          shmring_spin *spin, uint64_t number)
{
    shmring_spsc_publish(producer);
    shmring_wake(waiter);
    if (!sleeping) {
        shmring_spin_miss(spin, number);
        return;
    }
    uint32_t ticket = shmring_wait_arm(waiter, producer->tail_pos - geometry.capacity / 2);

    if (!shmring_spsc_has_room(producer, MESSAGE_MAX * 2))
        shmring_wait_sleep(waiter, ticket, SHMRING_NEVER);
    shmring_wait_disarm(waiter);
}

static void *produce(void *argument)
{
    uint64_t seed = *(uint64_t *)argument;
    shmring_spsc_producer producer;
    shmring_waiter waiter;
    shmring_spin spin = {0};

    CHECK_EQ(shmring_spsc_attach_producer(&producer, segment.base, &geometry, segment.fd), 0);
    CHECK_EQ(shmring_waiter_open(&waiter, segment.base, &geometry, SHMRING_ROLE_PRODUCER, NULL), 0);
    for (uint64_t number = 0; number < MESSAGES; number++) {
        void *place;

        while ((place = shmring_spsc_reserve(&producer, MESSAGE_MAX)) == NULL)
            wait_for_room(&producer, &waiter, &spin, number);
        shmring_spin_hit(&spin);
        message_write(place, number);
        CHECK(shmring_spsc_stage(&producer, message_length(number), message_type(number)));
        if (test_random(&seed) % 4 == 0) {
            shmring_spsc_publish(&producer);
            shmring_wake(&waiter);
        }
    }
    shmring_spsc_end_producer(&producer);
    shmring_wake_always(&waiter);
    shmring_spsc_detach_producer(&producer);
    return NULL;
}

static void wait_for_message(shmring_spsc_consumer *consumer, shmring_waiter *waiter,
                             shmring_spin *spin, uint64_t number)
{
    shmring_spsc_release(consumer);
    shmring_spsc_flush(consumer);
    shmring_wake(waiter);
    if (!sleeping) {
        shmring_spin_miss(spin, number);
        return;
    }
    uint32_t ticket = shmring_wait_arm(waiter, consumer->read_pos + 1);

    if (!shmring_spsc_has_record(consumer) && !shmring_spsc_peer_left(&consumer->side))
        shmring_wait_sleep(waiter, ticket, SHMRING_NEVER);
    shmring_wait_disarm(waiter);
}

static void *consume(void *argument)
{
    uint64_t seed = ~*(uint64_t *)argument;
    shmring_spsc_consumer consumer;
    shmring_waiter waiter;
    shmring_spin spin = {0};

    CHECK_EQ(shmring_spsc_attach_consumer(&consumer, segment.base, &geometry, segment.fd), 0);
    CHECK_EQ(shmring_waiter_open(&waiter, segment.base, &geometry, SHMRING_ROLE_CONSUMER, NULL), 0);
    for (uint64_t number = 0; number < MESSAGES; number++) {
        const void *message;
        uint64_t length;
        uint32_t type;

        while ((message = shmring_spsc_peek(&consumer, &length, &type)) == NULL) {
            CHECK_EQ(shmring_spsc_error(&consumer.side), 0);
            wait_for_message(&consumer, &waiter, &spin, number);
        }
        shmring_spin_hit(&spin);
        CHECK(message_is(message, length, type, number));
        if (test_random(&seed) % 8 != 0) {
            shmring_spsc_release(&consumer);
            shmring_wake(&waiter);
        } else {
            shmring_spsc_hold(&consumer);
        }
    }
    CHECK(shmring_spsc_peek(&consumer, &(uint64_t){0}, NULL) == NULL);
    shmring_spsc_detach_consumer(&consumer);
    return NULL;
}

static void run(uint64_t capacity, uint64_t seed)
{
    pthread_t producer, consumer;

    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_SPSC, 0, capacity, &geometry), 0);
    CHECK_EQ(shmring_segment_create(&segment, NULL, &geometry, NULL), 0);
    CHECK_EQ(pthread_create(&producer, NULL, produce, &seed), 0);
    CHECK_EQ(pthread_create(&consumer, NULL, consume, &seed), 0);
    CHECK_EQ(pthread_join(producer, NULL), 0);
    CHECK_EQ(pthread_join(consumer, NULL), 0);
    shmring_segment_close(&segment);
}

int main(int argc, char **argv)
{
    uint64_t seed = test_seed(argc, argv);

    for (int round = 0; round < 4; round++) {
        sleeping = round % 2 == 1;
        run(round < 2 ? 4096 : 65536, seed + (uint64_t)round);
    }
    return 0;
}

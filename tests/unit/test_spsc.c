/* SPDX-License-Identifier: MIT */
/* Messages through one ring, in one thread: every claim of spsc.h that needs no second one. */
#include "memory.h"

#include <errno.h>

typedef struct pair {
    ring_memory memory;
    shmring_spsc_producer producer;
    shmring_spsc_consumer consumer;
} pair;

static pair pair_new(uint64_t capacity)
{
    pair ring = {.memory = ring_memory_new(0, capacity)};

    cr_assert_eq(shmring_spsc_attach_producer(&ring.producer, ring.memory.base,
                                              &ring.memory.geometry, -1), 0);
    cr_assert_eq(shmring_spsc_attach_consumer(&ring.consumer, ring.memory.base,
                                              &ring.memory.geometry, -1), 0);
    return ring;
}

static void pair_free(pair *ring)
{
    shmring_spsc_detach_producer(&ring->producer);
    shmring_spsc_detach_consumer(&ring->consumer);
    ring_memory_free(&ring->memory);
}

static int fill(pair *ring, uint64_t length)
{
    int sent = 0;

    while (shmring_spsc_reserve(&ring->producer, length) != NULL) {
        cr_assert(shmring_spsc_commit(&ring->producer, length, 0));
        sent++;
    }
    return sent;
}

Test(spsc, messages_of_every_length_arrive_whole_with_their_type_across_the_wrap)
{
    pair ring = pair_new(4096);
    uint8_t in[2048], out[2048];
    uint64_t max = shmring_spsc_max_message(&ring.producer.side);
    uint64_t got;
    uint32_t type;

    cr_assert_eq(max, 2040);
    for (uint64_t round = 0; round < 3 * (max + 1); round++) {
        uint64_t length = round * 7 % (max + 1);

        memset(in, (int)round, sizeof in);
        cr_assert_eq(shmring_spsc_send(&ring.producer, in, length, (uint32_t)~round), 0);
        cr_assert_eq(shmring_spsc_recv(&ring.consumer, out, sizeof out, &got, &type), 0);
        cr_assert_eq(got, length);
        cr_assert_eq(type, (uint32_t)~round);
        cr_assert_eq(memcmp(in, out, length), 0);
    }
    pair_free(&ring);
}

Test(spsc, places_are_aligned_to_eight_bytes)
{
    pair ring = pair_new(4096);
    uint64_t length;

    for (uint64_t i = 0; i < 500; i++) {
        void *place = shmring_spsc_reserve(&ring.producer, i % 61);

        cr_assert_eq((uintptr_t)place % 8, 0);
        cr_assert(shmring_spsc_commit(&ring.producer, i % 61, 0));
        cr_assert_eq((uintptr_t)shmring_spsc_peek(&ring.consumer, &length, NULL) % 8, 0);
        shmring_spsc_release(&ring.consumer);
    }
    pair_free(&ring);
}

Test(spsc, too_long_is_refused_and_nothing_is_sent)
{
    pair ring = pair_new(4096);
    static uint8_t message[4096];
    const uint64_t bad[] = {2041, 4096, UINT32_MAX, UINT64_MAX, UINT64_MAX - 15};
    uint64_t length;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_expect_null(shmring_spsc_reserve(&ring.producer, bad[i]));
        cr_expect_eq(shmring_spsc_send(&ring.producer, message, bad[i], 0), -EMSGSIZE);
    }
    cr_expect_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
    cr_expect_eq(shmring_spsc_send(&ring.producer, message, 2040, 0), 0);
    pair_free(&ring);
}

Test(spsc, a_message_of_the_greatest_length_always_fits_an_empty_ring)
{
    pair ring = pair_new(4096);
    uint64_t length;

    for (uint64_t shift = 0; shift < 4096; shift += 8) {
        cr_assert_not_null(shmring_spsc_reserve(&ring.producer, 2040), "at %u", (unsigned)shift);
        cr_assert(shmring_spsc_commit(&ring.producer, 2040, 0));
        cr_assert_not_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
        shmring_spsc_release(&ring.consumer);
        cr_assert_eq(shmring_spsc_send(&ring.producer, "", 0, 0), 0);
        cr_assert_not_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
        shmring_spsc_release(&ring.consumer);
        cr_assert_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
    }
    pair_free(&ring);
}

Test(spsc, full_is_exact_and_nothing_is_overwritten)
{
    pair ring = pair_new(4096);
    uint64_t length;
    uint64_t value;

    for (value = 0; shmring_spsc_send(&ring.producer, &value, 8, 0) == 0; value++)
        ;
    cr_assert_eq(value, 4096 / 16);
    cr_expect_eq(shmring_spsc_used_guess(&ring.producer.side), 4096);
    cr_expect_eq(shmring_spsc_used_guess(&ring.consumer.side), 4096);
    for (uint64_t i = 0; i < value; i++) {
        const uint64_t *message = shmring_spsc_peek(&ring.consumer, &length, NULL);

        cr_assert_not_null(message);
        cr_assert_eq(*message, i);
        shmring_spsc_release(&ring.consumer);
    }
    cr_expect_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
    pair_free(&ring);
}

Test(spsc, commit_may_shrink_but_not_grow)
{
    pair ring = pair_new(4096);
    uint64_t length = 99;
    void *place = shmring_spsc_reserve(&ring.producer, 100);

    memcpy(place, "shrunk", 6);
    cr_expect_not(shmring_spsc_commit(&ring.producer, 105, 0));
    cr_expect_not(shmring_spsc_commit(&ring.producer, UINT64_MAX, 0));
    cr_expect_null(shmring_spsc_peek(&ring.consumer, &length, NULL), "nothing was sent");
    cr_expect(shmring_spsc_commit(&ring.producer, 6, 0));
    cr_expect_not(shmring_spsc_commit(&ring.producer, 0, 0), "the reservation is used up");
    const void *message = shmring_spsc_peek(&ring.consumer, &length, NULL);
    cr_assert_not_null(message);
    cr_expect_eq(length, 6);
    cr_expect_eq(memcmp(message, "shrunk", 6), 0);
    pair_free(&ring);
}

Test(spsc, an_aborted_or_abandoned_reservation_is_never_seen)
{
    pair ring = pair_new(4096);
    uint64_t length;

    for (int i = 0; i < 1000; i++) {
        cr_assert_not_null(shmring_spsc_reserve(&ring.producer, 2000));
        shmring_spsc_abort(&ring.producer);
        cr_assert_not(shmring_spsc_commit(&ring.producer, 1, 0), "nothing is reserved");
        cr_assert_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
        cr_assert_eq(shmring_spsc_send(&ring.producer, &i, sizeof i, 0), 0);
        const int *message = shmring_spsc_peek(&ring.consumer, &length, NULL);
        cr_assert_not_null(message);
        cr_assert_eq(*message, i);
        shmring_spsc_release(&ring.consumer);
    }
    pair_free(&ring);
}

Test(spsc, room_that_was_skipped_for_an_aborted_message_comes_back)
{
    pair ring = pair_new(4096);
    uint64_t length;

    cr_assert_eq(fill(&ring, 8), 4096 / 16);
    for (int i = 0; i < 4096 / 16 - 1; i++) {
        cr_assert_not_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
        shmring_spsc_release(&ring.consumer);
    }
    shmring_spsc_flush(&ring.consumer);
    cr_assert_eq(shmring_spsc_send(&ring.producer, "", 0, 0), 0);
    for (int i = 0; i < 2; i++) {
        cr_assert_not_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
        shmring_spsc_release(&ring.consumer);
    }
    cr_assert_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
    while (ring.producer.tail_pos % 4096 != 4096 - 16) {
        cr_assert_eq(shmring_spsc_send(&ring.producer, "", 0, 0), 0);
        cr_assert_not_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
        shmring_spsc_release(&ring.consumer);
    }
    cr_assert_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
    cr_assert_not_null(shmring_spsc_reserve(&ring.producer, 2040));
    shmring_spsc_abort(&ring.producer);
    shmring_spsc_publish(&ring.producer); /* the skip alone */
    cr_assert_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
    cr_expect_eq(fill(&ring, 2040), 2, "the whole ring is free");
    pair_free(&ring);
}

Test(spsc, a_batch_is_invisible_until_it_is_published)
{
    pair ring = pair_new(4096);
    uint64_t length;

    for (uint32_t i = 0; i < 10; i++) {
        cr_assert_not_null(shmring_spsc_reserve(&ring.producer, 4));
        cr_assert(shmring_spsc_stage(&ring.producer, 4, i));
        cr_expect_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
    }
    shmring_spsc_publish(&ring.producer);
    for (uint32_t i = 0; i < 10; i++) {
        uint32_t type;
        cr_assert_not_null(shmring_spsc_peek(&ring.consumer, &length, &type));
        cr_expect_eq(type, i);
        shmring_spsc_release(&ring.consumer);
    }
    pair_free(&ring);
}

Test(spsc, held_messages_keep_their_memory_until_release)
{
    pair ring = pair_new(4096);
    const uint64_t *held[8];
    uint64_t length;

    for (uint64_t i = 0; i < 8; i++)
        cr_assert_eq(shmring_spsc_send(&ring.producer, &i, 8, 0), 0);
    for (int i = 0; i < 8; i++) {
        held[i] = shmring_spsc_peek(&ring.consumer, &length, NULL);
        cr_assert_not_null(held[i]);
        shmring_spsc_hold(&ring.consumer);
    }
    cr_expect_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
    cr_expect_eq(fill(&ring, 8), 4096 / 16 - 8, "held memory is not given out again");
    for (uint64_t i = 0; i < 8; i++)
        cr_expect_eq(*held[i], i);
    shmring_spsc_release(&ring.consumer);
    shmring_spsc_flush(&ring.consumer);
    cr_expect_eq(fill(&ring, 8), 8);
    pair_free(&ring);
}

Test(spsc, an_idle_consumer_and_a_producer_that_needs_much_room_do_not_wait_for_each_other)
{
    pair ring = pair_new(4096);
    uint64_t length;

    cr_assert_eq(shmring_spsc_send(&ring.producer, "", 0, 0), 0);
    cr_assert_not_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
    shmring_spsc_release(&ring.consumer); /* put off: far less than an eighth */
    cr_assert_eq(fill(&ring, 4088 / 2 - 8), 1);
    cr_assert_not_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
    shmring_spsc_release(&ring.consumer);
    cr_assert_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
    cr_expect_not_null(shmring_spsc_reserve(&ring.producer, 2040));
    pair_free(&ring);
}

Test(spsc, recv_into_a_short_buffer_loses_nothing)
{
    pair ring = pair_new(4096);
    char out[16] = "untouched";
    uint64_t length = 0;

    cr_assert_eq(shmring_spsc_send(&ring.producer, "0123456789", 10, 5), 0);
    cr_expect_eq(shmring_spsc_recv(&ring.consumer, out, 9, &length, NULL), -EMSGSIZE);
    cr_expect_eq(length, 10);
    cr_expect_str_eq(out, "untouched");
    cr_expect_eq(shmring_spsc_recv(&ring.consumer, out, 10, &length, NULL), 0);
    cr_expect_eq(memcmp(out, "0123456789", 10), 0);
    cr_expect_eq(shmring_spsc_recv(&ring.consumer, out, 16, &length, NULL), -EAGAIN);
    pair_free(&ring);
}

Test(spsc, a_successor_goes_on_where_the_last_holder_stopped)
{
    pair ring = pair_new(4096);
    uint64_t value, length;
    uint32_t sent = 0, got = 0;

    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 7; i++, sent++)
            cr_assert_eq(shmring_spsc_send(&ring.producer, &sent, 4, 0), 0);
        cr_assert_not_null(shmring_spsc_reserve(&ring.producer, 700)); /* dies writing this */
        memset(&ring.producer, 0, sizeof ring.producer);
        cr_assert_eq(shmring_spsc_attach_producer(&ring.producer, ring.memory.base,
                                                  &ring.memory.geometry, -1), 0);
        for (int i = 0; i < 7; i++, got++) {
            cr_assert_eq(shmring_spsc_recv(&ring.consumer, &value, 8, &length, NULL), 0);
            cr_assert_eq((uint32_t)value, got);
            shmring_spsc_flush(&ring.consumer);
        }
        memset(&ring.consumer, 0, sizeof ring.consumer);
        cr_assert_eq(shmring_spsc_attach_consumer(&ring.consumer, ring.memory.base,
                                                  &ring.memory.geometry, -1), 0);
    }
    pair_free(&ring);
}

Test(spsc, what_a_consumer_did_not_give_back_is_delivered_again)
{
    pair ring = pair_new(4096);
    uint64_t length;

    cr_assert_eq(shmring_spsc_send(&ring.producer, "a", 1, 0), 0);
    cr_assert_eq(shmring_spsc_send(&ring.producer, "b", 1, 0), 0);
    cr_assert_not_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
    shmring_spsc_release(&ring.consumer);
    shmring_spsc_flush(&ring.consumer);
    cr_assert_not_null(shmring_spsc_peek(&ring.consumer, &length, NULL));
    memset(&ring.consumer, 0, sizeof ring.consumer); /* dies with b in hand */
    cr_assert_eq(shmring_spsc_attach_consumer(&ring.consumer, ring.memory.base,
                                              &ring.memory.geometry, -1), 0);
    const char *again = shmring_spsc_peek(&ring.consumer, &length, NULL);
    cr_assert_not_null(again);
    cr_expect_eq(*again, 'b');
    pair_free(&ring);
}

Test(spsc, an_array_ring_is_no_message_ring)
{
    ring_memory memory = ring_memory_new(8, 64);
    shmring_spsc_producer producer;
    shmring_spsc_consumer consumer;

    cr_expect_eq(shmring_spsc_attach_producer(&producer, memory.base, &memory.geometry, -1),
                 -EPROTOTYPE);
    cr_expect_eq(shmring_spsc_attach_consumer(&consumer, memory.base, &memory.geometry, -1),
                 -EPROTOTYPE);
    ring_memory_free(&memory);
}

Test(spsc, detach_of_a_zeroed_handle_is_ignored)
{
    shmring_spsc_producer producer = {0};
    shmring_spsc_consumer consumer = {0};

    shmring_spsc_detach_producer(&producer);
    shmring_spsc_detach_consumer(&consumer);
    cr_expect_null(producer.side.own);
}

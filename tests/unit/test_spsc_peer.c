/* SPDX-License-Identifier: MIT */
/* A peer that writes what it should not: poison, never an access outside (ASan watches). */
#include "memory.h"

#include <errno.h>

static ring_memory memory;
static shmring_spsc_producer producer;
static shmring_spsc_consumer consumer;

static void attach(void)
{
    memory = ring_memory_new(0, 4096);
    cr_assert_eq(shmring_spsc_attach_producer(&producer, memory.base, &memory.geometry, -1), 0);
    cr_assert_eq(shmring_spsc_attach_consumer(&consumer, memory.base, &memory.geometry, -1), 0);
}

static void detach(void)
{
    ring_memory_free(&memory);
}

TestSuite(spsc_peer, .init = attach, .fini = detach);

static void expect_consumer_poisoned(const char *why)
{
    uint64_t length = 1234;

    cr_expect_null(shmring_spsc_peek(&consumer, &length, NULL), "%s", why);
    cr_expect_eq(length, 1234, "%s", why);
    cr_expect_eq(shmring_spsc_error(&consumer.side), -EBADMSG, "%s", why);
    cr_expect_eq(shmring_spsc_recv(&consumer, &length, 8, &length, NULL), -EBADMSG, "%s", why);
    memset(memory.base + memory.geometry.data_offset, 0, 4096);
    cr_expect_null(shmring_spsc_peek(&consumer, &length, NULL), "%s: poison is for good", why);
}

static void write_record(uint64_t at, uint64_t header, uint64_t tail)
{
    shmring_store64_relaxed((void *)(memory.base + memory.geometry.data_offset + at), header);
    shmring_store64_release(&ring_memory_role(&memory, true)->pos, tail);
}

Test(spsc_peer, a_tail_beyond_the_ring_poisons)
{
    write_record(0, 0, 4104);
    expect_consumer_poisoned("tail");
}

Test(spsc_peer, poison_is_for_good_also_with_good_messages_left)
{
    uint64_t value, length;

    for (int i = 0; i < 3; i++)
        cr_assert_eq(shmring_spsc_send(&producer, &value, 8, 0), 0);
    cr_assert(shmring_spsc_has_record(&consumer));
    shmring_store64_relaxed(&ring_memory_role(&memory, true)->pos, UINT64_MAX - 7);
    cr_assert_not(shmring_spsc_has_record(&consumer));
    for (int i = 0; i < 3; i++)
        cr_expect_eq(shmring_spsc_recv(&consumer, &value, 8, &length, NULL), -EBADMSG);
}

Test(spsc_peer, a_tail_that_goes_back_poisons)
{
    uint64_t length;

    cr_assert_eq(shmring_spsc_send(&producer, "a", 1, 0), 0);
    cr_assert_not_null(shmring_spsc_peek(&consumer, &length, NULL));
    shmring_spsc_release(&consumer);
    write_record(0, 0, 8);
    expect_consumer_poisoned("back");
}

Test(spsc_peer, records_longer_than_what_is_published_poison)
{
    write_record(0, 9, 16);
    expect_consumer_poisoned("length");
}

Test(spsc_peer, a_tail_that_is_no_end_of_a_record_poisons)
{
    write_record(0, 0, 4);
    expect_consumer_poisoned("odd tail");
}

Test(spsc_peer, records_with_impossible_lengths_poison)
{
    write_record(0, SHMRING_RECORD_LENGTH_MASK, 4096);
    expect_consumer_poisoned("length");
}

Test(spsc_peer, a_skip_that_does_not_end_with_the_data_poisons)
{
    write_record(0, SHMRING_RECORD_SKIP | 8, 4096);
    expect_consumer_poisoned("skip");
}

Test(spsc_peer, skips_without_end_do_not_hold_a_peek)
{
    write_record(0, SHMRING_RECORD_SKIP | 4088, 4096);
    expect_consumer_poisoned("a skip of a whole lap needs no message to follow, for ever");
}

Test(spsc_peer, a_head_that_goes_back_or_ahead_of_the_tail_poisons)
{
    struct shmring_role *role = ring_memory_role(&memory, false);

    while (shmring_spsc_send(&producer, "12345678", 8, 0) == 0)
        ;
    shmring_store64_relaxed(&role->pos, 4097);
    cr_expect_null(shmring_spsc_reserve(&producer, 8));
    cr_expect_eq(shmring_spsc_error(&producer.side), -EBADMSG);
    shmring_store64_relaxed(&role->pos, 4096);
    cr_expect_null(shmring_spsc_reserve(&producer, 0), "poison is for good");
    cr_expect_null(shmring_spsc_reserve(&producer, 8), "poison is for good");
    cr_expect_eq(shmring_spsc_send(&producer, "", 0, 0), -EBADMSG);
}

Test(spsc_peer, a_reservation_that_was_open_when_poison_came_is_not_sent)
{
    struct shmring_role *role = ring_memory_role(&memory, false);

    while (shmring_spsc_send(&producer, "12345678", 8, 0) == 0)
        ;
    shmring_store64_relaxed(&role->pos, 64);
    cr_assert_not_null(shmring_spsc_reserve(&producer, 8));
    shmring_store64_relaxed(&role->pos, 0);
    cr_expect_null(shmring_spsc_reserve(&producer, 1000), "head went back");
    cr_expect_not(shmring_spsc_commit(&producer, 8, 0));
    cr_expect_null(shmring_spsc_reserve(&producer, 8), "poison is for good");
    cr_expect_eq(shmring_spsc_send(&producer, "12345678", 8, 0), -EBADMSG);
    cr_expect_eq(shmring_load64_relaxed(&ring_memory_role(&memory, true)->pos), 4096);
}

Test(spsc_peer, attach_refuses_impossible_positions)
{
    const uint64_t bad[][2] = {{4097, 0}, {0, 1}, {8, 16}, {4, 0}, {4104, 4}, {UINT64_MAX, 0}};
    shmring_spsc_producer p = {0};
    shmring_spsc_consumer c = {0};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        shmring_store64_relaxed(&ring_memory_role(&memory, true)->pos, bad[i][0]);
        shmring_store64_relaxed(&ring_memory_role(&memory, false)->pos, bad[i][1]);
        cr_expect_eq(shmring_spsc_attach_producer(&p, memory.base, &memory.geometry, -1), -EBADMSG);
        cr_expect_eq(shmring_spsc_attach_consumer(&c, memory.base, &memory.geometry, -1), -EBADMSG);
    }
    cr_expect_null(p.side.own, "outputs are untouched on failure");
}

Test(spsc_peer, random_headers_and_positions_never_lead_outside)
{
    unsigned seed = 12345;
    volatile uint8_t sink = 0;

    for (int round = 0; round < 20000; round++) {
        uint64_t words[3];

        for (int i = 0; i < 3; i++)
            words[i] = (uint64_t)rand_r(&seed) << 33 ^ (uint64_t)rand_r(&seed);
        cr_assert_eq(shmring_spsc_attach_consumer(&consumer, memory.base, &memory.geometry, -1), 0);
        uint64_t head = shmring_load64_relaxed(&ring_memory_role(&memory, false)->pos);
        write_record(head % 4096, words[0] & (round % 2 ? 0x80000fff : UINT64_MAX),
                     head + words[1] % (round % 3 ? 4097 : 9000));
        for (int i = 0; i < 600; i++) {
            uint64_t length;
            const uint8_t *message = shmring_spsc_peek(&consumer, &length, NULL);
            if (message == NULL)
                break;
            if (length != 0)
                sink = (uint8_t)(sink + message[0] + message[length - 1]);
            shmring_spsc_release(&consumer);
        }
        shmring_store64_relaxed(&ring_memory_role(&memory, false)->pos, words[2] & ~UINT64_C(7));
        shmring_store64_relaxed(&ring_memory_role(&memory, true)->pos, words[2] & ~UINT64_C(7));
    }
    cr_expect(sink == sink);
}

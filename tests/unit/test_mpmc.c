/* SPDX-License-Identifier: MIT */
/* Messages through one ring of slots, in one thread: every claim of mpmc.h that needs no second
 * one, no death and no selective take. */
#include "mpmc_pair.h"

Test(mpmc, messages_of_every_length_arrive_whole_and_in_order_over_many_laps)
{
    for (uint64_t slots = 2; slots <= 8; slots *= 2) {
        pair ring = pair_new(slots);
        int sent = 0, got = 0;

        while (got < 4000) {
            for (uint64_t burst = 1 + (uint64_t)sent % slots; burst != 0; burst--)
                if (put(&ring.producer, sent) == 0)
                    sent++;
            for (int burst = 1 + got % 3; burst != 0 && got != sent; burst--, got++)
                cr_assert_eq(get(&ring.consumer), got);
        }
        pair_free(&ring);
    }
}

Test(mpmc, full_and_empty_are_exact)
{
    for (uint64_t slots = 2; slots <= 64; slots *= 2) {
        pair ring = pair_new(slots);
        shmring_mpmc_slot slot;

        for (int lap = 0; lap < 20; lap++) {
            for (int i = 0; i < (int)slots; i++) {
                cr_expect_eq(shmring_mpmc_used_guess(&ring.producer.side), (uint64_t)i);
                cr_assert_eq(put(&ring.producer, i), 0);
            }
            cr_expect_eq(put(&ring.producer, 0), -EAGAIN);
            cr_expect_not(shmring_mpmc_claim(&ring.producer, &slot));
            for (int i = 0; i < (int)slots; i++) {
                cr_assert_eq(get(&ring.consumer), i);
                cr_expect_eq(put(&ring.producer, (int)slots + i), 0, "a free slot is room");
                cr_expect_eq(put(&ring.producer, 0), -EAGAIN, "but for one message");
            }
            for (int i = 0; i < (int)slots; i++)
                cr_assert_eq(get(&ring.consumer), (int)slots + i);
            cr_expect_eq(get(&ring.consumer), NOTHING);
            cr_expect_not(shmring_mpmc_take(&ring.consumer, &slot));
        }
        pair_free(&ring);
    }
}

Test(mpmc, an_aborted_slot_is_never_seen_and_comes_back)
{
    pair ring = pair_new(4);
    shmring_mpmc_slot slot;

    for (int i = 0; i < 500; i++) {
        cr_assert(shmring_mpmc_claim(&ring.producer, &slot));
        fill(&slot, 99);
        cr_assert_eq(shmring_mpmc_abort(&ring.producer, &slot), 0);
        cr_assert_eq(get(&ring.consumer), NOTHING);
        if (i % 3 == 0)
            go_round(&ring.producer, &ring.consumer, 1);
    }
    for (int i = 0; i < 4; i++)
        cr_assert_eq(put(&ring.producer, i), 0, "all slots are there");
    pair_free(&ring);
}

Test(mpmc, a_length_of_nothing_and_of_the_whole_slot_are_sent_and_a_longer_one_stays_claimed)
{
    const uint32_t bad[] = {SLOT_SIZE + 1, SLOT_SIZE + 24, 1U << 31, UINT32_MAX};
    pair ring = pair_new(2);
    shmring_mpmc_slot slot, taken;

    cr_expect_eq(shmring_mpmc_slot_size(&ring.producer.side), SLOT_SIZE);
    for (uint32_t length = 0; length <= SLOT_SIZE; length += SLOT_SIZE) {
        cr_assert(shmring_mpmc_claim(&ring.producer, &slot));
        cr_expect_eq((uintptr_t)slot.data % 8, 0);
        fill(&slot, 7);
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            void *before = snapshot(&ring);

            cr_expect_eq(shmring_mpmc_commit(&ring.producer, &slot, bad[i], 0), -EMSGSIZE);
            cr_expect_eq(shmring_mpmc_send(&ring.producer, before, bad[i], 0), -EMSGSIZE);
            expect_untouched(&ring, before);
        }
        cr_assert_eq(get(&ring.consumer), NOTHING);
        cr_assert_eq(shmring_mpmc_commit(&ring.producer, &slot, length, UINT32_MAX - length), 0);
        cr_assert(shmring_mpmc_take(&ring.consumer, &taken));
        cr_expect_eq(taken.length, length);
        cr_expect_eq(taken.type, UINT32_MAX - length);
        for (uint32_t i = 0; i < length; i++)
            cr_expect_eq(((uint8_t *)taken.data)[i], 7);
        cr_assert_eq(shmring_mpmc_release(&ring.consumer, &taken), 0);
    }
    pair_free(&ring);
}

/* All four ways to end a claim to a slot, through both handles. */
static void expect_stale(pair *ring, const shmring_mpmc_slot *slot, const char *why)
{
    void *before = snapshot(ring);
    shmring_mpmc_slot copy = *slot;

    cr_expect_eq(shmring_mpmc_commit(&ring->producer, &copy, 1, 1), -ESTALE, "%s", why);
    cr_expect_eq(shmring_mpmc_abort(&ring->producer, &copy), -ESTALE, "%s", why);
    cr_expect_eq(shmring_mpmc_release(&ring->consumer, &copy), -ESTALE, "%s", why);
    copy.length = 1;
    cr_expect_eq(shmring_mpmc_commit_many(&ring->producer, &copy, 1), -ESTALE, "%s", why);
    cr_expect_eq(shmring_mpmc_release_many(&ring->consumer, &copy, 1), -ESTALE, "%s", why);
    expect_untouched(ring, before);
}

Test(mpmc, a_zeroed_slot_is_nobodys)
{
    pair ring = pair_new(2);
    shmring_mpmc_slot zero = {0};

    expect_stale(&ring, &zero, "fresh ring");
    go_round(&ring.producer, &ring.consumer, 7);
    expect_stale(&ring, &zero, "used ring");
    cr_assert_eq(put(&ring.producer, 1), 0);
    expect_stale(&ring, &zero, "with a message");
    pair_free(&ring);
}

Test(mpmc, a_slot_is_settled_once_whatever_became_of_it)
{
    pair ring = pair_new(4);

    for (int round = 0; round < 40; round++) {
        shmring_mpmc_slot claimed, copy, taken;

        cr_assert(shmring_mpmc_claim(&ring.producer, &claimed));
        copy = claimed;
        cr_assert_eq(shmring_mpmc_abort(&ring.producer, &claimed), 0);
        expect_stale(&ring, &claimed, "aborted");
        expect_stale(&ring, &copy, "a copy of an aborted one");
        cr_assert(shmring_mpmc_claim(&ring.producer, &claimed));
        copy = claimed;
        cr_assert_eq(finish(&ring.producer, &claimed, round), 0);
        expect_stale(&ring, &claimed, "committed");
        expect_stale(&ring, &copy, "a copy of a committed one");
        cr_assert(shmring_mpmc_take(&ring.consumer, &taken));
        expect_stale(&ring, &copy, "committed and taken by another");
        expect_is(&taken, round);
        shmring_mpmc_slot again = taken;

        cr_assert_eq(shmring_mpmc_release(&ring.consumer, &taken), 0);
        expect_stale(&ring, &taken, "released");
        expect_stale(&ring, &again, "a copy of a released one");
        expect_stale(&ring, &copy, "free again");
        go_round(&ring.producer, &ring.consumer, round % 9);
        expect_stale(&ring, &copy, "laps ago");
        expect_stale(&ring, &again, "laps ago");
    }
    pair_free(&ring);
}

Test(mpmc, a_slot_of_another_member_is_left_alone)
{
    pair ring = pair_new(4);
    shmring_mpmc_producer producer;
    shmring_mpmc_consumer consumer;
    shmring_mpmc_slot slot;

    attach_producer(&ring, &producer);
    attach_consumer(&ring, &consumer);
    for (int i = 0; i < 20; i++) {
        cr_assert(shmring_mpmc_claim(&producer, &slot));
        expect_stale(&ring, &slot, "claimed by another");
        cr_assert_eq(finish(&producer, &slot, i), 0);
        cr_assert(shmring_mpmc_take(&consumer, &slot));
        expect_stale(&ring, &slot, "taken by another");
        expect_is(&slot, i);
        cr_assert_eq(shmring_mpmc_release(&consumer, &slot), 0);
    }
    shmring_mpmc_detach_producer(&producer);
    shmring_mpmc_detach_consumer(&consumer);
    pair_free(&ring);
}

Test(mpmc, batches_keep_the_order_and_stop_where_the_ring_does)
{
    pair ring = pair_new(8);
    shmring_mpmc_slot slots[20];
    int sent = 0, got = 0;

    for (uint32_t round = 0; round < 300; round++) {
        uint32_t want = round % 11, room = want < 8 ? want : 8;

        cr_assert_eq(shmring_mpmc_claim_many(&ring.producer, slots, want), room);
        for (uint32_t i = 0; i < room; i++, sent++) {
            fill(&slots[i], sent);
            slots[i].length = (uint32_t)sent % (SLOT_SIZE + 1);
            slots[i].type = (uint32_t)~sent;
        }
        cr_assert_eq(shmring_mpmc_take_many(&ring.consumer, &slots[room], 9), 0, "not sent yet");
        cr_assert_eq(shmring_mpmc_commit_many(&ring.producer, slots, room), 0);
        cr_assert_eq(shmring_mpmc_take_many(&ring.consumer, slots, 20), room);
        for (uint32_t i = 0; i < room; i++, got++)
            expect_is(&slots[i], got);
        cr_assert_eq(shmring_mpmc_release_many(&ring.consumer, slots, room), 0);
    }
    cr_assert_eq(shmring_mpmc_claim_many(&ring.producer, slots, 3), 3);
    for (uint32_t i = 0; i < 3; i++)
        slots[i].length = i == 1 ? SLOT_SIZE + 1 : 0;
    cr_expect_eq(shmring_mpmc_commit_many(&ring.producer, slots, 3), -EMSGSIZE);
    cr_expect_eq(shmring_mpmc_used_guess(&ring.producer.side), 1, "those before it are sent");
    cr_expect(slots[0].word == 0 && slots[1].word != 0 && slots[2].word != 0);
    pair_free(&ring);
}

Test(mpmc, recv_into_a_short_buffer_loses_nothing)
{
    pair ring = pair_new(2);
    char out[SLOT_SIZE + 1] = "untouched";

    for (int i = 0; i < 20; i++) {
        shmring_mpmc_slot slot = {.type = 77};

        cr_expect_eq(shmring_mpmc_recv(&ring.consumer, out, sizeof out, &slot), -EAGAIN);
        cr_expect_eq(shmring_mpmc_recv(&ring.consumer, out, 0, &slot), -EAGAIN);
        cr_assert_eq(shmring_mpmc_send(&ring.producer, "0123456789", 10, 5), 0);
        void *before = snapshot(&ring);

        strcpy(out, "untouched");
        for (uint32_t size = 0; size < 10; size++) {
            slot.length = 0;
            cr_expect_eq(shmring_mpmc_recv(&ring.consumer, out, size, &slot), -EMSGSIZE);
            cr_expect_eq(slot.length, 10);
        }
        cr_expect_str_eq(out, "untouched");
        expect_untouched(&ring, before);
        cr_expect_eq(shmring_mpmc_recv(&ring.consumer, out, i % 2 ? 10 : SLOT_SIZE, &slot), 0);
        cr_expect_eq(memcmp(out, "0123456789", 10), 0);
        cr_expect(slot.length == 10 && slot.type == 5 && !slot.redelivered);
    }
    pair_free(&ring);
}

Test(mpmc, a_handle_that_is_new_or_has_slept_finds_its_place)
{
    for (uint64_t slots = 2; slots <= 64; slots *= 4) {
        pair ring = pair_new(slots), sleeper = {.memory = ring.memory};

        attach_producer(&ring, &sleeper.producer);
        attach_consumer(&ring, &sleeper.consumer);
        for (int round = 1; round < 40; round++) {
            pair fresh = {.memory = ring.memory};

            go_round(&ring.producer, &ring.consumer, round * 37);
            attach_producer(&ring, &fresh.producer);
            attach_consumer(&ring, &fresh.consumer);
            cr_assert_eq(put(round % 2 ? &fresh.producer : &sleeper.producer, 1), 0);
            cr_assert_eq(put(round % 2 ? &sleeper.producer : &fresh.producer, 2), 0);
            cr_assert_eq(get(round % 3 ? &fresh.consumer : &sleeper.consumer), 1);
            cr_assert_eq(get(round % 3 ? &sleeper.consumer : &fresh.consumer), 2);
            cr_assert_eq(get(&fresh.consumer), NOTHING);
            shmring_mpmc_detach_producer(&fresh.producer);
            shmring_mpmc_detach_consumer(&fresh.consumer);
        }
        shmring_mpmc_detach_producer(&sleeper.producer);
        shmring_mpmc_detach_consumer(&sleeper.consumer);
        pair_free(&ring);
    }
}

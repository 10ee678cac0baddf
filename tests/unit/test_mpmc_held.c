/* SPDX-License-Identifier: MIT */
/* Slots that are held while others go on, for laps; many handles; attach and detach. */
#include "mpmc_pair.h"

enum {
    HELD = 20, /* more than a consumer notes */
    SENDERS = 3,
};

Test(mpmc_held, a_claimed_slot_stops_nobody_and_its_message_goes_to_the_tail)
{
    pair ring = pair_new(4);
    shmring_mpmc_producer late;
    shmring_mpmc_slot slot;

    attach_producer(&ring, &late);
    for (int round = 0; round < 50; round++) {
        cr_assert(shmring_mpmc_claim(&late, &slot));
        for (int i = 1; i <= 3; i++)
            cr_assert_eq(put(&ring.producer, i), 0);
        cr_assert_eq(get(&ring.consumer), 1);
        cr_assert_eq(put(&ring.producer, 4), 0, "around the held slot");
        cr_assert_eq(put(&ring.producer, 5), -EAGAIN, "2 is a lap behind");
        cr_assert_eq(finish(&late, &slot, 100), 0);
        cr_expect_eq(get(&ring.consumer), 2);
        cr_expect_eq(get(&ring.consumer), 3);
        cr_expect_eq(get(&ring.consumer), 100, "not where it was claimed");
        cr_expect_eq(get(&ring.consumer), 4);
        cr_expect_eq(get(&ring.consumer), NOTHING);
    }
    shmring_mpmc_detach_producer(&late);
    pair_free(&ring);
}

Test(mpmc_held, a_message_that_is_committed_within_a_lap_keeps_its_place)
{
    pair ring = pair_new(4);
    shmring_mpmc_producer late;
    shmring_mpmc_slot slot;

    attach_producer(&ring, &late);
    for (int round = 0; round < 50; round++) {
        cr_assert(shmring_mpmc_claim(&late, &slot));
        cr_assert_eq(put(&ring.producer, 1), 0);
        cr_assert_eq(put(&ring.producer, 2), 0);
        cr_expect_eq(get(&ring.consumer), 1, "a claim holds nobody up");
        cr_assert_eq(finish(&late, &slot, 100), 0);
        cr_expect_eq(get(&ring.consumer), 100);
        cr_expect_eq(get(&ring.consumer), 2);
    }
    shmring_mpmc_detach_producer(&late);
    pair_free(&ring);
}

Test(mpmc_held, a_slot_held_for_many_laps_by_either_kind_is_still_its_holders)
{
    for (uint64_t slots = 4; slots <= 16; slots *= 2) {
        pair ring = pair_new(slots), slow = {.memory = ring.memory};
        shmring_mpmc_slot claimed, taken;

        attach_producer(&ring, &slow.producer);
        attach_consumer(&ring, &slow.consumer);
        for (int round = 0; round < 10; round++) {
            cr_assert_eq(put(&ring.producer, 77), 0);
            cr_assert(shmring_mpmc_take(&slow.consumer, &taken));
            cr_assert(shmring_mpmc_claim(&slow.producer, &claimed));
            fill(&claimed, 55);
            go_round(&ring.producer, &ring.consumer, 2000);
            expect_is(&taken, 77);
            cr_assert_eq(shmring_mpmc_release(&slow.consumer, &taken), 0);
            cr_expect_eq(shmring_mpmc_release(&slow.consumer, &taken), -ESTALE);
            for (uint32_t i = 0; i < SLOT_SIZE; i++)
                cr_assert_eq(((uint8_t *)claimed.data)[i], 55);
            cr_assert_eq(finish(&slow.producer, &claimed, 55), 0);
            cr_expect_eq(finish(&slow.producer, &claimed, 55), -ESTALE);
            cr_expect_eq(get(&ring.consumer), 55, "once, and not marked");
            cr_expect_eq(get(&ring.consumer), NOTHING);
        }
        for (int i = 0; i < (int)slots; i++)
            cr_assert_eq(put(&ring.producer, i), 0, "all slots are there");
        shmring_mpmc_detach_producer(&slow.producer);
        shmring_mpmc_detach_consumer(&slow.consumer);
        pair_free(&ring);
    }
}

Test(mpmc_held, an_aborted_slot_that_was_carried_comes_back)
{
    pair ring = pair_new(4);
    shmring_mpmc_producer late;
    shmring_mpmc_slot slot;

    attach_producer(&ring, &late);
    for (int round = 0; round < 20; round++) {
        cr_assert(shmring_mpmc_claim(&late, &slot));
        go_round(&ring.producer, &ring.consumer, 3 + round * 7);
        cr_assert_eq(shmring_mpmc_abort(&late, &slot), 0);
        cr_expect_eq(get(&ring.consumer), NOTHING);
    }
    for (int i = 0; i < 4; i++)
        cr_assert_eq(put(&ring.producer, i), 0);
    shmring_mpmc_detach_producer(&late);
    pair_free(&ring);
}

/* Three producers and two consumers, with less sent than there is room for: numbers of each
 * producer must arrive in order, and all of them. */
static void flow(pair others[SENDERS], int rounds)
{
    int sent = 0, got[SENDERS] = {0};

    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < 24; i++, sent++)
            cr_assert_eq(put(&others[sent % SENDERS].producer, sent), 0);
        for (int i = 0; i < 24; i++) {
            int number = get(&others[i % 2].consumer);

            cr_assert_neq(number, NOTHING);
            cr_assert_eq(number / SENDERS, got[number % SENDERS], "in the order of its producer");
            got[number % SENDERS]++;
        }
    }
    cr_assert_eq(get(&others[0].consumer), NOTHING);
}

Test(mpmc_held, more_claimed_slots_than_a_consumer_notes_cost_no_message_and_no_order)
{
    pair ring = pair_new(64), others[SENDERS];
    shmring_mpmc_producer holders[HELD];
    shmring_mpmc_slot slots[HELD];
    bool seen[HELD] = {false};

    for (int i = 0; i < SENDERS; i++) {
        others[i].memory = ring.memory;
        attach_producer(&ring, &others[i].producer);
        attach_consumer(&ring, &others[i].consumer);
    }
    for (int i = 0; i < HELD; i++) {
        attach_producer(&ring, &holders[i]);
        cr_assert(shmring_mpmc_claim(&holders[i], &slots[i]));
        if (i % 3 == 0)
            go_round(&ring.producer, &ring.consumer, 1);
    }
    flow(others, 300);
    for (int i = 0; i < HELD; i++)
        cr_assert_eq(finish(&holders[i], &slots[i], i), 0);
    for (int i = 0; i < HELD; i++) {
        int number = get(&others[i % 2].consumer);

        cr_assert(number >= 0 && number < HELD && !seen[number], "%d", number);
        seen[number] = true;
    }
    cr_expect_eq(get(&ring.consumer), NOTHING);
    for (int i = 0; i < HELD; i++)
        shmring_mpmc_detach_producer(&holders[i]);
    for (int i = 0; i < SENDERS; i++) {
        shmring_mpmc_detach_producer(&others[i].producer);
        shmring_mpmc_detach_consumer(&others[i].consumer);
    }
    pair_free(&ring);
}

Test(mpmc_held, a_late_commit_among_many_held_slots_is_seen_at_once)
{
    pair ring = pair_new(64);
    shmring_mpmc_slot slots[HELD];

    for (int first = 0; first < HELD; first++) {
        cr_assert_eq(shmring_mpmc_claim_many(&ring.producer, slots, HELD), HELD);
        cr_assert_eq(get(&ring.consumer), NOTHING, "all of them passed by");
        for (int i = 0; i < HELD; i++) {
            int which = (first + i * 7) % HELD;

            cr_assert_eq(finish(&ring.producer, &slots[which], which), 0);
            cr_assert_eq(get(&ring.consumer), which);
            cr_assert_eq(get(&ring.consumer), NOTHING);
        }
    }
    pair_free(&ring);
}

Test(mpmc_held, all_slots_held_is_full_and_none_is_lost)
{
    for (uint64_t slots = 2; slots <= 32; slots *= 4) {
        pair ring = pair_new(slots);
        shmring_mpmc_slot held[32], slot;
        bool seen[32] = {false};
        uint32_t count = (uint32_t)slots;

        cr_assert_eq(shmring_mpmc_claim_many(&ring.producer, held, count), count);
        for (int i = 0; i < 100; i++) {
            cr_assert_not(shmring_mpmc_claim(&ring.producer, &slot));
            cr_assert_eq(put(&ring.producer, 1), -EAGAIN);
            cr_assert_eq(get(&ring.consumer), NOTHING);
        }
        for (uint32_t i = 0; i < count; i++)
            cr_assert_eq(finish(&ring.producer, &held[i], (int)i), 0);
        cr_assert_eq(shmring_mpmc_take_many(&ring.consumer, held, count), count);
        for (uint32_t i = 0; i < count; i++) {
            cr_assert(~held[i].type < count && !seen[~held[i].type]);
            seen[~held[i].type] = true;
            expect_is(&held[i], (int)~held[i].type);
        }
        for (int i = 0; i < 100; i++) {
            cr_assert_not(shmring_mpmc_claim(&ring.producer, &slot), "all of them being read");
            cr_assert_eq(get(&ring.consumer), NOTHING);
        }
        cr_assert_eq(shmring_mpmc_release_many(&ring.consumer, held, count), 0);
        go_round(&ring.producer, &ring.consumer, 100);
        pair_free(&ring);
    }
}

Test(mpmc_held, laps_may_wrap)
{
    pair ring = pair_new(4), slow = {.memory = ring.memory};
    uint64_t lap = (UINT64_C(1) << 48) - 20;
    struct shmring_mpmc_control *control =
        (void *)(ring.memory.base + ring.memory.geometry.control_offset);
    shmring_mpmc_slot claimed, taken;

    for (uint64_t i = 0; i < 4; i++)
        shmring_store64_relaxed(shmring_mpmc_word(&ring.producer.side, i), lap << 16);
    shmring_store64_relaxed(&control->tail_hint, lap * 4);
    shmring_store64_relaxed(&control->head_hint, lap * 4);
    attach_producer(&ring, &slow.producer);
    attach_consumer(&ring, &slow.consumer);
    cr_assert_eq(put(&slow.producer, 9), 0);
    cr_assert(shmring_mpmc_take(&slow.consumer, &taken));
    cr_assert(shmring_mpmc_claim(&slow.producer, &claimed));
    pair fresh = {.memory = ring.memory};

    attach_producer(&ring, &fresh.producer);
    attach_consumer(&ring, &fresh.consumer);
    go_round(&fresh.producer, &fresh.consumer, 400);
    cr_expect_eq(shmring_load64_relaxed(shmring_mpmc_word(&ring.producer.side, 3)) >> 63, 0);
    expect_is(&taken, 9);
    cr_expect_eq(shmring_mpmc_release(&slow.consumer, &taken), 0);
    cr_expect_eq(finish(&slow.producer, &claimed, 8), 0);
    cr_expect_eq(get(&slow.consumer), 8);
    go_round(&slow.producer, &slow.consumer, 40);
    shmring_mpmc_detach_producer(&slow.producer);
    shmring_mpmc_detach_consumer(&slow.consumer);
    shmring_mpmc_detach_producer(&fresh.producer);
    shmring_mpmc_detach_consumer(&fresh.consumer);
    shmring_mpmc_detach_producer(&ring.producer);
    shmring_mpmc_detach_consumer(&ring.consumer);
    ring_memory_free(&ring.memory);
}

Test(mpmc_held, detach_aborts_what_is_claimed_and_drops_what_is_taken)
{
    pair ring = pair_new(4), other = {.memory = ring.memory};
    shmring_mpmc_slot slots[4];

    for (int round = 0; round < 30; round++) {
        attach_producer(&ring, &other.producer);
        attach_consumer(&ring, &other.consumer);
        go_round(&ring.producer, &ring.consumer, round % 6);
        cr_assert_eq(put(&ring.producer, 1), 0);
        cr_assert_eq(put(&ring.producer, 2), 0);
        cr_assert(shmring_mpmc_take(&other.consumer, &slots[0]));
        cr_assert_eq(shmring_mpmc_claim_many(&other.producer, slots, 2), 2);
        shmring_mpmc_detach_consumer(&other.consumer);
        shmring_mpmc_detach_producer(&other.producer);
        cr_expect_eq(get(&ring.consumer), 2);
        cr_expect_eq(get(&ring.consumer), NOTHING);
        cr_expect_eq(shmring_mpmc_dropped_guess(&ring.consumer.side), (uint64_t)round + 1);
        for (int i = 0; i < 4; i++)
            cr_assert_eq(put(&ring.producer, i), 0, "all slots are there");
        for (int i = 0; i < 4; i++)
            cr_assert_eq(get(&ring.consumer), i);
        cr_expect_eq(shmring_mpmc_redelivered_guess(&ring.consumer.side), 0);
    }
    pair_free(&ring);
}

Test(mpmc_held, detach_is_ignored_by_a_handle_that_is_not_attached)
{
    pair ring = pair_new(2), zero, other = {.memory = ring.memory};

    memset(&zero, 0, sizeof zero);
    attach_producer(&ring, &other.producer);
    attach_consumer(&ring, &other.consumer);
    void *before = snapshot(&ring);

    shmring_mpmc_detach_producer(&zero.producer);
    shmring_mpmc_detach_consumer(&zero.consumer);
    expect_untouched(&ring, before);
    shmring_mpmc_detach_producer(&other.producer);
    shmring_mpmc_detach_consumer(&other.consumer);
    before = snapshot(&ring);
    shmring_mpmc_detach_producer(&other.producer);
    shmring_mpmc_detach_consumer(&other.consumer);
    expect_untouched(&ring, before);
    go_round(&ring.producer, &ring.consumer, 10);
    pair_free(&ring);
}

Test(mpmc_held, a_slot_dies_with_its_handle_also_if_the_next_one_gets_the_same_id)
{
    pair ring = pair_new(2);
    shmring_mpmc_slot old, next;

    cr_assert(shmring_mpmc_claim(&ring.producer, &old));
    shmring_mpmc_detach_producer(&ring.producer);
    attach_producer(&ring, &ring.producer);
    go_round(&ring.producer, &ring.consumer, 1);
    cr_assert(shmring_mpmc_claim(&ring.producer, &next));
    cr_assert_eq(next.idx, old.idx);
    cr_expect_eq(shmring_mpmc_commit(&ring.producer, &old, 1, 1), -ESTALE);
    cr_expect_eq(get(&ring.consumer), NOTHING, "half a message");
    cr_expect_eq(finish(&ring.producer, &next, 2), 0);
    cr_expect_eq(get(&ring.consumer), 2);
    pair_free(&ring);
}

Test(mpmc_held, attach_refuses_other_kinds_and_rings_to_be_looked_at)
{
    ring_memory spsc = ring_memory_new(0, 4096);
    pair ring = pair_new(2), before;
    shmring_geometry look = ring.memory.geometry;

    memcpy(&before, &ring, sizeof ring);
    look.read_only = true;
    cr_expect_eq(shmring_mpmc_attach_producer(&ring.producer, spsc.base, &spsc.geometry, -1),
                 -EPROTONOSUPPORT);
    cr_expect_eq(shmring_mpmc_attach_consumer(&ring.consumer, spsc.base, &spsc.geometry, -1),
                 -EPROTONOSUPPORT);
    cr_expect_eq(shmring_mpmc_attach_producer(&ring.producer, ring.memory.base, &look, -1),
                 -EPROTONOSUPPORT);
    cr_expect_eq(shmring_mpmc_attach_consumer(&ring.consumer, ring.memory.base, &look, -1),
                 -EPROTONOSUPPORT);
    cr_expect_eq(shmring_mpmc_attach_producer(&ring.producer, ring.memory.base,
                                              &ring.memory.geometry, 1000000), -EBADF);
    cr_expect_eq(memcmp(&before, &ring, sizeof ring), 0, "outputs are untouched on failure");
    pair_free(&ring);
    ring_memory_free(&spsc);
}

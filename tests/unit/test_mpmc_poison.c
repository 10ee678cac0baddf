/* SPDX-License-Identifier: MIT */
/* After an impossible word: the handle is of no use any more, whatever the ring is like later. */
#include "mpmc_pair.h"

Test(mpmc_poison, poison_is_for_good_also_if_the_ring_is_put_right_and_the_handle_was_betting)
{
    pair ring = pair_new(8);
    struct shmring_mpmc_entry *entries = ring.consumer.side.entries;
    shmring_mpmc_slot slot;

    go_round(&ring.producer, &ring.consumer, 30);
    cr_assert_eq(put(&ring.producer, 1), 0);
    cr_assert_eq(put(&ring.producer, 2), 0);
    cr_assert(shmring_member_bets(&ring.consumer.side.member));
    shmring_word64 *label = &entries[ring.consumer.head_pos % 8].label;
    uint64_t was = shmring_load64_relaxed(label);

    shmring_store64_relaxed(label, SHMRING_LABEL_FILLED | (SLOT_SIZE + 1));
    cr_expect_not(shmring_mpmc_take(&ring.consumer, &slot));
    shmring_store64_relaxed(label, was);
    cr_expect_not(shmring_mpmc_take(&ring.consumer, &slot));
    cr_expect_eq(shmring_mpmc_error(&ring.consumer.side), -EBADMSG);

    cr_assert(shmring_member_bets(&ring.producer.side.member));
    shmring_word64 *word = &entries[ring.producer.tail_pos % 8].word;

    was = shmring_load64_relaxed(word);
    shmring_store64_relaxed(word, was | 0x8000);
    cr_expect_not(shmring_mpmc_claim(&ring.producer, &slot));
    shmring_store64_relaxed(word, was);
    cr_expect_not(shmring_mpmc_claim(&ring.producer, &slot));
    cr_expect_eq(shmring_mpmc_error(&ring.producer.side), -EBADMSG);
    shmring_mpmc_detach_producer(&ring.producer);
    shmring_mpmc_detach_consumer(&ring.consumer);
    ring_memory_free(&ring.memory);
}

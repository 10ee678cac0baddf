/* SPDX-License-Identifier: MIT */
/*
 * A member that writes what it should not, between calls and during them: each call ends, what
 * cannot be is poison for good, and nothing leads out of the ring: it lies between pages that
 * nobody may touch, and so do the buffers. SEED in the environment repeats a run.
 */
#include "mpmc_hostile.h"

enum { FREE, CLAIMED, TAKEN };

/* As the table in mpmc_word.h has it. */
static bool is_possible(uint64_t low, bool filled)
{
    bool owned = (low & 0xfff) != 0, marked = (low & 0x4000) != 0;

    if (low >> 15 != 0)
        return false;
    switch (low >> 12 & 3) {
    case FREE:
        return !owned && !marked;
    case CLAIMED:
        return owned != marked;
    case TAKEN:
        return owned || marked || !filled;
    default:
        return false;
    }
}

static void expect_claim(int rounds, int64_t laps, uint64_t low, bool filled)
{
    scene now = scene_new(rounds);
    uint64_t kind = low >> 12 & 3;
    uint64_t word = shmring_load64_relaxed(word_at(now.frontier)) & SHMRING_WORD_LAP_MASK;
    bool is_full = laps == 0 && kind == CLAIMED && filled;
    bool is_bad = laps < 0 || laps > 1 || (laps == 0 && !is_possible(low, filled));
    shmring_mpmc_slot slot;

    shmring_store64_relaxed(word_at(now.frontier), word + ((uint64_t)laps << 16) + low);
    shmring_store64_relaxed(label_at(now.frontier), filled ? SHMRING_LABEL_FILLED + 3 : 0);
    bool claimed = shmring_mpmc_claim(&producer, &slot);

    /* A word of laps to come is not looked at more closely: it is walked past. */
    if (laps <= 1) {
        cr_assert_eq(claimed, !is_bad && !is_full, "laps %lld, %#llx, filled %d", (long long)laps,
                     (unsigned long long)low, filled);
        cr_assert_eq(shmring_mpmc_error(&producer.side), is_bad ? -EBADMSG : 0);
    }
    if (claimed) {
        touch(&slot, SLOT_SIZE);
        cr_assert(slot.idx == now.frontier || laps == 1 || kind == CLAIMED ||
                  (kind == TAKEN && filled));
    }
    if (!claimed && !is_full)
        expect_poison_is_for_good(&producer.side);
    detach();
}

static void expect_take(int rounds, int64_t laps, uint64_t low, enum shmring_mpmc_wish wish)
{
    scene now = scene_new(rounds);
    uint64_t word = shmring_load64_relaxed(word_at(now.ready)) & SHMRING_WORD_LAP_MASK;
    bool is_bad = laps < -1 || laps > 1 || (laps <= 0 && !is_possible(low, true));
    bool is_orphan = (low >> 12 & 3) == TAKEN && (low & 0xfff) == 0 && is_possible(low, true);
    bool is_there = !is_bad && ((laps == 0 && (low >> 12 & 3) == CLAIMED) || is_orphan);
    shmring_mpmc_slot slot;

    shmring_store64_relaxed(word_at(now.ready), word + ((uint64_t)laps << 16) + low);
    bool taken = shmring_mpmc_take_by(&consumer, wish, 0, &slot);

    if (laps <= 1) {
        cr_assert_eq(taken, is_there, "laps %lld, %#llx", (long long)laps,
                     (unsigned long long)low);
        cr_assert_eq(shmring_mpmc_error(&consumer.side), is_bad ? -EBADMSG : 0);
    }
    if (taken)
        touch(&slot, slot.length);
    else if (is_bad && laps <= 1)
        expect_poison_is_for_good(&consumer.side);
    detach();
}

/* A slot that we hold: it is ours as long as state and owner say so, whatever the lap. */
static void expect_settle(bool taken, int64_t laps, uint64_t low)
{
    uint8_t before[SLOTS * 64];
    scene now = scene_new(3);
    shmring_mpmc_slot *slot = taken ? &now.taken : &now.claimed;
    uint64_t word = shmring_load64_relaxed(word_at(slot->idx));
    uint64_t other = (word & SHMRING_WORD_LAP_MASK) + ((uint64_t)laps << 16) + low;
    bool is_ours = ((word ^ other) & 0x3fff) == 0;

    shmring_store64_relaxed(word_at(slot->idx), other);
    memcpy(before, base + geometry.data_offset, SLOTS * 64);
    int error = taken ? shmring_mpmc_release(&consumer, slot)
                      : shmring_mpmc_commit(&producer, slot, 5, 6);

    if (!is_ours) {
        cr_assert_eq(error, -ESTALE, "laps %lld, %#llx", (long long)laps, (unsigned long long)low);
        cr_assert_eq(shmring_load64_relaxed(word_at(slot->idx)), other);
        cr_assert_eq(memcmp(before, base + geometry.data_offset, SLOTS * 64), 0);
    }
    cr_assert(error == 0 || error == -ESTALE || error == -EBADMSG);
    detach();
}

static const int64_t LAPS[] = {-2, -1, 0, 1, 2, 3, 1000, -1000, INT64_C(1) << 46,
                               -(INT64_C(1) << 46), INT64_C(1) << 47, (INT64_C(1) << 47) - 1};

Test(mpmc_hostile, each_pattern_of_a_word_at_each_lap_does_what_the_rules_say)
{
    const uint64_t owners[] = {0, 1, 2, 3, 4095};

    for (size_t l = 0; l < sizeof LAPS / sizeof *LAPS; l++)
        for (size_t o = 0; o < sizeof owners / sizeof *owners; o++)
            for (uint64_t bits = 0; bits < 16; bits++) {
                uint64_t low = bits << 12 | owners[o];

                for (int rounds = 0; rounds <= 30; rounds += 15) {
                    expect_claim(rounds, LAPS[l], low, false);
                    expect_claim(rounds, LAPS[l], low, true);
                }
                for (int wish = SHMRING_TAKE_ANY; wish <= SHMRING_TAKE_HIGHEST; wish++)
                    if (wish != SHMRING_TAKE_EXCEPT)
                        expect_take(7, LAPS[l], low, (enum shmring_mpmc_wish)wish);
                expect_settle(false, LAPS[l], low);
                expect_settle(true, LAPS[l], low);
            }
}

Test(mpmc_hostile, a_length_beyond_the_slot_is_poison)
{
    const uint32_t lengths[] = {SLOT_SIZE + 1, 64, 4096, 1U << 30, UINT32_MAX >> 1};
    const uint32_t sizes[] = {0, SHORT, SLOT_SIZE, 2 * SLOT_SIZE};

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            scene now = scene_new(20);
            shmring_mpmc_slot slot = {.length = 77};

            shmring_store64_relaxed(label_at(now.ready), SHMRING_LABEL_FILLED | lengths[i]);
            cr_expect_eq(shmring_mpmc_recv(&consumer, buffer_end - sizes[k], sizes[k], &slot),
                         -EBADMSG, "%u bytes into %u", lengths[i], sizes[k]);
            cr_expect_eq(slot.length, 77);
            expect_poison_is_for_good(&consumer.side);
            detach();
        }
}

Test(mpmc_hostile, a_length_beyond_the_slot_is_poison_for_one_who_bets)
{
    for (int copies = 0; copies < 2; copies++) {
        shmring_mpmc_slot slot;

        clear();
        attach(-1);
        for (int i = 0; i < 4 * SHMRING_MPMC_STREAK; i++) {
            cr_assert_eq(shmring_mpmc_send(&producer, "one", 3, 0), 0);
            cr_assert_eq(shmring_mpmc_recv(&consumer, buffer_end - SLOT_SIZE, SLOT_SIZE, &slot), 0);
        }
        cr_assert(shmring_member_bets(&consumer.side.member));
        cr_assert_eq(shmring_mpmc_send(&producer, "two", 3, 0), 0);
        shmring_store64_relaxed(label_at(consumer.head_pos & consumer.side.mask),
                                SHMRING_LABEL_FILLED | (SLOT_SIZE + 1));
        if (copies)
            cr_expect_eq(
                shmring_mpmc_recv(&consumer, buffer_end - SLOT_SIZE, SLOT_SIZE, &slot), -EBADMSG);
        else
            cr_expect_not(shmring_mpmc_take(&consumer, &slot));
        expect_poison_is_for_good(&consumer.side);
        detach();
    }
}

/* One word of the ring gets a random value, or one that nearly fits. */
static void scribble(uint64_t *random)
{
    uint64_t dice = test_random(random) % 16, value = test_random(random);
    struct shmring_mpmc_control *control = (void *)(base + geometry.control_offset);
    struct shmring_member_record *records = (void *)(base + geometry.members_offset);
    uint64_t near = value % 4 != 0 ? value >> 8 & 0x7ffff : value;

    if (dice < 8)
        shmring_store64_relaxed(word_at(dice),
                                value % 8 != 0 ? near & ~UINT64_C(0x8000) : near);
    else if (dice < 11)
        shmring_store64_relaxed(label_at(value >> 40 & (SLOTS - 1)),
                                value % 2 ? value : (value & 0x3f) | (value & 3) << 32);
    else if (dice == 11)
        shmring_store64_relaxed(&control->tail_hint, value % 2 ? value : value >> 8 & 0x3f);
    else if (dice == 12)
        shmring_store64_relaxed(&control->head_hint, value % 2 ? value : value >> 8 & 0x3f);
    else if (dice == 13)
        shmring_store32_relaxed(&control->orphan_epoch, (uint32_t)value);
    else
        shmring_store32_relaxed(&records[value >> 8 & 15].session, (uint32_t)value);
}

/* One call of any kind. Says nothing of its result but that it stays in the ring. */
static void call(uint64_t *random)
{
    uint64_t dice = test_random(random);
    uint32_t size = (uint32_t)(dice >> 32) % (SLOT_SIZE + 9);
    shmring_mpmc_slot slot = {0};

    switch (dice % 8) {
    case 0:
        if (shmring_mpmc_claim(&producer, &kept[0]))
            touch(&kept[0], SLOT_SIZE);
        break;
    case 1:
        if (shmring_mpmc_take(&consumer, &kept[1]))
            touch(&kept[1], kept[1].length);
        break;
    case 2:
        if (shmring_mpmc_take_by(&consumer, dice >> 8 & 7, (uint32_t)(dice >> 16 & 3), &slot))
            touch(&slot, slot.length);
        break;
    case 3:
        shmring_mpmc_commit(&producer, &kept[0], size, 2);
        break;
    case 4:
        shmring_mpmc_release(&consumer, &kept[1]);
        break;
    case 5:
        shmring_mpmc_recv(&consumer, buffer_end - size, size, &slot);
        break;
    case 6:
        shmring_mpmc_send(&producer, buffer_end - SLOT_SIZE, size % (SLOT_SIZE + 1), 3);
        break;
    default:
        if (dice >> 8 & 7)
            shmring_mpmc_abort(&producer, &kept[0]);
        else
            shmring_mpmc_recover(dice >> 16 & 1 ? &producer.side : &consumer.side);
    }
}

static int run_calls(uint64_t *random, int rounds, bool scribbling)
{
    int poisoned = 0;

    for (int round = 0; round < rounds; round++) {
        attach(ring_fd);
        memset(kept, 0, sizeof kept);
        for (int i = 0; i < 40; i++) {
            if (scribbling && test_random(random) % 4 == 0)
                scribble(random);
            call(random);
        }
        poisoned += shmring_mpmc_error(&producer.side) == -EBADMSG;
        poisoned += shmring_mpmc_error(&consumer.side) == -EBADMSG;
        detach();
        if (round % 4 == 0)
            clear();
    }
    return poisoned;
}

Test(mpmc_hostile, whatever_is_written_between_calls_leads_nowhere)
{
    cr_expect_gt(run_calls(&seed, 3000, true), 0, "some of it is noticed");
}

/* flip: only the lengths, between two that are possible. */
static void *scribble_on(void *flip)
{
    uint64_t random = ~seed;

    /* relaxed: the joiner waits. */
    while (shmring_load32_relaxed(&stop) == 0) {
        if (flip == NULL)
            scribble(&random);
        for (uint64_t i = 0; flip != NULL && i < 2 * SLOTS; i++)
            shmring_store64_relaxed(label_at(i / 2), i % 2 ? SLOT_SIZE : SHORT);
    }
    return NULL;
}

Test(mpmc_hostile, whatever_is_written_during_calls_leads_nowhere)
{
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, scribble_on, NULL), 0);
    cr_expect_gt(run_calls(&seed, 1500, false), 0, "some of it is noticed");
    shmring_store32_relaxed(&stop, 1);
    pthread_join(thread, NULL);
}

Test(mpmc_hostile, a_length_that_changes_during_a_recv_overruns_no_buffer)
{
    pthread_t thread;
    int got = 0;

    attach(-1);
    cr_assert_eq(pthread_create(&thread, NULL, scribble_on, &stop), 0);
    for (int i = 0; i < 400000; i++) {
        shmring_mpmc_slot slot;

        shmring_mpmc_send(&producer, "12345678", 8, 0);
        got += shmring_mpmc_recv(&consumer, buffer_end - SHORT, SHORT, &slot) == 0;
        if (shmring_mpmc_error(&consumer.side) != 0) {
            detach();
            attach(-1);
        }
    }
    shmring_store32_relaxed(&stop, 1);
    pthread_join(thread, NULL);
    cr_expect_gt(got, 0);
    detach();
}

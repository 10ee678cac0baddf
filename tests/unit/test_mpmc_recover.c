/* SPDX-License-Identifier: MIT */
/* What is left by members that die, are copied by fork(), or are taken for dead. The dead are
 * forked children that end without detaching. */
#include "../check.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <shmring/shmring.h>
#include <string.h>

enum {
    SLOTS = 8,
    SLOT_SIZE = 8,
    NOTHING = -1,
    AGAIN = 1000, /* added to the number of a message that is delivered once more */
};

static shmring_geometry geometry;
static shmring_segment segment;
static shmring_mpmc_producer producer;
static shmring_mpmc_consumer consumer;

static void attach(shmring_mpmc_producer *to, shmring_mpmc_consumer *from)
{
    cr_assert_eq(shmring_mpmc_attach_producer(to, segment.base, &geometry, segment.fd), 0);
    cr_assert_eq(shmring_mpmc_attach_consumer(from, segment.base, &geometry, segment.fd), 0);
}

static void set_up(uint64_t slots, uint64_t options)
{
    cr_assert_eq(shmring_layout_plan(SHMRING_KIND_MPMC, SLOT_SIZE, slots, &geometry), 0);
    geometry.options = options;
    cr_assert_eq(shmring_segment_create(&segment, NULL, &geometry, NULL), 0);
    attach(&producer, &consumer);
}

static void tear_down(void)
{
    cr_expect_eq(shmring_mpmc_error(&producer.side), 0);
    cr_expect_eq(shmring_mpmc_error(&consumer.side), 0);
    shmring_mpmc_detach_producer(&producer);
    shmring_mpmc_detach_consumer(&consumer);
    shmring_segment_close(&segment);
}

static void put(int first, int last)
{
    for (int number = first; number <= last; number++)
        cr_assert_eq(shmring_mpmc_send(&producer, &number, sizeof number, (uint32_t)number), 0);
}

static int get(void)
{
    shmring_mpmc_slot slot;
    int number;

    if (shmring_mpmc_recv(&consumer, &number, SLOT_SIZE, &slot) != 0)
        return NOTHING;
    cr_expect_eq(slot.type, (uint32_t)number);
    return number + (slot.redelivered ? AGAIN : 0);
}

static void expect_got(const int *want)
{
    for (; *want != NOTHING; want++)
        cr_expect_eq(get(), *want, "not %d", *want);
    cr_expect_eq(get(), NOTHING);
}

/* A child claims so many, takes messages of these types (NULL: none), and dies. */
static void die_with(uint32_t claims, const int *types)
{
    pid_t child = check_fork();

    if (child == 0) {
        shmring_mpmc_producer claimer;
        shmring_mpmc_consumer taker;
        shmring_mpmc_slot slots[SLOTS];

        CHECK_EQ(shmring_mpmc_attach_producer(&claimer, segment.base, &geometry, segment.fd), 0);
        CHECK_EQ(shmring_mpmc_attach_consumer(&taker, segment.base, &geometry, segment.fd), 0);
        CHECK_EQ(shmring_mpmc_claim_many(&claimer, slots, claims), claims);
        for (; types != NULL && *types != NOTHING; types++)
            CHECK(shmring_mpmc_take_by(&taker, SHMRING_TAKE_EQUAL, (uint32_t)*types, slots));
        _exit(0);
    }
    cr_assert_eq(check_wait(child), 0);
}

static void go_round(int count)
{
    for (int i = 0; i < count; i++) {
        put(i, i);
        cr_assert_eq(get(), i);
    }
}

/* All slots are there: as many messages fit as when the ring was made. */
static void expect_whole(void)
{
    int none = 0;

    put(0, (int)geometry.capacity - 1);
    cr_expect_eq(shmring_mpmc_send(&producer, &none, sizeof none, 0), -EAGAIN);
    for (int i = 0; i < (int)geometry.capacity; i++)
        cr_assert_eq(get(), i);
    cr_assert_eq(get(), NOTHING);
}

Test(mpmc_recover, what_the_dead_claimed_comes_back_free_also_by_attach)
{
    shmring_mpmc_producer other;
    shmring_mpmc_consumer another;
    shmring_mpmc_slot slot;

    set_up(SLOTS, 0);
    for (int round = 0; round < 5; round++) {
        die_with(SLOTS, NULL);
        cr_expect_not(shmring_mpmc_claim(&producer, &slot));
        if (round % 2) {
            attach(&other, &another);
            shmring_mpmc_detach_producer(&other);
            shmring_mpmc_detach_consumer(&another);
        } else {
            cr_expect_eq(shmring_mpmc_recover(&producer.side), 2);
        }
        cr_expect_eq(shmring_mpmc_recover(&producer.side), 0);
        expect_whole();
    }
    cr_expect_eq(shmring_mpmc_dropped_guess(&producer.side), 0);
    tear_down();
}

Test(mpmc_recover, what_the_dead_took_is_dropped_and_counted)
{
    set_up(SLOTS, 0);
    for (uint64_t round = 1; round <= 5; round++) {
        put(1, 4);
        die_with(2, (int[]){1, 3, NOTHING});
        cr_expect_eq(shmring_mpmc_recover(&consumer.side), 2);
        cr_expect_eq(shmring_mpmc_dropped_guess(&consumer.side), 2 * round);
        cr_expect_eq(shmring_mpmc_recover(&consumer.side), 0);
        expect_got((int[]){2, 4, NOTHING});
        expect_whole();
    }
    cr_expect_eq(shmring_mpmc_redelivered_guess(&consumer.side), 0);
    tear_down();
}

Test(mpmc_recover, what_the_dead_took_is_delivered_once_more_at_the_tail)
{
    set_up(SLOTS, SHMRING_OPTION_REDELIVER);
    for (uint64_t round = 1; round <= 5; round++) {
        put(1, 3);
        die_with(0, (int[]){1, 2, NOTHING});
        cr_expect_eq(shmring_mpmc_recover(&consumer.side), 2);
        cr_expect_eq(shmring_mpmc_recover(&consumer.side), 0);
        expect_got((int[]){3, 1 + AGAIN, 2 + AGAIN, NOTHING});
        cr_expect_eq(shmring_mpmc_redelivered_guess(&consumer.side), 2 * round);
        expect_whole();
    }
    tear_down();
}

Test(mpmc_recover, a_message_is_delivered_as_often_as_its_consumers_die)
{
    set_up(SLOTS, SHMRING_OPTION_REDELIVER);
    put(1, 2);
    for (int death = 0; death < 20; death++) {
        die_with(0, (int[]){1, 2, NOTHING});
        cr_expect_eq(shmring_mpmc_recover(&consumer.side), 2);
    }
    expect_got((int[]){1 + AGAIN, 2 + AGAIN, NOTHING});
    expect_whole();
    tear_down();
}

Test(mpmc_recover, in_a_full_ring_orphans_are_delivered_as_soon_as_there_is_room)
{
    set_up(4, SHMRING_OPTION_REDELIVER);
    for (int by_producer = 0; by_producer < 2; by_producer++) {
        put(1, 4);
        die_with(0, (int[]){2, 4, NOTHING});
        cr_expect_eq(shmring_mpmc_recover(&consumer.side), 2);
        cr_expect_eq(shmring_mpmc_used_guess(&consumer.side), 2, "1 stands before the orphans");
        cr_expect_eq(get(), 1);
        if (by_producer)
            put(5, 5);
        expect_got(by_producer ? (int[]){3, 5, 2 + AGAIN, 4 + AGAIN, NOTHING}
                               : (int[]){3, 2 + AGAIN, 4 + AGAIN, NOTHING});
        expect_whole();
    }
    put(1, 4);
    die_with(0, (int[]){1, 2, 3, 4, NOTHING});
    cr_expect_eq(shmring_mpmc_recover(&producer.side), 2);
    cr_expect_eq(shmring_mpmc_send(&producer, "", 0, 0), -EAGAIN, "all four are messages again");
    expect_got((int[]){1 + AGAIN, 2 + AGAIN, 3 + AGAIN, 4 + AGAIN, NOTHING});
    expect_whole();
    tear_down();
}

Test(mpmc_recover, slots_that_were_carried_since_the_death_are_found)
{
    for (uint64_t options = 0; options <= SHMRING_OPTION_REDELIVER; options++) {
        set_up(SLOTS, options);
        put(1, 3);
        die_with(2, (int[]){1, 2, NOTHING});
        cr_expect_eq(get(), 3);
        go_round(300);
        cr_expect_eq(shmring_mpmc_recover(&producer.side), 2);
        expect_got(options == 0 ? (int[]){NOTHING} : (int[]){1 + AGAIN, 2 + AGAIN, NOTHING});
        cr_expect_eq(shmring_mpmc_dropped_guess(&producer.side), options == 0 ? 2 : 0);
        go_round(100);
        expect_whole();
        tear_down();
    }
}

Test(mpmc_recover, a_recovery_that_others_began_is_as_good_as_one_of_its_own)
{
    set_up(SLOTS, SHMRING_OPTION_REDELIVER);
    for (int begun = 0; begun < 4; begun++) {
        put(1, 3);
        die_with(2, (int[]){1, 2, NOTHING});
        for (int i = 0; i < begun; i++) {
            /* Who did this died before the burial. The handles here have ids 1 and 2. */
            for (uint32_t id = 3; id <= 4; id++)
                cr_assert(shmring_mpmc_recover_slots(
                    &producer.side, id,
                    shmring_load32_acquire(&producer.side.records[id].session)));
        }
        if (begun == 3)
            cr_expect(get() == 3 && get() == 1 + AGAIN);
        cr_expect_eq(shmring_mpmc_recover(&producer.side), 2);
        expect_got(begun == 3 ? (int[]){2 + AGAIN, NOTHING}
                              : (int[]){3, 1 + AGAIN, 2 + AGAIN, NOTHING});
        expect_whole();
    }
    tear_down();
}

Test(mpmc_recover, the_living_keep_what_they_hold)
{
    shmring_mpmc_slot claimed, taken;
    int ready[2], never[2];

    set_up(SLOTS, SHMRING_OPTION_REDELIVER);
    cr_assert(pipe(ready) == 0 && pipe(never) == 0);
    put(1, 2);
    pid_t child = check_fork();

    if (child == 0) {
        shmring_mpmc_consumer taker;

        CHECK_EQ(shmring_mpmc_attach_consumer(&taker, segment.base, &geometry, segment.fd), 0);
        CHECK(shmring_mpmc_take(&taker, &taken));
        CHECK_EQ(write(ready[1], "", 1), 1);
        CHECK_EQ(read(never[0], &taken, 1), 1);
        _exit(0);
    }
    cr_assert_eq(read(ready[0], &claimed, 1), 1);
    cr_assert(shmring_mpmc_claim(&producer, &claimed));
    cr_assert(shmring_mpmc_take(&consumer, &taken));
    cr_expect_eq(shmring_mpmc_recover(&consumer.side), 0);
    cr_expect_eq(shmring_mpmc_recover(&producer.side), 0);
    cr_expect_eq(get(), NOTHING);
    cr_expect_eq(shmring_mpmc_abort(&producer, &claimed), 0);
    cr_expect_eq(shmring_mpmc_release(&consumer, &taken), 0);
    cr_assert(kill(child, SIGKILL) == 0 && check_wait(child) == -SIGKILL);
    cr_expect_eq(shmring_mpmc_recover(&consumer.side), 1);
    expect_got((int[]){1 + AGAIN, NOTHING});
    tear_down();
}

Test(mpmc_recover, detach_gives_back_as_death_does)
{
    shmring_mpmc_producer other;
    shmring_mpmc_consumer leaver;
    shmring_mpmc_slot slots[2];

    set_up(SLOTS, SHMRING_OPTION_REDELIVER);
    put(1, 3);
    attach(&other, &leaver);
    cr_assert_eq(shmring_mpmc_take_many(&leaver, slots, 2), 2);
    cr_assert_eq(shmring_mpmc_claim_many(&other, slots, 2), 2);
    shmring_mpmc_detach_producer(&other);
    shmring_mpmc_detach_consumer(&leaver);
    expect_got((int[]){3, 1 + AGAIN, 2 + AGAIN, NOTHING});
    expect_whole();
    tear_down();
}

Test(mpmc_recover, no_place_is_an_error_that_touches_nothing)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1,
                        .l_len = SHMRING_MEMBER_MAX};
    shmring_mpmc_producer other = {.tail_pos = 77};
    char path[40];

    set_up(SLOTS, 0);
    shmring_mpmc_detach_producer(&producer);
    shmring_mpmc_detach_consumer(&consumer);
    snprintf(path, sizeof path, "/proc/self/fd/%d", segment.fd);
    int fd = open(path, O_RDWR | O_CLOEXEC);

    cr_assert_eq(fcntl(fd, F_OFD_SETLK, &all), 0);
    cr_expect_eq(shmring_mpmc_attach_producer(&other, segment.base, &geometry, segment.fd),
                 -EUSERS);
    cr_expect(other.tail_pos == 77 && other.side.entries == NULL);
    close(fd);
    attach(&producer, &consumer);
    tear_down();
}

static _Noreturn void use_copies(shmring_mpmc_slot *claimed, shmring_mpmc_slot *taken)
{
    void *before = malloc(segment.size);
    shmring_mpmc_slot slot;

    memcpy(before, segment.base, segment.size);
    CHECK_EQ(shmring_mpmc_error(&producer.side), -EOWNERDEAD);
    CHECK_EQ(shmring_mpmc_error(&consumer.side), -EOWNERDEAD);
    CHECK(!shmring_mpmc_claim(&producer, &slot));
    CHECK(!shmring_mpmc_take(&consumer, &slot));
    CHECK(!shmring_mpmc_take_by(&consumer, SHMRING_TAKE_LOWEST, UINT32_MAX, &slot));
    CHECK_EQ(shmring_mpmc_send(&producer, "", 0, 0), -EOWNERDEAD);
    CHECK_EQ(shmring_mpmc_recv(&consumer, NULL, 0, &slot), -EOWNERDEAD);
    CHECK_EQ(shmring_mpmc_commit(&producer, claimed, 0, 0), -EOWNERDEAD);
    CHECK_EQ(shmring_mpmc_abort(&producer, claimed), -EOWNERDEAD);
    CHECK_EQ(shmring_mpmc_release(&consumer, taken), -EOWNERDEAD);
    CHECK_EQ(shmring_mpmc_recover(&producer.side), -EOWNERDEAD);
    shmring_mpmc_detach_producer(&producer);
    shmring_mpmc_detach_consumer(&consumer);
    CHECK(memcmp(before, segment.base, segment.size) == 0);
    free(before);
    _exit(0);
}

Test(mpmc_recover, a_forked_copy_of_a_handle_does_nothing_and_takes_nothing_away)
{
    shmring_mpmc_slot claimed, taken;

    for (int rounds = 0; rounds <= 50; rounds += 50) {
        set_up(SLOTS, 0);
        go_round(rounds); /* long enough to bet on the next slot */
        put(1, 2);
        cr_assert(shmring_mpmc_take(&consumer, &taken));
        cr_assert(shmring_mpmc_claim(&producer, &claimed));
        pid_t child = check_fork();

        if (child == 0)
            use_copies(&claimed, &taken);
        cr_assert_eq(check_wait(child), 0);
        cr_expect_eq(shmring_member_probe(segment.fd, producer.side.member.id), 1);
        cr_expect_eq(shmring_member_probe(segment.fd, consumer.side.member.id), 1);
        cr_expect_eq(shmring_mpmc_commit(&producer, &claimed, 4, 0), 0);
        cr_expect_eq(shmring_mpmc_release(&consumer, &taken), 0);
        cr_expect_eq(get(), 2);
        tear_down();
    }
}

Test(mpmc_recover, who_was_taken_for_dead_is_told_so_and_spoils_nothing)
{
    set_up(2, 0);
    for (int reused = 0; reused < 2; reused++) {
        shmring_mpmc_producer lost, heir;
        shmring_mpmc_consumer lost_too, heir_too;
        shmring_mpmc_slot slot, taken, heirs[2];

        put(1, 1);
        attach(&lost, &lost_too);
        cr_assert(shmring_mpmc_take(&lost_too, &taken));
        cr_assert(shmring_mpmc_claim(&lost, &slot));
        cr_assert_eq(close(lost.side.member.fd) | close(lost_too.side.member.fd), 0);
        cr_expect_eq(shmring_mpmc_recover(&producer.side), 2);
        if (reused) {
            attach(&heir, &heir_too);
            cr_assert_eq(heir.side.member.id, lost.side.member.id);
            cr_assert_eq(shmring_mpmc_claim_many(&heir, heirs, 2), 2);
        }
        cr_expect_eq(shmring_mpmc_commit(&lost, &slot, 1, 1), -ESTALE);
        cr_expect_eq(shmring_mpmc_abort(&lost, &slot), -ESTALE);
        cr_expect_eq(shmring_mpmc_release(&lost_too, &taken), -ESTALE);
        cr_expect_eq(get(), NOTHING);
        shmring_mpmc_detach_producer(&lost);
        shmring_mpmc_detach_consumer(&lost_too);
        if (reused) {
            cr_expect_eq(shmring_mpmc_recover(&producer.side), 0);
            cr_expect_eq(shmring_mpmc_commit(&heir, &heirs[0], 0, 0), 0);
            cr_expect(shmring_mpmc_take(&heir_too, &taken));
            shmring_mpmc_detach_producer(&heir);
            shmring_mpmc_detach_consumer(&heir_too);
        }
        expect_whole();
    }
    tear_down();
}

/* SPDX-License-Identifier: MIT */
/* Senders and receivers of a queue in one thread: what is passed, what ends, what is reported. */
#include "../backends.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

enum {
    SLOTS = 4,
    SLOT_SIZE = 16,
};

static char name[64];
static shmring_queue_sender tx;
static shmring_queue_receiver rx;

static void set_up(void)
{
    shmring_channel_options options = {
        .size = sizeof options, .create = true, .capacity = SLOTS, .slot_size = SLOT_SIZE};

    snprintf(name, sizeof name, "shmring-test-queue-%d", (int)getpid());
    cr_assert_eq(shmring_queue_sender_open(&tx, name, &options), 0);
    cr_assert_eq(shmring_queue_receiver_open(&rx, name, &options), 0);
}

static void tear_down(void)
{
    shmring_queue_sender_close(&tx);
    shmring_queue_receiver_close(&rx);
    shmring_channel_unlink(name, NULL);
}

TestSuite(queue, .init = set_up, .fini = tear_down, .timeout = 60);

static int put(char byte, uint32_t type)
{
    return shmring_queue_send(&tx, &byte, 1, type, SHMRING_NOW);
}

/* The byte of the next message, or the error. */
static int get(void)
{
    shmring_mpmc_slot slot;
    char byte;
    int error = shmring_queue_recv(&rx, &byte, 1, &slot, SHMRING_NOW);

    return error != 0 ? error : byte;
}

static void fill(void)
{
    for (char byte = 0; byte < SLOTS; byte++)
        cr_assert_eq(put(byte, 0), 0);
}

/* Closed and opened again, to wait in that way. */
static void reopen(enum shmring_wait_policy policy)
{
    shmring_channel_options options = {.size = sizeof options, .wait = policy};

    shmring_queue_sender_close(&tx);
    shmring_queue_receiver_close(&rx);
    cr_assert_eq(shmring_queue_sender_open(&tx, name, &options), 0);
    cr_assert_eq(shmring_queue_receiver_open(&rx, name, &options), 0);
}

/* All calls that may wait, none of which can do anything: those of one side. */
static void expect_all(bool sends, int64_t deadline, int want)
{
    shmring_mpmc_slot slot;
    char buffer[SLOT_SIZE] = {0}, zeros[SLOT_SIZE] = {0};

    if (sends) {
        cr_expect_eq(shmring_queue_send(&tx, "x", 1, 0, deadline), want);
        cr_expect_eq(shmring_queue_claim(&tx, deadline, &slot), want);
    } else {
        cr_expect_eq(shmring_queue_recv(&rx, buffer, sizeof buffer, &slot, deadline), want);
        cr_expect_eq(shmring_queue_take(&rx, deadline, &slot), want);
        cr_expect_eq(shmring_queue_take_by(&rx, SHMRING_TAKE_EQUAL, 0, deadline, &slot), want);
        cr_expect_eq(shmring_queue_take_by(&rx, SHMRING_TAKE_ANY, 0, deadline, &slot), want);
    }
    cr_expect_eq(memcmp(buffer, zeros, sizeof buffer), 0, "untouched on failure");
}

static void expect_deadlines_hold(bool sends)
{
    const int64_t passed[] = {SHMRING_NOW, -1, INT64_MIN, 1, shmring_clock()};

    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
        expect_all(sends, passed[i], -ETIMEDOUT);
    int64_t soon = shmring_deadline(3000000);

    expect_all(sends, soon, -ETIMEDOUT);
    cr_expect_geq(shmring_clock(), soon);
}

Test(queue, empty_and_full_time_out_with_any_deadline_and_policy)
{
    for (int policy = SHMRING_WAIT_BLOCK; policy <= SHMRING_WAIT_ADAPTIVE; policy++) {
        reopen((enum shmring_wait_policy)policy);
        expect_deadlines_hold(false);
        fill();
        expect_deadlines_hold(true);
        for (int byte = 0; byte < SLOTS; byte++)
            cr_assert_eq(get(), byte);
    }
}

Test(queue, what_is_there_is_had_whatever_the_deadline)
{
    const int64_t deadlines[] = {SHMRING_NOW, -1, INT64_MIN, 1, SHMRING_NEVER};
    shmring_mpmc_slot slot;
    char byte;

    for (size_t i = 0; i < sizeof deadlines / sizeof *deadlines; i++) {
        cr_expect_eq(shmring_queue_send(&tx, "x", 1, 7, deadlines[i]), 0);
        cr_expect_eq(shmring_queue_recv(&rx, &byte, 1, &slot, deadlines[i]), 0);
        cr_expect(byte == 'x' && slot.type == 7 && slot.length == 1 && !slot.redelivered);
        cr_expect_eq(shmring_queue_claim(&tx, deadlines[i], &slot), 0);
        cr_expect_eq(shmring_queue_commit(&tx, &slot, 0, 8), 0);
        cr_expect_eq(shmring_queue_take(&rx, deadlines[i], &slot), 0);
        cr_expect(slot.type == 8 && slot.length == 0);
        cr_expect_eq(shmring_queue_release(&rx, &slot), 0);
    }
}

Test(queue, messages_come_in_the_order_in_which_they_were_sent)
{
    shmring_mpmc_slot slot;
    int next = 0;

    for (int i = 0; i < 1000; i++) {
        if (i % 2 == 0) {
            cr_assert_eq(put((char)(i % 100), (uint32_t)i), 0);
        } else {
            cr_assert_eq(shmring_queue_claim(&tx, SHMRING_NOW, &slot), 0);
            *(char *)slot.data = (char)(i % 100);
            cr_assert_eq(shmring_queue_commit(&tx, &slot, 1, (uint32_t)i), 0);
        }
        if (i % SLOTS != SLOTS - 1)
            continue;
        for (int j = 0; j < SLOTS; j++, next++) {
            if (j == 1) {
                cr_assert_eq(get(), next % 100);
                continue;
            }
            cr_assert_eq(shmring_queue_take(&rx, SHMRING_NOW, &slot), 0);
            cr_assert(slot.type == (uint32_t)next && *(char *)slot.data == next % 100);
            cr_assert_eq(shmring_queue_release(&rx, &slot), 0);
        }
    }
}

Test(queue, what_is_aborted_is_not_seen_and_its_slot_is_free)
{
    shmring_mpmc_slot slot;

    for (int i = 0; i < 3 * SLOTS; i++) {
        cr_assert_eq(shmring_queue_claim(&tx, SHMRING_NOW, &slot), 0);
        cr_assert_eq(shmring_queue_abort(&tx, &slot), 0);
        cr_assert_eq(get(), -ETIMEDOUT);
    }
    fill();
}

Test(queue, each_wish_is_granted)
{
    const struct {
        enum shmring_mpmc_wish wish;
        uint32_t type;
        int want; /* the byte, or -1 */
    } wishes[] = {
        {SHMRING_TAKE_EQUAL, 5, 1},    {SHMRING_TAKE_EQUAL, 6, -1}, {SHMRING_TAKE_EXCEPT, 9, 1},
        {SHMRING_TAKE_LOWEST, 9, 2},   {SHMRING_TAKE_LOWEST, 2, -1}, {SHMRING_TAKE_HIGHEST, 0, 0},
        {SHMRING_TAKE_HIGHEST, 10, -1}, {SHMRING_TAKE_ANY, 99, 0},
    };
    const uint32_t types[SLOTS] = {9, 5, 3, 5};
    shmring_mpmc_slot slot;

    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        for (char byte = 0; byte < SLOTS; byte++)
            cr_assert_eq(put(byte, types[(int)byte]), 0);
        int error =
            shmring_queue_take_by(&rx, wishes[i].wish, wishes[i].type, SHMRING_NOW, &slot);

        cr_expect_eq(error, wishes[i].want < 0 ? -ETIMEDOUT : 0, "wish %zu", i);
        if (error == 0) {
            cr_expect_eq(*(char *)slot.data, wishes[i].want, "wish %zu", i);
            cr_expect_eq(shmring_queue_release(&rx, &slot), 0);
        }
        for (int left = error == 0 ? SLOTS - 1 : SLOTS; left > 0; left--)
            cr_assert_geq(get(), 0);
    }
}

Test(queue, what_is_too_long_is_not_waited_for_and_stays)
{
    shmring_mpmc_slot slot;
    char message[SLOT_SIZE + 1] = "0123456789abcdef", buffer[SLOT_SIZE] = "untouched";

    cr_expect_eq(shmring_queue_send(&tx, message, SLOT_SIZE + 1, 0, SHMRING_NEVER), -EMSGSIZE);
    cr_expect_eq(get(), -ETIMEDOUT);
    cr_expect_eq(shmring_queue_send(&tx, message, SLOT_SIZE, 7, SHMRING_NOW), 0);
    cr_expect_eq(shmring_queue_recv(&rx, buffer, SLOT_SIZE - 1, &slot, SHMRING_NEVER), -EMSGSIZE);
    cr_expect_eq(slot.length, SLOT_SIZE);
    cr_expect_str_eq(buffer, "untouched");
    cr_expect_eq(shmring_queue_recv(&rx, buffer, SLOT_SIZE, &slot, SHMRING_NOW), 0);
    cr_expect_eq(memcmp(buffer, message, SLOT_SIZE), 0);
    cr_expect_eq(slot.type, 7);
}

Test(queue, the_end_comes_after_the_last_message_and_once)
{
    shmring_queue_sender second = {0};
    shmring_mpmc_slot slot;
    char byte;

    cr_assert_eq(shmring_queue_sender_open(&second, name, NULL), 0);
    cr_assert_eq(put('x', 0), 0);
    shmring_queue_sender_close(&tx);
    cr_expect_eq(get(), 'x');
    cr_expect_eq(get(), -ETIMEDOUT, "another sender is there");
    shmring_queue_sender_close(&second);
    cr_expect_eq(get(), -EPIPE);
    for (int i = 0; i < 600; i++)
        cr_assert_eq(get(), -ETIMEDOUT, "once");
    cr_assert_eq(shmring_queue_sender_open(&tx, name, NULL), 0);
    cr_expect_eq(get(), -ETIMEDOUT);
    shmring_queue_sender_close(&tx);
    cr_expect_eq(shmring_queue_recv(&rx, &byte, 1, &slot, SHMRING_NEVER), -EPIPE, "the next one");
}

Test(queue, an_end_is_told_to_who_finds_messages_and_to_nobody_else)
{
    cr_assert_eq(put('x', 0), 0);
    shmring_queue_sender_close(&tx);
    shmring_queue_receiver_close(&rx);
    cr_assert_eq(shmring_queue_receiver_open(&rx, name, NULL), 0);
    cr_expect_eq(get(), 'x');
    cr_expect_eq(get(), -EPIPE);
    shmring_queue_receiver_close(&rx);
    cr_assert_eq(shmring_queue_receiver_open(&rx, name, NULL), 0);
    for (int i = 0; i < 600; i++)
        cr_assert_eq(get(), -ETIMEDOUT);
}

Test(queue, who_is_cancelled_does_not_wait_until_it_is_resumed)
{
    shmring_queue_receiver_cancel(&rx);
    shmring_queue_sender_cancel(&tx);
    expect_all(false, SHMRING_NEVER, -ECANCELED);
    fill();
    expect_all(true, SHMRING_NEVER, -ECANCELED);
    cr_expect_eq(get(), 0, "no need to wait");
    cr_expect_eq(put(SLOTS, 0), 0);
    shmring_queue_receiver_resume(&rx);
    shmring_queue_sender_resume(&tx);
    expect_all(true, shmring_deadline(1000000), -ETIMEDOUT);
    for (int byte = 1; byte <= SLOTS; byte++)
        cr_assert_eq(get(), byte);
    expect_all(false, shmring_deadline(1000000), -ETIMEDOUT);
}

Test(queue, a_forked_child_is_told_that_the_handles_are_not_its_own)
{
    int status;

    cr_assert_eq(put('x', 0), 0);
    pid_t child = fork();

    if (child == 0) {
        int errors[] = {put('y', 0), get(), get()};

        _exit(errors[0] == -EOWNERDEAD && errors[1] == -EOWNERDEAD && errors[2] == -EOWNERDEAD
                  ? 0 : 1);
    }
    cr_assert(waitpid(child, &status, 0) == child && status == 0);
    cr_expect_eq(get(), 'x');
    cr_expect_eq(get(), -ETIMEDOUT);
}

static void expect_invalid(shmring_channel_options options)
{
    shmring_queue_receiver none = {0};

    options.size = sizeof options;
    cr_expect_eq(shmring_queue_receiver_open(&none, name, &options), -EINVAL);
    cr_expect_eq(shmring_queue_create("shmring-test-bad", &options), -EINVAL);
    cr_expect_null(none.segment.base);
}

Test(queue, wrong_options_are_refused)
{
    shmring_queue_sender none = {0};
    shmring_receiver channel = {0};
    struct {
        shmring_channel_options known;
        char newer[9];
    } future = {.known.size = sizeof future};

    expect_invalid((shmring_channel_options){.gather_count = 2});
    expect_invalid((shmring_channel_options){.gather_ns = 1});
    expect_invalid((shmring_channel_options){.gather_count = 2, .gather_ns = -1});
    expect_invalid((shmring_channel_options){.gather_count = 2,
                                             .gather_ns = SHMRING_GATHER_NS_MAX + 1});
    expect_invalid((shmring_channel_options){.wait = 3});
    expect_invalid((shmring_channel_options){.fence = 3});
    expect_invalid((shmring_channel_options){.backend = SHMRING_BACKENDS});
    cr_expect_eq(shmring_queue_sender_open(&none, name, &future.known), 0, "zeros behind");
    shmring_queue_sender_close(&none);
    future.newer[8] = 1;
    cr_expect_eq(shmring_queue_sender_open(&none, name, &future.known), -EINVAL);
    cr_expect_eq(shmring_queue_create("shmring-test-bad", &future.known), -EINVAL);
    cr_expect_eq(shmring_receiver_open(&channel, name, NULL), -EPROTOTYPE);
    cr_expect_eq(shmring_queue_create(name, NULL), -EEXIST);
    cr_expect_eq(shmring_queue_create(NULL, NULL), -EINVAL);
    cr_expect_eq(shmring_queue_sender_open(&none, "shmring-test-none", NULL), -ENOENT);
    cr_expect_null(none.segment.base);
}

/* SPDX-License-Identifier: MIT */
/* Sleeping and waking, as far as one thread can tell. */
#include "memory.h"

#include <errno.h>

static ring_memory memory;
static shmring_waiter sleeper, waker;

static void open_waiters(uint64_t options)
{
    memory = ring_memory_new(0, 4096);
    memory.geometry.options = options;
    cr_assert_eq(shmring_waiter_open(&waker, memory.base, &memory.geometry, SHMRING_ROLE_PRODUCER,
                                     NULL), 0);
    cr_assert_eq(shmring_waiter_open(&sleeper, memory.base, &memory.geometry, SHMRING_ROLE_CONSUMER,
                                     NULL), 0);
}

static void set_up(void)
{
    open_waiters(0);
}

static void tear_down(void)
{
    shmring_waiter_close(&waker);
    shmring_waiter_close(&sleeper);
    ring_memory_free(&memory);
}

TestSuite(wait, .init = set_up, .fini = tear_down);

static void publish(uint64_t pos)
{
    shmring_store64_release(&ring_memory_role(&memory, true)->pos, pos);
    shmring_wake(&waker);
}

static uint32_t wakes(void)
{
    return shmring_load32_relaxed(&ring_memory_role(&memory, true)->bell.wakes);
}

Test(wait, nobody_is_woken_who_is_awake)
{
    publish(8);
    publish(16);
    cr_expect_eq(wakes(), 0);
}

Test(wait, a_sleeper_is_woken_once_and_not_before_its_position)
{
    shmring_wait_arm(&sleeper, 16);
    publish(8);
    cr_expect_eq(wakes(), 0);
    publish(16);
    cr_expect_eq(wakes(), 1);
    publish(24);
    cr_expect_eq(wakes(), 1, "once per sleep");
    shmring_wait_disarm(&sleeper);
    shmring_wait_arm(&sleeper, 32);
    publish(32);
    cr_expect_eq(wakes(), 2);
}

/* In a suite of its own, because opening may be refused. */
Test(wait_light, a_sleeper_is_woken_once_and_not_before_its_position)
{
    if (shmring_fence_register() != 0)
        cr_skip("no light fence");
    open_waiters(SHMRING_OPTION_LIGHT_WAKE);
    publish(8);
    shmring_wait_arm(&sleeper, 16);
    publish(8);
    cr_expect_eq(wakes(), 0);
    publish(16);
    publish(24);
    cr_expect_eq(wakes(), 1, "once per sleep");
    shmring_wait_disarm(&sleeper);
    publish(32);
    shmring_wait_arm(&sleeper, 40);
    publish(40);
    cr_expect_eq(wakes(), 2);
    tear_down();
}

Test(wait, a_wake_between_arm_and_sleep_is_not_slept_through)
{
    int at_once = 0;

    /* Many, because one may be late for another reason: the processor was taken away. */
    for (uint64_t pos = 8; pos <= 160; pos += 8) {
        uint32_t ticket = shmring_wait_arm(&sleeper, pos);

        publish(pos);
        int64_t before = shmring_clock();
        cr_expect_eq(shmring_wait_sleep(&sleeper, ticket, SHMRING_NEVER), 0);
        at_once += shmring_clock() - before < SHMRING_WAIT_CAP_NS;
        shmring_wait_disarm(&sleeper);
    }
    cr_expect_gt(at_once, 0, "each waited for the cap");
}

Test(wait, a_sleep_ends_at_its_deadline_or_at_the_cap)
{
    uint32_t ticket = shmring_wait_arm(&sleeper, 8);
    int64_t before = shmring_clock();

    cr_expect_eq(shmring_wait_sleep(&sleeper, ticket, before + 5000000), -ETIMEDOUT);
    cr_expect_geq(shmring_clock() - before, 5000000);
    cr_expect_eq(shmring_wait_sleep(&sleeper, ticket, SHMRING_NOW), -ETIMEDOUT);
    cr_expect_eq(shmring_wait_sleep(&sleeper, ticket, -1), -ETIMEDOUT);
    cr_expect_eq(shmring_wait_sleep(&sleeper, ticket, INT64_MIN), -ETIMEDOUT);
    cr_expect_eq(shmring_wait_sleep(&sleeper, ticket, SHMRING_NEVER), 0, "the cap");
    shmring_wait_disarm(&sleeper);
}

Test(wait, deadlines_do_not_overflow)
{
    cr_expect_eq(shmring_deadline(INT64_MAX), SHMRING_NEVER);
    cr_expect_lt(shmring_deadline(-1), shmring_clock());
    cr_expect_gt(shmring_deadline(1000000000), shmring_clock());
}

Test(wait, who_published_nothing_new_wakes_nobody)
{
    publish(8);
    shmring_wait_arm(&sleeper, 8);
    shmring_wake(&waker);
    cr_expect_eq(wakes(), 0, "it has looked after arming");
}

/* n waits that each end after so many misses and bring so many messages. */
static void wait_often(shmring_spin *spin, uint64_t *done, int n, int misses, uint64_t messages)
{
    for (; n > 0; n--) {
        for (int i = 0; i < misses; i++)
            shmring_spin_miss(spin, *done);
        shmring_spin_hit(spin);
        *done += messages;
    }
}

Test(wait, a_spinner_lags_more_while_that_brings_more_and_less_when_it_does_not)
{
    shmring_spin spin = {0};
    uint64_t done = 0;

    wait_often(&spin, &done, 20, SHMRING_SPIN_SOON, 2 * SHMRING_SPIN_LAG_MAX);
    cr_expect_eq(spin.lag, SHMRING_SPIN_LAG_MAX);
    wait_often(&spin, &done, 20, SHMRING_SPIN_SOON + 1, 2 * SHMRING_SPIN_LAG_MAX);
    cr_expect_leq(spin.lag, SHMRING_SPIN_LAG_MIN, "long waits");
}

Test(wait, a_spinner_lags_no_longer_than_what_it_brings_is_worth)
{
    for (uint32_t messages = 2; messages < 16; messages++) {
        shmring_spin spin = {0};
        uint64_t done = 0;

        wait_often(&spin, &done, 20, 1, messages);
        cr_expect_gt(spin.lag, messages * SHMRING_SPIN_PRICE / 2, "%u", messages);
        cr_expect_leq(spin.lag, messages * SHMRING_SPIN_PRICE * 2, "%u", messages);
        spin.lag = SHMRING_SPIN_LAG_MAX; /* there were more before */
        wait_often(&spin, &done, 20, 1, messages);
        cr_expect_leq(spin.lag, messages * SHMRING_SPIN_PRICE * 2, "%u", messages);
    }
}

Test(wait, a_spinner_in_a_dialogue_does_not_lag)
{
    shmring_spin spin = {0};
    uint64_t done = 0;

    wait_often(&spin, &done, SHMRING_SPIN_TRIAL - 1, 1, 1);
    cr_expect_eq(spin.lag, 0);
    wait_often(&spin, &done, 1, 1, 1);
    cr_expect_eq(spin.lag, SHMRING_SPIN_LAG_MIN, "a trial");
    wait_often(&spin, &done, 1, 1, 1);
    cr_expect_eq(spin.lag, 0, "that failed");
    wait_often(&spin, &done, 20, 1, 100);
    cr_expect_eq(spin.lag, SHMRING_SPIN_LAG_MAX, "a stream");
    wait_often(&spin, &done, 8, 1, 1);
    cr_expect_eq(spin.lag, 0, "a dialogue again");
}

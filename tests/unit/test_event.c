/* SPDX-License-Identifier: MIT */
/* Sleeping and waking between many, as far as threads of one process can tell. */
#define _GNU_SOURCE
#include "memory.h"

#include <errno.h>
#include <pthread.h>

static const int64_t HANG_NS = 20000000000;

static ring_memory memory;
static shmring_eventcount events;

static void set_up(void)
{
    cr_assert_eq(shmring_layout_plan(SHMRING_KIND_MPMC, 8, 2, &memory.geometry), 0);
    memory.base = aligned_alloc(SHMRING_PAGE_SIZE, memory.geometry.total_size);
    cr_assert_not_null(memory.base);
    memset(memory.base, 0, memory.geometry.total_size);
    cr_assert_eq(shmring_event_open(&events, memory.base, &memory.geometry, SHMRING_FOR_MESSAGES,
                                    NULL), 0);
}

static void tear_down(void)
{
    shmring_event_close(&events);
    ring_memory_free(&memory);
}

TestSuite(event, .init = set_up, .fini = tear_down, .timeout = 100);

static uint32_t wakes(void)
{
    return shmring_load32_relaxed(&events.event->bell.wakes);
}

static uint64_t wake_at(void)
{
    return shmring_load64_relaxed(&events.event->wake_at);
}

Test(event, nobody_is_woken_who_is_awake)
{
    shmring_event_wake(&events, 1);
    shmring_event_wake(&events, UINT64_MAX);
    shmring_event_pass(&events);
    cr_expect_eq(wakes(), 0);
}

Test(event, a_sleeper_is_woken_once_and_not_before_its_position)
{
    uint32_t ticket = shmring_event_arm(&events, 16);

    shmring_event_wake(&events, 15);
    cr_expect_eq(wakes(), 0);
    shmring_event_wake(&events, 16);
    cr_expect_eq(wakes(), 1);
    shmring_event_wake(&events, 17);
    shmring_event_pass(&events);
    cr_expect_eq(wakes(), 1, "once");
    cr_expect_eq(shmring_event_sleep(&events, ticket, SHMRING_NEVER), 0);
}

Test(event, the_earlier_of_two_positions_counts)
{
    shmring_event_arm(&events, 16);
    shmring_event_arm(&events, 8);
    shmring_event_arm(&events, 12);
    shmring_event_wake(&events, 7);
    cr_expect_eq(wakes(), 0);
    shmring_event_wake(&events, 8);
    cr_expect_eq(wakes(), 1);
    shmring_event_arm(&events, SHMRING_EVENT_ANY);
    shmring_event_wake(&events, 1);
    cr_expect_eq(wakes(), 2);
}

Test(event, the_baton_wakes_whatever_the_position_is)
{
    shmring_event_arm(&events, UINT64_C(1) << 60);
    shmring_event_pass(&events);
    cr_expect_eq(wakes(), 1);
    cr_expect_eq(wake_at(), 0);
}

Test(event, a_wake_between_arm_and_sleep_is_not_slept_through)
{
    int at_once = 0;

    /* Many, because one may be late for another reason: the processor was taken away. */
    for (uint64_t end = 1; end <= 20; end++) {
        uint32_t ticket = shmring_event_arm(&events, end);
        int64_t before = shmring_clock();

        shmring_event_wake(&events, end);
        cr_expect_eq(shmring_event_sleep(&events, ticket, SHMRING_NEVER), 0);
        at_once += shmring_clock() - before < SHMRING_WAIT_CAP_NS;
    }
    cr_expect_gt(at_once, 0, "each waited for the cap");
}

Test(event, a_sleep_ends_at_its_deadline_or_at_the_cap)
{
    uint32_t ticket = shmring_event_arm(&events, 8);
    int64_t soon = shmring_deadline(5000000);

    cr_expect_eq(shmring_event_sleep(&events, ticket, soon), -ETIMEDOUT);
    cr_expect_geq(shmring_clock(), soon);
    cr_expect_eq(shmring_event_sleep(&events, ticket, SHMRING_NOW), -ETIMEDOUT);
    cr_expect_eq(shmring_event_sleep(&events, ticket, -1), -ETIMEDOUT);
    cr_expect_eq(shmring_event_sleep(&events, ticket, INT64_MIN), -ETIMEDOUT);
    cr_expect_eq(shmring_event_sleep(&events, ticket, SHMRING_NEVER), 0, "the cap");
}

struct thread {
    pthread_t thread;
    uint64_t wake_at;
    shmring_word32 armed;
    bool is_woken;
};

/* Beyond the cap, so that who is not woken shows. */
static void *sleep_until_woken(void *argument)
{
    struct thread *own = argument;
    uint32_t ticket = shmring_event_arm(&events, own->wake_at);
    int64_t hang = shmring_deadline(HANG_NS);

    shmring_store32_release(&own->armed, 1);
    while (shmring_load32_relaxed(&events.event->bell.wakes) == ticket && shmring_clock() < hang)
        if (shmring_bell_sleep(&events.bell, ticket, hang) != 0)
            return NULL;
    own->is_woken = shmring_clock() < hang;
    return NULL;
}

/* Three of them asleep, or about to be. */
static void begin_sleepers(struct thread sleepers[3], uint64_t position)
{
    for (int i = 0; i < 3; i++) {
        sleepers[i] = (struct thread){.wake_at = position};
        cr_assert_eq(pthread_create(&sleepers[i].thread, NULL, sleep_until_woken, &sleepers[i]),
                     0);
    }
    for (int i = 0; i < 3; i++)
        while (shmring_load32_acquire(&sleepers[i].armed) == 0)
            sched_yield();
}

static void expect_woken(struct thread sleepers[3])
{
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(pthread_join(sleepers[i].thread, NULL), 0);
        cr_expect(sleepers[i].is_woken);
    }
}

Test(event, all_are_woken_where_one_is_picky)
{
    struct thread sleepers[3];

    for (int i = 0; i < 20; i++) {
        shmring_event_arm(&events, SHMRING_EVENT_ANY);
        begin_sleepers(sleepers, SHMRING_EVENT_ANY | (i % 2 == 0 ? SHMRING_EVENT_PICKY : 0));
        if (i % 2 == 0)
            shmring_event_wake(&events, 1);
        else
            shmring_event_wake_all(&events);
        expect_woken(sleepers);
    }
}

Test(event, only_futexes_wake_all)
{
    for (int i = 0; i < SHMRING_BACKENDS; i++) {
        events.bell.backend = (enum shmring_backend)i;
        cr_expect_eq(shmring_event_wakes_all(&events), i == SHMRING_BACKEND_FUTEX);
    }
    events.bell.backend = SHMRING_BACKEND_FUTEX;
}

Test(event, whatever_stands_in_wake_at_who_arms_is_woken)
{
    const uint64_t values[] = {0, 1, 2, UINT64_MAX, INT64_MAX, UINT64_C(1) << 63,
                               (UINT64_C(1) << 63) + 1, UINT64_MAX - 1, 1000};

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        uint32_t before = wakes();

        shmring_store64_relaxed(&events.event->wake_at, values[i]);
        shmring_event_wake(&events, 500);
        shmring_event_arm(&events, 600);
        shmring_event_wake(&events, 600);
        cr_expect_neq(wakes(), before, "%zu", i);
        cr_expect_eq(wake_at(), 0, "%zu", i);
    }
}

static shmring_word32 is_over;

static void *scribble(void *argument)
{
    uint64_t value = (uint64_t)(uintptr_t)argument;

    while (shmring_load32_acquire(&is_over) == 0) {
        value = value * UINT64_C(6364136223846793005) + 1442695040888963407;
        shmring_store64_relaxed(&events.event->wake_at, value >> value % 64);
    }
    return NULL;
}

Test(event, a_wake_at_that_never_stands_still_holds_nobody_up)
{
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, scribble, &events), 0);
    for (uint64_t i = 1; i < 200000; i++) {
        shmring_event_arm(&events, i);
        shmring_event_wake(&events, i);
    }
    shmring_store32_release(&is_over, 1);
    cr_assert_eq(pthread_join(thread, NULL), 0);
}

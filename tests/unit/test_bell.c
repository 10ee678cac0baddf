/* SPDX-License-Identifier: MIT */
/* Bells of each kind: what rings, what sleeps, and what is created and removed. */
#define _GNU_SOURCE
#include "bells.h"

#include <pthread.h>
#include <sched.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <time.h>

TestSuite(bell, .init = set_up, .fini = tear_down, .timeout = 100);

Test(bell, a_ring_before_the_sleep_is_not_slept_through)
{
    for (int backend = 0; backend < SHMRING_BACKENDS; backend++) {
        open_bells((enum shmring_backend)backend);
        for (int all = 0; all < 2; all++) {
            shmring_bell_clear(&sleeper);
            uint32_t number = ticket();

            ring(all != 0);
            cr_expect(is_woken(number), "%s", backend_name(place.backend));
        }
        close_bells();
    }
}

Test(bell, earlier_rings_are_forgotten_once_it_was_cleared)
{
    for (int backend = 0; backend < SHMRING_BACKENDS; backend++) {
        open_bells((enum shmring_backend)backend);
        for (int rings = 0; rings < 200; rings = rings * 7 + 1) {
            for (int i = 0; i < rings; i++)
                ring(i % 2 != 0);
            shmring_bell_clear(&sleeper);
            cr_expect(sleeps_for_a_while(), "%s", backend_name(place.backend));
        }
        close_bells();
    }
}

Test(bell, a_sleep_ends_at_its_time_also_if_that_has_passed)
{
    const int64_t passed[] = {0, -1, INT64_MIN, INT64_MIN + 1, 1, shmring_clock()};

    for (int backend = 0; backend < SHMRING_BACKENDS; backend++) {
        open_bells((enum shmring_backend)backend);
        cr_expect(sleeps_for_a_while(), "%s", backend_name(place.backend));
        for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
            cr_expect(sleeps_until(passed[i]), "%s, %zu", backend_name(place.backend), i);
        close_bells();
    }
}

static void *ring_soon(void *argument)
{
    (void)argument;
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    ring(false);
    return NULL;
}

Test(bell, a_ring_ends_a_sleep_and_leaves_errno_alone)
{
    pthread_t thread;

    for (int backend = 0; backend < SHMRING_BACKENDS; backend++) {
        open_bells((enum shmring_backend)backend);
        uint32_t number = ticket();

        cr_assert_eq(pthread_create(&thread, NULL, ring_soon, NULL), 0);
        cr_expect(is_woken(number), "%s", backend_name(place.backend));
        cr_assert_eq(pthread_join(thread, NULL), 0);
        errno = 77;
        ring(true);
        shmring_bell_clear(&sleeper);
        shmring_bell_clear(&sleeper);
        cr_expect_eq(errno, 77, "%s", backend_name(place.backend));
        close_bells();
    }
}

static void *sleep_with_ticket(void *argument)
{
    const uint32_t *number = argument;

    return is_woken(*number) ? NULL : argument;
}

Test(bell, a_ring_for_all_wakes_all)
{
    pthread_t threads[3];
    void *failed;

    for (int i = 0; i < SHMRING_BACKENDS; i++) {
        open_bells((enum shmring_backend)i);
        uint32_t number = ticket();

        for (int j = 0; j < 3; j++)
            cr_assert_eq(pthread_create(&threads[j], NULL, sleep_with_ticket, &number), 0);
        while (i == SHMRING_BACKEND_SYSV_SEM && semctl(ringer.set, 0, GETNCNT) < 3)
            sched_yield();
        ring(true);
        for (int j = 0; j < 3; j++) {
            cr_assert_eq(pthread_join(threads[j], &failed), 0);
            cr_expect_null(failed, "%s", backend_name(place.backend));
        }
        close_bells();
    }
}

/* A ring for nothing would do no harm, but it would have to be taken back, and what is taken may be
 * what a sleeper was rung by. */
Test(bell, who_opens_a_set_wakes_nobody_who_sleeps_on_it)
{
    pthread_t thread;
    shmring_bell other;
    void *failed;

    open_bells(SHMRING_BACKEND_SYSV_SEM);
    uint32_t number = ticket();

    cr_assert_eq(pthread_create(&thread, NULL, sleep_with_ticket, &number), 0);
    while (semctl(ringer.set, 0, GETNCNT) < 1)
        sched_yield();
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(shmring_bell_open(&other, words, &place, SHMRING_FOR_MESSAGES), 0);
        cr_expect_eq(semctl(ringer.set, 0, GETNCNT), 1, "it sleeps on");
        shmring_bell_close(&other);
    }
    ring(false);
    cr_assert_eq(pthread_join(thread, &failed), 0);
    cr_expect_null(failed);
    close_bells();
}

static int count_named(void)
{
    static const char *const directions[] = {"messages", "room"};
    char path[128];
    int count = 0;

    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "/dev/shm/sem.%s.%s", name, directions[i]);
        count += access(path, F_OK) == 0;
    }
    return count;
}

static int count_sets(void)
{
    const struct shmring_bell_words *room = &ring_memory_role(&memory, false)->bell;

    return (semctl((int)shmring_load32_relaxed(&words->sysv_id), 0, GETVAL) >= 0) +
           (semctl((int)shmring_load32_relaxed(&room->sysv_id), 0, GETVAL) >= 0);
}

Test(bell, what_is_created_is_removed)
{
    open_bells(SHMRING_BACKEND_NAMED_SEM);
    cr_expect_eq(count_named(), 2);
    close_bells();
    cr_expect_eq(count_named(), 0);
    open_bells(SHMRING_BACKEND_SYSV_SEM);
    cr_expect_eq(count_sets(), 2);
    close_bells();
    cr_expect_eq(count_sets(), 0);
}

Test(bell, a_creation_that_fails_leaves_nothing)
{
    char semaphore[128];

    snprintf(semaphore, sizeof semaphore, "/dev/shm/sem.%s.room", name);
    cr_assert_eq(mkdir(semaphore, 0700), 0); /* in the way of the second one */
    cr_expect_lt(create(SHMRING_BACKEND_NAMED_SEM), 0);
    cr_expect_eq(count_named(), 1);
    cr_assert_eq(rmdir(semaphore), 0);
    cr_expect_eq(create(SHMRING_BACKENDS), -EINVAL);
    cr_expect_eq(shmring_bell_open(&sleeper, words, &place, SHMRING_FOR_MESSAGES), -EINVAL);
    shmring_bells_remove(memory.base, &memory.geometry, &place);
    for (int backend = 0; backend < SHMRING_BACKENDS; backend++) {
        place.backend = (enum shmring_backend)backend;
        place.name = backend_has_name(place.backend) ? NULL : name; /* the other way */
        bool is_fine = backend == SHMRING_BACKEND_FUTEX || backend == SHMRING_BACKEND_SEM;

        cr_expect_eq(shmring_bells_create(memory.base, &memory.geometry, &place),
                     is_fine ? 0 : -EINVAL, "%s", backend_name(place.backend));
    }
    cr_expect_eq(count_named() + count_sets(), 0);
}

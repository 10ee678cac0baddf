/* SPDX-License-Identifier: MIT */
/* Bells of each kind, and what others who can reach them may do to them. */
#define _GNU_SOURCE
#include "bells.h"

#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

TestSuite(bell_hostile, .init = set_up, .fini = tear_down, .timeout = 100);

/* The open file is shared with a peer: it has made it block, and filled it to the brim. */
Test(bell_hostile, an_eventfd_that_blocks_blocks_nobody)
{
    const uint64_t brim = UINT64_MAX - 1;
    int fd = place.eventfds[SHMRING_FOR_MESSAGES];

    open_bells(SHMRING_BACKEND_EVENTFD);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK), 0);
        shmring_bell_clear(&sleeper);
        cr_assert_eq(write(fd, &brim, sizeof brim), sizeof brim);
        ring(false);
        ring(true);
        cr_expect(is_woken(ticket()));
        shmring_bell_clear(&sleeper);
        shmring_bell_clear(&sleeper); /* of nothing */
        cr_expect(sleeps_for_a_while());
    }
    close_bells();
}

static bool is_refused(int fd)
{
    place.eventfds[SHMRING_FOR_MESSAGES] = fd;
    return create(SHMRING_BACKEND_EVENTFD) == -EINVAL &&
           shmring_bell_open(&sleeper, words, &place, SHMRING_FOR_MESSAGES) == -EINVAL;
}

Test(bell_hostile, what_is_no_eventfd_is_refused_and_not_written_to)
{
    int pipe_fds[2], file = memfd_create("file", 0);
    struct stat status;

    cr_assert_eq(pipe(pipe_fds), 0);
    cr_expect(is_refused(-1));
    cr_expect(is_refused(1000), "closed");
    cr_expect(is_refused(pipe_fds[0]));
    cr_expect(is_refused(pipe_fds[1]));
    cr_expect(is_refused(file));
    cr_expect(is_refused(open("/dev/null", O_RDWR)));
    cr_expect(is_refused(timerfd_create(CLOCK_MONOTONIC, 0)), "a timer");
    cr_expect(is_refused(epoll_create1(0)), "an epoll set");
    cr_expect(fstat(file, &status) == 0 && status.st_size == 0);
    cr_expect_eq(poll(&(struct pollfd){.fd = pipe_fds[0], .events = POLLIN}, 1, 0), 0);
    cr_expect_eq(sleeper.words, NULL, "the handle is untouched on failure");
}

/* Any bytes in any part of it: nothing aborts, and nothing takes longer than it may. */
static void scribble(uint64_t seed, size_t from, size_t size)
{
    uint8_t *semaphore = sleeper.semaphore;

    srand((unsigned)seed);
    for (int i = 0; i < 100; i++) {
        for (size_t at = from; at < from + size; at++)
            semaphore[at] = (uint8_t)(rand() >> 8);
        ring(i % 2 != 0);
        shmring_bell_clear(&sleeper);
        ring(false);
        int64_t hang = shmring_deadline(HANG_NS);

        cr_assert_eq(shmring_bell_sleep(&sleeper, ticket(), shmring_deadline(100000)), 0);
        cr_assert_lt(shmring_clock(), hang);
    }
}

Test(bell_hostile, a_semaphore_of_any_bytes_aborts_nothing)
{
    uint64_t seed = (uint64_t)shmring_clock();

    printf("seed %#llx\n", (unsigned long long)seed);
    for (int named = 0; named < 2; named++) {
        open_bells(named ? SHMRING_BACKEND_NAMED_SEM : SHMRING_BACKEND_SEM);
        scribble(seed, 0, sizeof(sem_t));
        memset(sleeper.semaphore, 0, sizeof(sem_t));
        memcpy((uint8_t *)sleeper.semaphore + 8, &(uint32_t){128}, 4);
        scribble(seed, 0, 4); /* the value, the sleepers, who shares it */
        scribble(seed, 4, 4);
        scribble(seed, 8, 4);
        if (named) /* its bytes stay */
            shmring_bells_remove(memory.base, &memory.geometry, &place);
        else
            cr_expect_eq(shmring_bell_open(&sleeper, words, &place, SHMRING_FOR_MESSAGES),
                         -EBADMSG);
        close_bells();
    }
}

Test(bell_hostile, a_named_semaphore_that_was_removed_is_missed_by_who_comes_later)
{
    char semaphore[80];
    shmring_bell late;

    open_bells(SHMRING_BACKEND_NAMED_SEM);
    snprintf(semaphore, sizeof semaphore, "/%s.messages", name);
    cr_expect_eq(sem_unlink(semaphore), 0);
    cr_expect_eq(shmring_bell_open(&late, words, &place, SHMRING_FOR_MESSAGES), -ENOENT);
    uint32_t number = ticket();

    ring(false);
    cr_expect(is_woken(number), "those who have it open keep it");
    close_bells();
    shmring_bells_remove(memory.base, &memory.geometry, &place); /* again: harmless */
}

Test(bell_hostile, a_set_that_was_removed_is_told_and_rings_no_more)
{
    open_bells(SHMRING_BACKEND_SYSV_SEM);
    cr_assert_eq(semctl(sleeper.set, 0, IPC_RMID), 0);
    ring(false);
    ring(true);
    shmring_bell_clear(&sleeper);
    cr_expect_eq(shmring_bell_sleep(&sleeper, ticket(), shmring_deadline(HANG_NS)), -EIDRM);
    cr_expect_eq(shmring_bell_open(&ringer, words, &place, SHMRING_FOR_MESSAGES), -ENOENT);
    close_bells();
}

/* Whose number a hostile member wrote into the ring. */
Test(bell_hostile, the_set_of_another_is_refused_and_left_alone)
{
    int foreign = semget(IPC_PRIVATE, 1, 0600);
    uint32_t own;

    cr_assert_geq(foreign, 0);
    open_bells(SHMRING_BACKEND_SYSV_SEM);
    own = shmring_load32_relaxed(&words->sysv_id);
    cr_assert_eq(semctl(foreign, 0, SETVAL, 5), 0);
    shmring_store32_relaxed(&words->sysv_id, (uint32_t)foreign);
    cr_expect_eq(shmring_bell_open(&ringer, words, &place, SHMRING_FOR_MESSAGES), -EBADMSG);
    cr_expect_eq(shmring_bell_open(&ringer, words, &place, SHMRING_FOR_ROOM), -EBADMSG);
    shmring_bells_remove(memory.base, &memory.geometry, &place);
    cr_expect_eq(semctl(foreign, 0, GETVAL), 5);
    shmring_store32_relaxed(&words->sysv_id, UINT32_MAX);
    cr_expect_eq(shmring_bell_open(&ringer, words, &place, SHMRING_FOR_MESSAGES), -ENOENT);
    shmring_store32_relaxed(&words->sysv_id, own);
    cr_expect_eq(shmring_bell_open(&ringer, words, &place, SHMRING_FOR_MESSAGES), 0);
    cr_assert_eq(semctl(foreign, 0, IPC_RMID), 0);
    close_bells();
}

Test(bell_hostile, a_set_filled_to_the_brim_still_rings_and_can_be_cleared)
{
    const int semvmx = 32767;

    open_bells(SHMRING_BACKEND_SYSV_SEM);
    cr_assert_eq(semctl(sleeper.set, 0, SETVAL, semvmx), 0);
    cr_expect_eq(shmring_bell_open(&ringer, words, &place, SHMRING_FOR_MESSAGES), 0);
    ring(false);
    ring(true);
    cr_expect(is_woken(ticket()));
    shmring_bell_clear(&sleeper);
    cr_expect(sleeps_for_a_while());
    close_bells();
}

/* SPDX-License-Identifier: MIT */
/* The two ends of a bell of any kind, in this process. */
#ifndef SHMRING_TESTS_BELLS_H
#define SHMRING_TESTS_BELLS_H

#include "../backends.h"
#include "memory.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>

static ring_memory memory;
static shmring_bell_place place;
static struct shmring_bell_words *words;
static shmring_bell ringer, sleeper;
static char name[64];

static inline void set_up(void)
{
    memory = ring_memory_new(0, 4096);
    words = &ring_memory_role(&memory, true)->bell;
    snprintf(name, sizeof name, "shmring-test-bell-%d", (int)getpid());
    place = (shmring_bell_place){.name = name, .segment_fd = memfd_create("bell", MFD_CLOEXEC)};
    cr_assert_eq(fchmod(place.segment_fd, 0600), 0); /* as a ring has it */
    for (int i = 0; i < 2; i++)
        place.eventfds[i] = eventfd(0, EFD_CLOEXEC);
}

static inline int create(enum shmring_backend backend)
{
    place.backend = backend;
    place.name = backend_has_name(backend) ? name : NULL;
    return shmring_bells_create(memory.base, &memory.geometry, &place);
}

static inline void open_bells(enum shmring_backend backend)
{
    cr_assert_eq(create(backend), 0, "%s", backend_name(backend));
    cr_assert_eq(shmring_bell_open(&ringer, words, &place, SHMRING_FOR_MESSAGES), 0);
    cr_assert_eq(shmring_bell_open(&sleeper, words, &place, SHMRING_FOR_MESSAGES), 0);
}

static inline void close_bells(void)
{
    shmring_bell_close(&ringer);
    shmring_bell_close(&sleeper);
    shmring_bells_remove(memory.base, &memory.geometry, &place);
}

static inline void tear_down(void)
{
    if (ringer.words != NULL)
        close_bells();
    ring_memory_free(&memory);
}

static inline uint32_t ticket(void)
{
    return shmring_load32_relaxed(&words->wakes);
}

static inline void ring(bool all)
{
    shmring_store32_release(&words->wakes, ticket() + 1);
    shmring_bell_ring(&ringer, all);
}

/* Sleeps with that ticket for as long as it takes; woken, and not by the end of the world? */
static inline bool is_woken(uint32_t number)
{
    int64_t hang = shmring_deadline(HANG_NS / 3);
    int error = shmring_bell_sleep(&sleeper, number, hang);

    return error == 0 && shmring_clock() < hang;
}

static inline bool sleeps_until(int64_t until)
{
    return shmring_bell_sleep(&sleeper, ticket(), until) == 0 && shmring_clock() >= until;
}

static inline bool sleeps_for_a_while(void)
{
    return sleeps_until(shmring_deadline(5000000));
}

#endif

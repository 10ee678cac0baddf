/* SPDX-License-Identifier: MIT */
/* A ring between guard pages, in which a test may write what it likes. */
#ifndef SHMRING_TESTS_UNIT_MPMC_HOSTILE_H
#define SHMRING_TESTS_UNIT_MPMC_HOSTILE_H

#include "../messages.h"
#include "memory.h"

#include <pthread.h>
#include <sys/mman.h>

enum {
    SLOTS = 8,
    SLOT_SIZE = 56, /* with its label, the whole stride: the last byte borders on the guard */
    SHORT = 8,
    HANG_SECONDS = 90,
};

static shmring_geometry geometry;
static uint8_t *base, *buffer_end;
static int ring_fd;
static uint64_t seed;
static shmring_mpmc_producer producer;
static shmring_mpmc_consumer consumer;
static shmring_mpmc_slot kept[2]; /* claimed and taken, perhaps */
static shmring_word32 stop;

/* size bytes of fd between two pages without access. */
static uint8_t *guarded(size_t size, int fd)
{
    uint8_t *place = mmap(NULL, size + 2 * SHMRING_PAGE_SIZE, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    cr_assert_neq((void *)place, MAP_FAILED);
    cr_assert_eq(ftruncate(fd, (off_t)size), 0);
    cr_assert_neq(mmap(place + SHMRING_PAGE_SIZE, size, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_FIXED, fd, 0), MAP_FAILED);
    return place + SHMRING_PAGE_SIZE;
}

static void set_up(void)
{
    char program[] = "";
    char *argv[] = {program, getenv("SEED"), NULL};

    seed = test_seed(argv[1] != NULL ? 2 : 1, argv);
    cr_assert_eq(shmring_layout_plan(SHMRING_KIND_MPMC, SLOT_SIZE, SLOTS, &geometry), 0);
    geometry.options = seed % 2 ? SHMRING_OPTION_REDELIVER : 0;
    ring_fd = memfd_create("ring", MFD_CLOEXEC);
    base = guarded(geometry.total_size, ring_fd);
    buffer_end = guarded(SHMRING_PAGE_SIZE, memfd_create("buffer", MFD_CLOEXEC));
    buffer_end += SHMRING_PAGE_SIZE;
    alarm(HANG_SECONDS); /* a call that does not end is a crash of the test */
}

TestSuite(mpmc_hostile, .init = set_up);

static void attach(int fd)
{
    cr_assert_eq(shmring_mpmc_attach_producer(&producer, base, &geometry, fd), 0);
    cr_assert_eq(shmring_mpmc_attach_consumer(&consumer, base, &geometry, fd), 0);
}

static void detach(void)
{
    shmring_mpmc_detach_producer(&producer);
    shmring_mpmc_detach_consumer(&consumer);
}

static shmring_word64 *word_at(uint64_t idx)
{
    return &((struct shmring_mpmc_entry *)(void *)(base + geometry.entries_offset))[idx].word;
}

static shmring_word64 *label_at(uint64_t idx)
{
    return &((struct shmring_mpmc_entry *)(void *)(base + geometry.entries_offset))[idx].label;
}

static void clear(void)
{
    memset(base, 0, geometry.total_size);
}

/* The message of a slot that was given to us is inside the ring: touches all of it. */
static void touch(const shmring_mpmc_slot *slot, uint32_t length)
{
    cr_assert_lt(slot->idx, SLOTS);
    cr_assert_leq(length, SLOT_SIZE);
    cr_assert_eq(slot->data, base + geometry.data_offset + slot->idx * geometry.slot_stride);
    memset(slot->data, 1, length);
}

static void expect_poison_is_for_good(const shmring_mpmc_side *side)
{
    shmring_mpmc_slot slot;

    clear();
    for (int i = 0; i < 20; i++) {
        if (side == &producer.side) {
            cr_assert_not(shmring_mpmc_claim(&producer, &slot));
            cr_assert_eq(shmring_mpmc_send(&producer, "", 0, 0), -EBADMSG);
        } else {
            cr_assert_not(shmring_mpmc_take(&consumer, &slot));
            cr_assert_not(shmring_mpmc_take_by(&consumer, SHMRING_TAKE_LOWEST, 9, &slot));
            cr_assert_eq(shmring_mpmc_recv(&consumer, buffer_end, 0, &slot), -EBADMSG);
        }
        cr_assert_eq(shmring_mpmc_error(side), -EBADMSG);
    }
}

/* A ring in use: one slot claimed, one taken, one with a message, then the frontier. */
typedef struct scene {
    shmring_mpmc_slot claimed, taken;
    uint64_t ready, frontier; /* indices */
} scene;

static scene scene_new(int rounds)
{
    shmring_mpmc_slot slot;
    scene now;

    clear();
    attach(-1);
    for (int i = 0; i < rounds; i++) {
        cr_assert_eq(shmring_mpmc_send(&producer, "", 0, 0), 0);
        cr_assert_eq(shmring_mpmc_recv(&consumer, buffer_end, 0, &slot), 0);
    }
    cr_assert(shmring_mpmc_claim(&producer, &now.claimed));
    cr_assert_eq(shmring_mpmc_send(&producer, "one", 3, 0), 0);
    cr_assert_eq(shmring_mpmc_send(&producer, "two", 3, 0), 0);
    cr_assert(shmring_mpmc_take(&consumer, &now.taken));
    now.ready = (now.taken.idx + 1) % SLOTS;
    now.frontier = (now.taken.idx + 2) % SLOTS;
    return now;
}

#endif

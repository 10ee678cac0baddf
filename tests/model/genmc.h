/* SPDX-License-Identifier: MIT */
/*
 * What the models of GenMC share: the shipped text of the claim ring, compiled in by genmc.py, with
 * its real orders, on a ring that is set up by hand; members are ids. A model is a main() that
 * asserts. Messages are plain memory, so that an access that is not ordered is found as a race.
 * GenMC goes through all executions that RC11 or IMM allows.
 */
#ifndef SHMRING_TESTS_MODEL_GENMC_H
#define SHMRING_TESTS_MODEL_GENMC_H

#include "shmring/mpmc.h"

#include <assert.h>
#include <pthread.h>

#ifndef SLOTS
#define SLOTS 2 /* or 1 */
#endif
#ifndef HINT_MASK
#define HINT_MASK 0 /* a hint at each position, so that a few show what hints do */
#endif

static struct shmring_mpmc_control control;
static struct shmring_mpmc_entry entries[SLOTS];
static struct shmring_member_record records[16];
static uint64_t messages[SLOTS];
static shmring_word32 here[16];
static bool redeliver;

/* The stand-ins for src/member.c: one death at most, that of member dead, and one who buries it. */
static uint32_t dead;

int shmring_member_enroll(shmring_member *ret_member, int fd, struct shmring_member_record *of,
                          enum shmring_member_role role)
{
    (void)ret_member, (void)fd, (void)of, (void)role;
    return -EUSERS;
}

void shmring_member_resign(shmring_member *member)
{
    (void)member;
}

int shmring_member_check(const shmring_member *member)
{
    uint32_t session = shmring_load32_acquire(&member->record->session);

    return session == member->session ? 0 : -ESTALE;
}

int shmring_member_seize(int fd, const struct shmring_member_record *of, uint32_t *id)
{
    (void)fd, (void)of;
    if (dead == 0 || *id >= dead)
        return -ENOENT;
    *id = dead;
    return 3;
}

void shmring_member_bury(struct shmring_member_record *of, uint32_t id, int lock_fd)
{
    (void)lock_fd;
    shmring_store32_release(&of[id].session, 2);
}

void shmring_member_leave(int fd)
{
    (void)fd;
}

bool shmring_member_is_object(int fd, dev_t device, ino_t inode)
{
    (void)fd, (void)device, (void)inode;
    return true;
}

static void ring_side(shmring_mpmc_side *side, uint32_t id)
{
    side->entries = entries;
    side->data = (uint8_t *)messages;
    side->mask = SLOTS - 1;
    side->slot_stride = sizeof messages[0];
    side->slot_size = sizeof messages[0];
    side->hint_mask = HINT_MASK;
    side->shift = SLOTS - 1;
    side->control = &control;
    side->records = records;
    side->redeliver = redeliver;
    side->member.id = id;
    side->member.record = &records[id];
    side->member.session = 1;
    side->member.here = &here[id];
    side->member.fd = 3;
    shmring_store32_relaxed(&here[id], SHMRING_MEMBER_HERE);
    shmring_store32_relaxed(&records[id].session, 1);
}

static void ring_producer(shmring_mpmc_producer *producer, uint32_t id)
{
    ring_side(&producer->side, id);
    producer->tail_pos = 0;
}

static void ring_consumer(shmring_mpmc_consumer *consumer, uint32_t id)
{
    ring_side(&consumer->side, id);
    consumer->head_pos = 0;
    consumer->open_count = 0;
    consumer->orphans_seen = (uint32_t)-1;
}

static shmring_mpmc_producer p[3];
static shmring_mpmc_consumer c[3];

/* Members: p[i] has id i + 1, c[i] has id i + 4. */
static void ring_begin(void)
{
    for (uint32_t i = 0; i < 3; i++) {
        ring_producer(&p[i], i + 1);
        ring_consumer(&c[i], i + 4);
    }
}

/* Without the streak: GenMC 0.10.3 does not digest what is done when one goes on. */
static void bet_on_tail(shmring_mpmc_producer *producer, uint64_t pos)
{
    producer->tail_pos = pos;
    producer->claimed = shmring_mpmc_word_at(&producer->side, pos, SHMRING_WORD_CLAIMED);
    shmring_store32_relaxed(producer->side.member.here, SHMRING_MEMBER_BETS);
}

static void bet_on_head(shmring_mpmc_consumer *consumer, uint64_t pos)
{
    consumer->head_pos = pos;
    consumer->taken = shmring_mpmc_word_at(&consumer->side, pos, SHMRING_WORD_TAKEN);
    shmring_store32_relaxed(consumer->side.member.here, SHMRING_MEMBER_BETS);
}

static bool send(shmring_mpmc_producer *producer, uint64_t value)
{
    shmring_mpmc_slot slot;

    if (!shmring_mpmc_claim(producer, &slot))
        return false;
    *(uint64_t *)slot.data = value;
    int error = shmring_mpmc_commit(producer, &slot, 8, (uint32_t)value);

    assert(error == 0);
    return true;
}

/* The message; 0: none. */
static uint64_t recv(shmring_mpmc_consumer *consumer)
{
    shmring_mpmc_slot slot;

    if (!shmring_mpmc_take(consumer, &slot)) {
        assert(consumer->side.error == 0);
        return 0;
    }
    uint64_t value = *(uint64_t *)slot.data;

    assert(slot.length == 8 && slot.type == value);
    int error = shmring_mpmc_release(consumer, &slot);

    assert(error == 0);
    return value;
}

/* Runs them at once, to their ends. */
static void run(void *(*first)(void *), void *(*second)(void *), void *(*third)(void *))
{
    pthread_t a, b, d;

    pthread_create(&a, NULL, first, NULL);
    pthread_create(&b, NULL, second, NULL);
    if (third != NULL)
        pthread_create(&d, NULL, third, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    if (third != NULL)
        pthread_join(d, NULL);
}

#endif

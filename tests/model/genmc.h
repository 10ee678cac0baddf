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
#define SLOTS 2 /* or 1, or 4 */
#endif
#ifndef REDELIVER
#define REDELIVER false
#endif
#ifndef HINT_MASK
#define HINT_MASK 0 /* a hint at each position, so that a few show what hints do */
#endif

static struct shmring_mpmc_control control;
static struct shmring_mpmc_entry entries[SLOTS];
static uint64_t messages[SLOTS];
static struct shmring_member_record records[] = {
    {0},
    {.session = {1}},
    {.session = {1}},
    {.session = {1}},
    {.session = {1}},
    {.session = {1}},
    {.session = {1}},
};
static shmring_word32 here[] = {
    {0},
    {SHMRING_MEMBER_HERE},
    {SHMRING_MEMBER_HERE},
    {SHMRING_MEMBER_HERE},
    {SHMRING_MEMBER_HERE},
    {SHMRING_MEMBER_HERE},
    {SHMRING_MEMBER_HERE},
};

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

int shmring_member_check_object(int fd, dev_t device, ino_t inode)
{
    (void)fd, (void)device, (void)inode;
    return 0;
}

/* All by initializers: each store would be one more step of each execution. */
#define SIDE                                                                                       \
    .entries = entries, .data = (uint8_t *)messages, .mask = SLOTS - 1,                            \
    .slot_stride = sizeof messages[0], .slot_size = sizeof messages[0], .hint_mask = HINT_MASK,    \
    .shift = SLOTS / 2, .control = &control, .records = records, .redeliver = REDELIVER
#define MEMBER .session = 1, .fd = 3

/* Members: p[i] has id i + 1, c[i] has id i + 4. */
static shmring_mpmc_producer p[] = {
    {.side = {SIDE, .member = {MEMBER, .id = 1, .record = &records[1], .here = &here[1]}}},
    {.side = {SIDE, .member = {MEMBER, .id = 2, .record = &records[2], .here = &here[2]}}},
    {.side = {SIDE, .member = {MEMBER, .id = 3, .record = &records[3], .here = &here[3]}}},
};
static shmring_mpmc_consumer c[] = {
    {.side = {SIDE, .member = {MEMBER, .id = 4, .record = &records[4], .here = &here[4]}},
     .orphans_seen = UINT32_MAX},
    {.side = {SIDE, .member = {MEMBER, .id = 5, .record = &records[5], .here = &here[5]}},
     .orphans_seen = UINT32_MAX},
    {.side = {SIDE, .member = {MEMBER, .id = 6, .record = &records[6], .here = &here[6]}},
     .orphans_seen = UINT32_MAX},
};

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

/* The slot at pos, in the first lap, is as if sent, taken by c[0] and released. */
static void use_up(uint64_t pos)
{
    shmring_store64_relaxed(&entries[pos].word,
                            shmring_mpmc_word_at(&c[0].side, pos, SHMRING_WORD_TAKEN));
}

/* The sum of the messages that are there, once all is quiet. In few steps: each counts. */
static uint64_t sum_left(void)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < SLOTS; i++)
        if (shmring_mpmc_look_at(&c[0].side, i).state == SHMRING_SLOT_READY)
            sum += messages[i];
    return sum;
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

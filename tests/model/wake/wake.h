/* SPDX-License-Identifier: MIT */
/*
 * What the models of sleep and wake share: the shipped text of wait.c and event.c, compiled in by
 * wake_genmc.py, over a kernel that is a stand-in. A sleep compares the word and falls asleep under
 * a lock, and ends when it is rung, and never else: there is no cap. What is awaited is published
 * in each model, so a sleeper that is left to sleep is a lost wake, which GenMC reports as a loop
 * without an end. Who is woken sees what was done before the ring, as the locks of the scheduler
 * make it; event.h needs that, wait.h does not. Who finds the word changed sees nothing more.
 *
 * Both halves of the light form (light.c) are full fences here, which is what membarrier() makes of
 * them; on a store buffer they are in wake_light.pml.
 */
#ifndef SHMRING_TESTS_MODEL_WAKE_H
#define SHMRING_TESTS_MODEL_WAKE_H

#include "shmring/event.h"
#include "shmring/wait.h"

#include <assert.h>
#include <pthread.h>

enum { SLEEPERS = 2, MESSAGES = 2 };

static pthread_mutex_t kernel;
static shmring_word32 asleep[SLEEPERS];

void shmring_fence_heavy(void)
{
    shmring_fence_seq_cst();
}

int64_t shmring_clock(void)
{
    return 1;
}

void shmring_bell_clear(const shmring_bell *bell)
{
    (void)bell;
}

void shmring_bell_ring(const shmring_bell *bell, bool all)
{
    (void)bell;
    pthread_mutex_lock(&kernel);
    for (int i = 0; i < SLEEPERS; i++) {
        if (shmring_load32_relaxed(&asleep[i]) == 0)
            continue;
        shmring_store32_release(&asleep[i], 0);
        if (!all)
            break;
    }
    pthread_mutex_unlock(&kernel);
}

static inline void doze(int who)
{
    while (shmring_load32_acquire(&asleep[who]) != 0)
        ;
}

/* The bell's descriptor, which a futex has not, tells who sleeps. */
int shmring_bell_sleep(const shmring_bell *bell, uint32_t ticket, int64_t until)
{
    (void)until;
    pthread_mutex_lock(&kernel);
    bool sleeps = shmring_load32_relaxed(&bell->words->wakes) == ticket;

    if (sleeps)
        shmring_store32_relaxed(&asleep[bell->fd], 1);
    pthread_mutex_unlock(&kernel);
    if (sleeps)
        doze(bell->fd);
    return 0;
}

/* The cap: all sleeps end. */
static inline void cap(void)
{
    const shmring_bell any = {0};

    shmring_bell_ring(&any, true);
}

/* One to one. */

static struct shmring_role producer, consumer;
static shmring_waiter waker, sleeper;

static inline void waiters_begin(void)
{
    waker.own = sleeper.peer = &producer;
    waker.peer = sleeper.own = &consumer;
    waker.sleeper = &never_zero;
    sleeper.bell.words = &producer.bell;
}

static inline void publish(uint64_t pos)
{
    shmring_store64_release(&producer.pos, pos);
    shmring_wake(&waker);
}

static inline bool has_come_to(uint64_t pos)
{
    return shmring_load64_acquire(&producer.pos) >= pos;
}

/* As a receiver does; its looks at the position are the tests of has_record() and of gather(). */
static inline bool has_slept_until(uint64_t pos)
{
    uint32_t ticket = shmring_wait_arm(&sleeper, pos);

    if (!has_come_to(pos))
        shmring_wait_sleep(&sleeper, ticket, SHMRING_NEVER);
    shmring_wait_disarm(&sleeper);
    return has_come_to(pos);
}

/* No loop, which GenMC would take for one that waits. A ring makes for two rounds at most: when the
 * word changes, and when the bell rings. */
static inline void sleep_until(uint64_t pos)
{
    bool done = has_slept_until(pos) || has_slept_until(pos) || has_slept_until(pos) ||
                has_slept_until(pos) || has_slept_until(pos);

    assert(done);
}

/* Many to many. */

static struct shmring_event event;
static shmring_eventcount ringers[MESSAGES], events[SLEEPERS];
static shmring_word64 messages[MESSAGES];

static inline void events_begin(void)
{
    for (int i = 0; i < MESSAGES; i++)
        ringers[i].event = &event;
    for (int i = 0; i < SLEEPERS; i++) {
        events[i].event = &event;
        events[i].bell.words = &event.bell;
        events[i].bell.fd = i;
    }
}

static inline void send(int i)
{
    shmring_store64_release(&messages[i], 1);
    shmring_event_wake(&ringers[i], (uint64_t)i + 1);
}

static inline bool is_there(int i)
{
    return shmring_load64_acquire(&messages[i]) == 1;
}

static inline bool take_one(int i)
{
    uint64_t there = 1;

    return is_there(i) && shmring_cas64_acq_rel(&messages[i], &there, 2);
}

static inline bool take_any(void)
{
    return take_one(0) || take_one(1);
}

static inline bool is_any_there(void)
{
    return is_there(0) || is_there(1);
}

/* Before all else: this one sleeps. */
static inline void lay_down(int who)
{
    shmring_event_arm(&events[who], SHMRING_EVENT_ANY);
    shmring_store32_relaxed(&asleep[who], 1);
}

/* Once more, by the rule of the baton. */
static inline bool receive_once(int who)
{
    uint32_t ticket = shmring_event_arm(&events[who], SHMRING_EVENT_ANY);

    if (!take_any()) {
        shmring_event_sleep(&events[who], ticket, SHMRING_NEVER);
        return false;
    }
    if (is_any_there())
        shmring_event_pass(&events[who]);
    return true;
}

/* No loop, as above. */
static inline void receive(int who)
{
    bool done = receive_once(who) || receive_once(who) || receive_once(who) ||
                receive_once(who) || receive_once(who);

    assert(done);
}

/* Runs them at once, to their ends. */
static inline void run(void *(*first)(void *), void *(*second)(void *), void *(*third)(void *))
{
    pthread_t a, b, c;

    pthread_create(&a, NULL, first, NULL);
    pthread_create(&b, NULL, second, NULL);
    if (third != NULL)
        pthread_create(&c, NULL, third, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    if (third != NULL)
        pthread_join(c, NULL);
}

#endif

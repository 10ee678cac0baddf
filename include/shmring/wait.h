/* SPDX-License-Identifier: MIT */
/*
 * Sleep and wake: the only place that may block. A ring knows nothing of it; whoever publishes a
 * position calls shmring_wake() afterwards, and whoever finds nothing to do spins or sleeps.
 *
 * Sleeping, on one futex word per direction, each word written by one side only:
 *
 *   sleeper                                 waker
 *   [wait.A] load  peer.wakes  acquire      (its position is published)
 *            store own.wake_at              [wait.C] fence
 *   [wait.B] fence                                   load  peer.wake_at
 *            look again: is there work?     if its position has reached that:
 *            sleep if peer.wakes is as at A [wait.D] store own.wakes + 1 release, FUTEX_WAKE
 *
 *   B pairs with C: without both fences the sleeper could miss the position and the waker the
 *   wake_at, and nobody would wake it.
 *   A pairs with D: without it A could slip behind the store of wake_at; a wake in between would
 *   then be taken for an old one and slept through.
 *
 * No wake and no system call while the other side is awake, and at most one per sleep. wake_at is
 * a position and no flag, so that a producer that waits for room is woken for half a ring at once.
 * A waker may die between its position and the wake: every sleep ends after SHMRING_WAIT_CAP_NS at
 * the latest, and the sleeper looks again.
 *
 * Source: the event index of virtio (OASIS virtio 1.1, 2.6.7), with futexes in place of interrupts.
 */
#ifndef SHMRING_WAIT_H
#define SHMRING_WAIT_H

#include "shmring/atomic.h"
#include "shmring/layout.h"

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* How a blocking call passes the time. */
enum shmring_wait_policy {
    SHMRING_WAIT_BLOCK = 0, /* sleeps in the kernel */
    SHMRING_WAIT_SPIN = 1,  /* never sleeps: a core of one's own for the shortest reaction */
};

/* Deadlines are absolute, in nanoseconds of CLOCK_MONOTONIC. Negative ones have passed. */
#define SHMRING_NOW INT64_C(0) /* do not wait */
#define SHMRING_NEVER INT64_MAX /* wait for as long as it takes */

/* The longest sleep. A sleeper notices a death after one, or after two if it happened at the end of
 * the first: within 100 ms. */
#define SHMRING_WAIT_CAP_NS INT64_C(40000000)

/* Now, and now + ns (SHMRING_NEVER if that overflows): for making deadlines. */
int64_t shmring_clock(void);
int64_t shmring_deadline(int64_t ns);

/*
 * Spinning. Zero it; call miss each time that there is nothing to do, hit once there is.
 *
 * A consumer that is faster than its producer polls right behind it, and both then pay for moving
 * the same few lines at every message. It is better to lag: as long as each first pause brings
 * several messages, the next one is twice as long, up to SHMRING_SPIN_LAG_MAX. So a stream is taken
 * in batches (2 to 5 times the throughput), at the price of a few microseconds. Where messages come
 * one at a time, as in a dialogue, the first pause stays at one instruction, but for a trial every
 * SHMRING_SPIN_TRIAL waits.
 */
typedef struct shmring_spin {
    uint64_t done;   /* at the last first miss */
    uint32_t lag;    /* pauses at the next first miss */
    uint32_t misses; /* since the last hit */
    uint32_t waits;  /* that brought one message or none */
    bool soon;       /* the last wait was over after its first pause */
} shmring_spin;

enum {
    SHMRING_SPIN_LAG_MIN = 4,
    SHMRING_SPIN_LAG_MAX = 256, /* pause instructions: 7 to 12 microseconds on x86 */
    SHMRING_SPIN_TRIAL = 4096,
};

/* At the first miss of a wait: how long to pause, judged by what the last pause brought. */
inline void shmring_spin_judge(shmring_spin *spin, uint64_t done)
{
    uint64_t brought = done - spin->done;

    spin->done = done;
    if (brought < 2)
        spin->lag = ++spin->waits % SHMRING_SPIN_TRIAL == 0 ? SHMRING_SPIN_LAG_MIN : 0;
    else if (spin->lag < SHMRING_SPIN_LAG_MIN)
        spin->lag = SHMRING_SPIN_LAG_MIN;
    else if (spin->soon && spin->lag < SHMRING_SPIN_LAG_MAX)
        spin->lag *= 2;
}

/* done: how many messages were handled so far, or any number that grows like that. */
inline void shmring_spin_miss(shmring_spin *spin, uint64_t done)
{
    uint32_t pauses = 1;

    if (spin->misses == 0) {
        shmring_spin_judge(spin, done);
        pauses = spin->lag;
    } else if (spin->misses == 1) {
        spin->lag /= 2;
    }
    spin->misses++;
    do
        shmring_cpu_pause();
    while (pauses-- > 1);
}

inline void shmring_spin_hit(shmring_spin *spin)
{
    spin->soon = spin->misses == 1;
    spin->misses = 0;
}

/* One side's private half of sleeping and waking. All members are the library's. */
typedef struct shmring_waiter {
    struct shmring_role *own;
    const struct shmring_role *peer;
    uint64_t noticed; /* own position when we last looked whether the peer sleeps */
    uint64_t woken;   /* the wake_at that we answered last */
} shmring_waiter;

/* own and peer are the pages of an attached role; they must outlive the waiter. */
void shmring_waiter_init(shmring_waiter *waiter, struct shmring_role *own,
                         const struct shmring_role *peer);

/* The slow half of wake: one FUTEX_WAKE. */
void shmring_wake_peer(shmring_waiter *waiter, uint64_t wake_at);

/* Call after each publication: wakes the other side if it sleeps and its time has come. One load
 * while the position stands still, a fence and a load when it moved; a system call only if the
 * other side sleeps. Wait-free, async-signal-safe. */
inline void shmring_wake(shmring_waiter *waiter)
{
    /* relaxed: only this side writes it. */
    uint64_t pos = shmring_load64_relaxed(&waiter->own->pos);

    if (pos == waiter->noticed)
        return;
    waiter->noticed = pos;
    /* [wait.C] pairs with [wait.B] */
    shmring_fence_seq_cst();
    /* relaxed: C orders it. */
    uint64_t wake_at = shmring_load64_relaxed(&waiter->peer->wake_at);

    if (wake_at != 0 && wake_at != waiter->woken && (int64_t)(pos - wake_at) >= 0)
        shmring_wake_peer(waiter, wake_at);
}

/* Wakes the other side whatever it waits for: something other than the position changed. */
void shmring_wake_always(shmring_waiter *waiter);

/*
 * To sleep until the other side's position reaches wake_at (never 0): flush what was put off and
 * wake for it (the other side may sleep for just that), then arm, look once more whether
 * there is something to do, sleep with the ticket if not, and disarm in any case. sleep returns
 *   0           woken, or the cap has passed, or for no reason: look again
 *   -ETIMEDOUT  the deadline has passed
 *   -EINTR      a signal handler ran
 *   -ENOSYS     futexes are refused (by a seccomp filter)
 */
uint32_t shmring_wait_arm(shmring_waiter *waiter, uint64_t wake_at);
int shmring_wait_sleep(shmring_waiter *waiter, uint32_t ticket, int64_t deadline);
void shmring_wait_disarm(shmring_waiter *waiter);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

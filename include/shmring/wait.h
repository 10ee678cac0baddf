/* SPDX-License-Identifier: MIT */
/*
 * Sleep and wake between one producer and one consumer. A ring knows nothing of it; whoever
 * publishes a position calls shmring_wake() afterwards, and whoever finds nothing to do spins
 * (spin.h) or sleeps. For many producers and consumers see event.h.
 *
 * Each shared word has one writer, so that the other side's page may be mapped read-only:
 *
 *   sleeper                                 waker
 *   [wait.A] load  peer.wakes  acquire      (its position is published)
 *            store own.wake_at              [wait.C] fence
 *   [wait.B] fence                                   load  peer.wake_at
 *            look again: is there work?     if its position has reached that:
 *            sleep if peer.wakes is as at A [wait.D] store own.wakes + 1 release, ring
 *
 *   B pairs with C: without both fences the sleeper could miss the position and the waker the
 *   wake_at, and nobody would wake it.
 *   A pairs with D: without it A could slip behind the store of wake_at; a wake in between would
 *   then be taken for an old one and slept through.
 *
 * No wake and no system call while the other side is awake, and at most one per sleep. wake_at is
 * a position and no flag, so that a producer that waits for room is woken for half a ring at once,
 * and a consumer that may be late for several messages at once.
 * A waker may die between its position and the wake: every sleep ends after SHMRING_WAIT_CAP_NS at
 * the latest, and the sleeper looks again.
 *
 * The two fences come in two forms, one for all members of a ring (SHMRING_OPTION_LIGHT_WAKE):
 *   symmetric   both sides pass a full fence, the waker after each publication
 *   light wake  the waker's fence is one of the compiler only; the sleeper makes all processors
 *               that run a member pass one (membarrier(2), GLOBAL_EXPEDITED). Every process that
 *               attaches registers for that, or is refused. Sleeping costs some microseconds more
 *               and disturbs other processors that run members; publishing costs nothing.
 *
 * Source: the event index of virtio (OASIS virtio 1.1, 2.6.7), with futexes in place of interrupts;
 * the asymmetric fence is that of liburcu's flavour "memb".
 */
#ifndef SHMRING_WAIT_H
#define SHMRING_WAIT_H

#include "shmring/atomic.h"
#include "shmring/bell.h"
#include "shmring/clock.h"
#include "shmring/layout.h"
#include "shmring/spin.h"

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* The longest sleep. A sleeper notices a death after one, or after two if it happened at the end of
 * the first: within 200 ms. */
#ifndef SHMRING_WAIT_CAP_NS /* the tests build the library without a cap: a lost wake is a hang */
#define SHMRING_WAIT_CAP_NS INT64_C(100000000)
#endif

/* The heavy half of an asymmetric fence, for who goes to sleep: after it, whoever has passed
 * shmring_fence_light() since is seen, or sees us. Before any member may rely on that, its process
 * registers: 0, or -EOPNOTSUPP. Calls the kernel. After exec() the process registers again. */
void shmring_fence_heavy(void);
int shmring_fence_register(void);

/* One side's private half of sleeping and waking. All members are the library's. */
typedef struct shmring_waiter {
    struct shmring_role *own;
    const struct shmring_role *peer;
    /* 0: the peer does not sleep. With light wake its wake_at; else a word that is never 0. */
    const shmring_word64 *sleeper;
    uint64_t noticed;       /* own position when we last looked whether the peer sleeps */
    uint64_t woken;         /* the wake_at that we answered last */
    uint64_t sleeps, wakes; /* how often, so far */
    bool light;
    shmring_bell ours; /* we ring it */
    shmring_bell bell; /* we sleep on it; with an eventfd, poll bell.fd */
} shmring_waiter;

/*
 * For who has the role in the ring at memory, or is about to take it. The memory must outlive the
 * waiter. place tells where the bells are; NULL: a ring with futexes. Written on 0 only.
 * Returns 0, or as from shmring_bell_open() and shmring_fence_register().
 */
int shmring_waiter_open(shmring_waiter *ret_waiter, void *memory, const shmring_geometry *geometry,
                        enum shmring_member_role role, const shmring_bell_place *place);
/* The same on a link (link.h), where own may be written, peer only read: ours is what we ring,
 * theirs what we sleep on. light: the other side is registered for it, too. */
int shmring_waiter_open_lane(shmring_waiter *ret_waiter, struct shmring_role *own,
                             const struct shmring_role *peer, bool light,
                             enum shmring_member_role role, const shmring_bell_place *ours,
                             const shmring_bell_place *theirs);
void shmring_waiter_close(shmring_waiter *waiter);

/* The slow half of wake: the other side may sleep. */
void shmring_wake_peer(shmring_waiter *waiter);

/* Call after each publication: wakes the other side if it sleeps and its time has come. One load
 * with light wake, else a fence and a load when the position has moved; a system call only if the
 * other side sleeps. Wait-free, async-signal-safe. */
SHMRING_HOT inline void shmring_wake(shmring_waiter *waiter)
{
    /* [wait.C] pairs with [wait.B]: enough for light wake, else the slow half has a full one. */
    shmring_fence_light();
    /* relaxed: C orders it. */
    if (__builtin_expect(shmring_load64_relaxed(waiter->sleeper) != 0, false))
        shmring_wake_peer(waiter);
}

/* Wakes the other side whatever it waits for: something other than the position changed. */
void shmring_wake_always(shmring_waiter *waiter);

/*
 * To sleep until the other side's position reaches wake_at (never 0): flush what was put off and
 * wake for it (the other side may sleep for just that), then arm, look once more whether
 * there is something to do, sleep with the ticket if not, and disarm in any case. sleep returns
 *   0           woken, or the cap has passed, or for no reason: look again
 *   -ETIMEDOUT  the deadline has passed
 *   -EINTR, -EIDRM, -ENOSYS as from shmring_bell_sleep()
 */
uint32_t shmring_wait_arm(shmring_waiter *waiter, uint64_t wake_at);
/* Arms without the fence (B), for who arms for several rings and then passes one. */
uint32_t shmring_wait_announce(shmring_waiter *waiter, uint64_t wake_at);
int shmring_wait_sleep(shmring_waiter *waiter, uint32_t ticket, int64_t deadline);
void shmring_wait_disarm(shmring_waiter *waiter);

/* The end of a sleep that begins now: the deadline, or the cap. *ret_is_deadline: which. */
int64_t shmring_wait_until(int64_t now, int64_t deadline, bool *ret_is_deadline);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

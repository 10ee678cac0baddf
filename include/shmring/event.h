/* SPDX-License-Identifier: MIT */
/*
 * Sleep and wake between many: an eventcount. Whoever publishes something calls
 * shmring_event_wake(); whoever finds nothing arms, looks again, and sleeps.
 *
 *   sleeper                                  waker
 *   [event.A] load  wakes    acquire         (something is published)
 *             swap  wake_at                  [event.C] fence
 *   [event.B] fence                                    load wake_at; if it is due:
 *             look again: is there work?               swap wake_at to 0
 *             sleep if wakes is as at A      [event.D] wakes + 1 release, ring
 *
 *   B pairs with C: without both fences the sleeper could miss what was published and the waker the
 *   wake_at, and nobody would wake it. They come in two forms, see wait.h.
 *   A pairs with D: without it A could slip behind the swap of wake_at; a wake in between would
 *   then be taken for an old one and slept through.
 *
 * A ring wakes one sleeper, and nobody is said to sleep after that. Hence the rule of the baton:
 * who has slept arms before it looks, and if it leaves something behind, it calls
 * shmring_event_pass(). So the sleepers wake one another for as long as there is work, and a flag
 * is enough: a count of sleepers would be wrong for ever after one of them dies. If one dies, or is
 * stopped, with the baton in hand, the others look for themselves at the end of their sleeps, at
 * most SHMRING_WAIT_CAP_NS later.
 *
 * Sleepers that are not content with just anything (selective take) are all woken for each.
 *
 * Source: the eventcount of D. P. Reed and R. K. Kanodia, "Synchronization with Eventcounts and
 * Sequencers" (1979); the position in wake_at is virtio's event index, see wait.h.
 */
#ifndef SHMRING_EVENT_H
#define SHMRING_EVENT_H

#include "shmring/atomic.h"
#include "shmring/bell.h"
#include "shmring/layout.h"
#include "shmring/wait.h"

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* In wake_at: any position is due. */
#define SHMRING_EVENT_ANY UINT64_C(1)
/* In wake_at, a bit: somebody sleeps who is not content with just anything. */
#define SHMRING_EVENT_PICKY (UINT64_C(1) << 63)

/* Private to the process. All members are the library's. */
typedef struct shmring_eventcount {
    struct shmring_event *event;
    shmring_bell bell; /* with an eventfd, poll bell.fd */
    bool light;
    uint64_t sleeps, wakes; /* how often, so far; not counted: wake_all */
} shmring_eventcount;

/* For the ring of kind SHMRING_KIND_MPMC at memory, which must outlive the handle; place as for
 * shmring_waiter_open(), whose errors it returns. The handle is written on 0 only. */
int shmring_event_open(shmring_eventcount *ret_events, void *memory,
                       const shmring_geometry *geometry, enum shmring_direction direction,
                       const shmring_bell_place *place);
void shmring_event_close(shmring_eventcount *events);

/* The slow half of wake. */
void shmring_event_ring(shmring_eventcount *events, uint64_t end);

/* Call after each publication that ends at position end (at least 1): wakes a sleeper if one sleeps
 * for it. A fence and a load; a system call only if somebody sleeps. Lock-free,
 * async-signal-safe. */
SHMRING_HOT inline void shmring_event_wake(shmring_eventcount *events, uint64_t end)
{
    if (__builtin_expect(events->light, true)) /* [event.C] pairs with [event.B] */
        shmring_fence_light();
    else /* [event.C] pairs with [event.B] */
        shmring_fence_seq_cst();
    /* relaxed: C orders it. */
    uint64_t wake_at = shmring_load64_relaxed(&events->event->wake_at);

    if (__builtin_expect(wake_at != 0, false) && end >= (wake_at & ~SHMRING_EVENT_PICKY))
        shmring_event_ring(events, end);
}

/* Wakes a sleeper whatever it waits for: the baton, or a change that is no publication. */
void shmring_event_pass(shmring_eventcount *events);

/* Wakes all; with futexes, also who is about to sleep. Async-signal-safe. As a bell, silent once it
 * is closed. */
void shmring_event_wake_all(const shmring_eventcount *events);

/* Can each of several picky sleepers be woken, also one that is only about to sleep? If not, they
 * must look by themselves. (It takes a word that has changed. The rings of a semaphore are counted,
 * and who is woken for nothing may take that of another.) */
bool shmring_event_wakes_all(const shmring_eventcount *events);

/* wake_at: SHMRING_EVENT_ANY, or the end of the first publication that is worth waking for; perhaps
 * with SHMRING_EVENT_PICKY. Then look once more, and sleep with the ticket if there is nothing:
 * errors as from shmring_wait_sleep(). */
uint32_t shmring_event_arm(const shmring_eventcount *events, uint64_t wake_at);
/* Arms without the fence (B), for who arms for several rings and then passes one. */
uint32_t shmring_event_announce(const shmring_eventcount *events, uint64_t wake_at);
int shmring_event_sleep(shmring_eventcount *events, uint32_t ticket, int64_t deadline);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

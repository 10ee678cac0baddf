/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* syscall */
#include "shmring/wait.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

static const shmring_word64 never_zero = {1};

int64_t shmring_wait_until(int64_t now, int64_t deadline, bool *ret_is_deadline)
{
    *ret_is_deadline = deadline - now <= SHMRING_WAIT_CAP_NS;
    return *ret_is_deadline ? deadline : now + SHMRING_WAIT_CAP_NS;
}

int shmring_fence_register(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) != 0
               ? -EOPNOTSUPP
               : 0;
}

void shmring_fence_heavy(void)
{
    /* A full fence of our own is in it. It cannot fail where registering did not, but for lack of
     * memory, or for a filter that came later: then the cap is what ends the sleep. */
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) == 0)
        return;
    /* [wait.B] pairs with [wait.C]; [event.B] pairs with [event.C]: at least our half of it. */
    shmring_fence_seq_cst();
}

/* The bells of both directions, for a waiter that knows its words. */
static int open_bells(shmring_waiter *waiter, enum shmring_member_role role,
                      const shmring_bell_place *ours, const shmring_bell_place *theirs)
{
    bool produces = role == SHMRING_ROLE_PRODUCER;
    int error = shmring_bell_open(&waiter->ours, &waiter->own->bell, ours,
                                  produces ? SHMRING_FOR_MESSAGES : SHMRING_FOR_ROOM);

    if (error != 0)
        return error;
    /* Not written to through this waiter, whatever the type says. */
    struct shmring_role *peer = (struct shmring_role *)(uintptr_t)waiter->peer;

    error = shmring_bell_open(&waiter->bell, &peer->bell, theirs,
                              produces ? SHMRING_FOR_ROOM : SHMRING_FOR_MESSAGES);
    if (error != 0) {
        shmring_bell_close(&waiter->ours);
        return error;
    }
    waiter->sleeper = waiter->light ? &waiter->peer->wake_at : &never_zero;
    /* relaxed: only this side writes it. Nothing new is published yet: others saw to the old. */
    waiter->noticed = shmring_load64_relaxed(&waiter->own->pos);
    return 0;
}

int shmring_waiter_open(shmring_waiter *ret_waiter, void *memory, const shmring_geometry *geometry,
                        enum shmring_member_role role, const shmring_bell_place *place)
{
    const shmring_bell_place futex = {.backend = SHMRING_BACKEND_FUTEX};
    uint8_t *base = memory;
    struct shmring_role *producer = (void *)(base + geometry->producer_offset);
    struct shmring_role *consumer = (void *)(base + geometry->consumer_offset);
    bool produces = role == SHMRING_ROLE_PRODUCER;
    shmring_waiter waiter = {
        .own = produces ? producer : consumer,
        .peer = produces ? consumer : producer,
        .light = (geometry->options & SHMRING_OPTION_LIGHT_WAKE) != 0,
    };
    int error = waiter.light ? shmring_fence_register() : 0;

    place = place != NULL ? place : &futex;
    if (error == 0)
        error = open_bells(&waiter, role, place, place);
    if (error == 0)
        *ret_waiter = waiter;
    return error;
}

int shmring_waiter_open_lane(shmring_waiter *ret_waiter, struct shmring_role *own,
                             const struct shmring_role *peer, bool light,
                             enum shmring_member_role role, const shmring_bell_place *ours,
                             const shmring_bell_place *theirs)
{
    shmring_waiter waiter = {.own = own, .peer = peer, .light = light};
    int error = light ? shmring_fence_register() : 0;

    if (error == 0)
        error = open_bells(&waiter, role, ours, theirs);
    if (error == 0)
        *ret_waiter = waiter;
    return error;
}

void shmring_waiter_close(shmring_waiter *waiter)
{
    if (waiter->own == NULL)
        return;
    shmring_bell_close(&waiter->ours);
    shmring_bell_close(&waiter->bell);
    waiter->own = NULL;
}

static void wake(shmring_waiter *waiter)
{
    struct shmring_bell_words *words = &waiter->own->bell;
    /* relaxed: only this side writes it. */
    uint32_t wakes = shmring_load32_relaxed(&words->wakes);

    /* [wait.D] pairs with [wait.A] */
    shmring_store32_release(&words->wakes, wakes + 1);
    shmring_bell_ring(&waiter->ours, false);
    waiter->wakes++;
}

void shmring_wake_peer(shmring_waiter *waiter)
{
    /* relaxed: only this side writes it. */
    uint64_t pos = shmring_load64_relaxed(&waiter->own->pos);

    if (pos == waiter->noticed)
        return;
    waiter->noticed = pos;
    if (!waiter->light) /* [wait.C] pairs with [wait.B] */
        shmring_fence_seq_cst();
    /* relaxed: C orders it. */
    uint64_t wake_at = shmring_load64_relaxed(&waiter->peer->wake_at);

    if (wake_at == 0 || wake_at == waiter->woken || (int64_t)(pos - wake_at) < 0)
        return;
    waiter->woken = wake_at;
    wake(waiter);
}

void shmring_wake_always(shmring_waiter *waiter)
{
    /* [wait.C] pairs with [wait.B] */
    shmring_fence_seq_cst();
    /* relaxed: C orders it after the change. */
    if (shmring_load64_relaxed(&waiter->peer->wake_at) != 0)
        wake(waiter);
}

uint32_t shmring_wait_announce(shmring_waiter *waiter, uint64_t wake_at)
{
    /* [wait.A] pairs with [wait.D] */
    uint32_t ticket = shmring_load32_acquire(&waiter->bell.words->wakes);

    shmring_bell_clear(&waiter->bell);
    /* relaxed: B orders it before the second look. */
    shmring_store64_relaxed(&waiter->own->wake_at, wake_at);
    return ticket;
}

uint32_t shmring_wait_arm(shmring_waiter *waiter, uint64_t wake_at)
{
    uint32_t ticket = shmring_wait_announce(waiter, wake_at);

    if (waiter->light) /* [wait.B] pairs with [wait.C] */
        shmring_fence_heavy();
    else /* [wait.B] pairs with [wait.C] */
        shmring_fence_seq_cst();
    return ticket;
}

void shmring_wait_disarm(shmring_waiter *waiter)
{
    /* relaxed: a waker that still sees it wakes once for nothing. */
    shmring_store64_relaxed(&waiter->own->wake_at, 0);
}

int shmring_wait_sleep(shmring_waiter *waiter, uint32_t ticket, int64_t deadline)
{
    int64_t now = shmring_clock();
    bool is_last;

    if (deadline <= now)
        return -ETIMEDOUT;
    int64_t until = shmring_wait_until(now, deadline, &is_last);

    waiter->sleeps++;
    int error = shmring_bell_sleep(&waiter->bell, ticket, until);

    return error == 0 && is_last && shmring_clock() >= until ? -ETIMEDOUT : error;
}

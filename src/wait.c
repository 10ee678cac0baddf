/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* syscall */
#include "shmring/wait.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const int64_t NS_PER_S = 1000000000;

int64_t shmring_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t shmring_deadline(int64_t ns)
{
    int64_t now = shmring_clock();

    return ns > SHMRING_NEVER - now ? SHMRING_NEVER : now + ns;
}

void shmring_waiter_init(shmring_waiter *waiter, struct shmring_role *own,
                         const struct shmring_role *peer)
{
    *waiter = (shmring_waiter){.own = own, .peer = peer};
    /* relaxed: only this side writes it. Nothing new is published yet: others saw to the old. */
    waiter->noticed = shmring_load64_relaxed(&own->pos);
}

static void wake_all(struct shmring_role *own)
{
    /* relaxed: only this side writes it. */
    uint32_t wakes = shmring_load32_relaxed(&own->wakes);

    /* [wait.D] pairs with [wait.A] */
    shmring_store32_release(&own->wakes, wakes + 1);
    /* An error leaves the sleeper to its cap. */
    syscall(SYS_futex, &own->wakes, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void shmring_wake_peer(shmring_waiter *waiter, uint64_t wake_at)
{
    int saved_errno = errno;

    waiter->woken = wake_at;
    wake_all(waiter->own);
    errno = saved_errno;
}

void shmring_wake_always(shmring_waiter *waiter)
{
    /* [wait.C] pairs with [wait.B] */
    shmring_fence_seq_cst();
    /* relaxed: C orders it after the change. */
    if (shmring_load64_relaxed(&waiter->peer->wake_at) != 0)
        wake_all(waiter->own);
}

uint32_t shmring_wait_arm(shmring_waiter *waiter, uint64_t wake_at)
{
    /* [wait.A] pairs with [wait.D] */
    uint32_t ticket = shmring_load32_acquire(&waiter->peer->wakes);

    /* relaxed: B orders it before the second look. */
    shmring_store64_relaxed(&waiter->own->wake_at, wake_at);
    /* [wait.B] pairs with [wait.C] */
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

    if (deadline <= now)
        return -ETIMEDOUT;
    int64_t sleep_ns = deadline - now < SHMRING_WAIT_CAP_NS ? deadline - now : SHMRING_WAIT_CAP_NS;
    /* The kernel's own struct: two longs, also where time_t is wider than a long. */
    struct {
        long seconds;
        long nanoseconds;
    } timeout = {0, (long)sleep_ns};

    if (syscall(SYS_futex, &waiter->peer->wakes, FUTEX_WAIT, ticket, &timeout, NULL, 0) == 0)
        return 0;
    switch (errno) {
    case EAGAIN:
        return 0;
    case ETIMEDOUT:
        return sleep_ns < SHMRING_WAIT_CAP_NS ? -ETIMEDOUT : 0;
    case EINTR:
        return -EINTR;
    default:
        return -ENOSYS;
    }
}

/* SPDX-License-Identifier: MIT */
/* A channel: found, held, roused, and what is known of it. */
#define _GNU_SOURCE /* epoll_pwait2 */
#include "hub_parts.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

hub_channel *hub_slot(const shmring_hub *hub, uint32_t slot)
{
    /* [hub.K] pairs with [hub.J] */
    return (hub_channel *)(uintptr_t)shmring_load64_acquire(&hub->table[slot]);
}

void hub_set_slot(shmring_hub *hub, uint32_t slot, hub_channel *channel)
{
    /* [hub.J] pairs with [hub.K] */
    shmring_store64_release(&hub->table[slot], (uintptr_t)channel);
}

static hub_channel *pin(shmring_hub *hub, uint32_t slot, uint64_t id)
{
    hub_channel *channel = NULL;

    hub_readers_begin(hub->options.readers_registered);
    if (slot < hub->options.channels)
        channel = hub_slot(hub, slot);
    if (channel != NULL && id != 0 && channel->id != id)
        channel = NULL;
    /* relaxed: the table's own share is given up after us only, for we are readers. */
    if (channel != NULL)
        shmring_add32_relaxed(&channel->users, 1);
    hub_readers_end();
    return channel;
}

hub_channel *hub_pin(shmring_hub *hub, uint64_t id)
{
    return id == 0 ? NULL : pin(hub, (uint32_t)(id & HUB_SLOT_MASK), id);
}

hub_channel *hub_pin_slot(shmring_hub *hub, uint32_t slot)
{
    return pin(hub, slot, 0);
}

void hub_free_channel(hub_channel *channel)
{
    shmring_link_close(&channel->link);
    pthread_mutex_destroy(&channel->sending);
    pthread_cond_destroy(&channel->waited);
    free(channel);
}

void hub_unpin(hub_channel *channel)
{
    shmring_hub *hub = channel->hub;
    /* relaxed: the swap says whether it is still so. */
    uint32_t users = shmring_load32_relaxed(&channel->users);

    /* [hub.H] pairs with [hub.H], [hub.I]: who is the last has all that others did. */
    while (!shmring_cas32_acq_rel(&channel->users, &users, users - 1))
        continue;
    if (users != 1)
        return;
    hub_free_channel(channel);
    /* [hub.H] pairs with [hub.I]: close may be waiting for just that, and frees the hub. */
    shmring_add32_release(&hub->retired, UINT32_MAX);
}

bool hub_rouse(shmring_hub *hub, hub_channel *channel)
{
    /* [hub.G] pairs with [hub.E] */
    shmring_fence_seq_cst();
    /* relaxed: G orders it, and the swap says whether it is still so. */
    uint32_t seen = shmring_load32_relaxed(&channel->state);

    while (seen == HUB_IDLE || seen == HUB_RUNNING) {
        uint32_t next = seen == HUB_IDLE ? HUB_QUEUED : HUB_AGAIN;

        /* [hub.D] pairs with [hub.C] */
        if (!shmring_cas32_acq_rel(&channel->state, &seen, next))
            continue;
        if (next == HUB_QUEUED)
            hub_ready_set(&hub->ready, (uint32_t)(channel->id & HUB_SLOT_MASK));
        return next == HUB_QUEUED;
    }
    return false;
}

int hub_sleep(int epoll, struct epoll_event *events, int max, int64_t until, int64_t now)
{
    const int64_t ns_per_ms = 1000000, left = until > now ? until - now : 0;
    const int64_t ms = left / ns_per_ms + (left % ns_per_ms != 0);
    const struct timespec time = hub_timespec(left);
    int count = epoll_pwait2(epoll, events, max, until != SHMRING_NEVER ? &time : NULL, NULL);

    if (count >= 0 || (errno != ENOSYS && errno != EPERM))
        return count;
    /* Before Linux 5.11, or a filter that does not know it. */
    return epoll_wait(epoll, events, max, ms < INT_MAX ? (int)ms : INT_MAX);
}

void hub_ring(int bell)
{
    const uint64_t one = 1;
    int saved_errno = errno;

    /* It is never read: each write is an edge, and it is not full before 2^64 of them. */
    if (write(bell, &one, sizeof one) < 0)
        errno = saved_errno;
}

void hub_wake_one(shmring_hub *hub)
{
    /* relaxed: E orders it. Two at once wake two. */
    if (shmring_load32_relaxed(&hub->waking) != 0)
        return;
    /* relaxed: likewise. */
    shmring_store32_relaxed(&hub->waking, 1);
    hub_ring(hub->bell);
}

enum shmring_hub_kind hub_over(const hub_channel *channel)
{
    /* relaxed: a turn that must see it follows. */
    return (enum shmring_hub_kind)shmring_load32_relaxed(&channel->over);
}

void hub_end(shmring_hub *hub, hub_channel *channel, enum shmring_hub_kind kind)
{
    if (hub_over(channel) != 0)
        return;
    /* relaxed: rouse orders it. */
    shmring_store32_relaxed(&channel->over, kind);
    if (hub_rouse(hub, channel))
        hub_ring(hub->bell);
}

int hub_read_limits(const shmring_hub_limits *limits, const shmring_hub_limits *defaults,
                    shmring_hub_limits *ret_own)
{
    shmring_hub_limits own = *limits;

    if (own.full_ns < 0)
        return -EINVAL;
    if (own.budget == 0)
        own.budget = defaults->budget;
    if (own.budget_size == 0)
        own.budget_size = defaults->budget_size;
    *ret_own = own;
    return 0;
}

void hub_set_limits(hub_channel *channel, const shmring_hub_limits *own)
{
    /* relaxed: each by itself; a turn or a message more or less goes by the last ones. */
    shmring_store32_relaxed(&channel->budget, own->budget);
    /* relaxed: likewise. */
    shmring_store32_relaxed(&channel->budget_size, own->budget_size);
    shmring_store32_relaxed(&channel->drops, own->drops);
    shmring_store64_relaxed(&channel->full_ns, (uint64_t)own->full_ns);
}

void hub_read_counts(const hub_channel *channel, shmring_hub_counts *ret_counts)
{
    /* relaxed: they are counted by others meanwhile. */
    *ret_counts = (shmring_hub_counts){
        .received = shmring_load64_relaxed(&channel->received),
        .received_size = shmring_load64_relaxed(&channel->received_size),
        .sent = shmring_load64_relaxed(&channel->sent),
        /* relaxed: likewise. */
        .sent_size = shmring_load64_relaxed(&channel->sent_size),
        .dropped = shmring_load64_relaxed(&channel->dropped),
        .turns = shmring_load64_relaxed(&channel->turns),
    };
}

void hub_add_counts(shmring_hub_counts *sum, const shmring_hub_counts *counts)
{
    sum->received += counts->received;
    sum->received_size += counts->received_size;
    sum->sent += counts->sent;
    sum->sent_size += counts->sent_size;
    sum->dropped += counts->dropped;
    sum->turns += counts->turns;
}

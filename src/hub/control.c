/* SPDX-License-Identifier: MIT */
/* Who comes in. */
#define _GNU_SOURCE /* posix_memalign */
#include "hub_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Clients that are let in before something else is done. */
enum { JOINS_PER_STEP = 16 };

static int make_channel(shmring_hub *hub, const shmring_link *link, uint32_t slot,
                        hub_channel **ret_channel)
{
    pthread_condattr_t monotonic;
    hub_channel *channel;

    if (posix_memalign((void **)&channel, HUB_LINE, sizeof *channel) != 0)
        return -ENOMEM;
    memset(channel, 0, sizeof *channel);
    pthread_mutex_init(&channel->sending, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&channel->waited, &monotonic);
    pthread_condattr_destroy(&monotonic);
    channel->link = *link;
    channel->hub = hub;
    channel->is_new = true;
    channel->id = ++hub->joins << HUB_SLOT_BITS | slot;
    hub_set_limits(channel, &hub->options.limits);
    /* relaxed: not yet seen by anybody. */
    shmring_store32_relaxed(&channel->state, HUB_QUEUED);
    shmring_store32_relaxed(&channel->users, 1);
    *ret_channel = channel;
    return 0;
}

static int watch(const shmring_hub *hub, hub_channel *channel)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u64 = channel->id};
    int fd = shmring_receiver_fd(&channel->link.receiver);

    return epoll_ctl(hub->epoll, EPOLL_CTL_ADD, fd, &event) != 0 ? -errno : 0;
}

/* A slot, or -ENOBUFS: also when those that come and go are more than can be unmapped. */
static int take_slot(shmring_hub *hub)
{
    int slot = -ENOBUFS;

    pthread_mutex_lock(&hub->ledger);
    /* relaxed: whether one more or less waits to be unmapped is all the same. */
    if (hub->free_count != 0 && shmring_load32_relaxed(&hub->retired) < hub->options.channels)
        slot = hub->free_slots[--hub->free_count];
    pthread_mutex_unlock(&hub->ledger);
    return slot;
}

static void return_slot(shmring_hub *hub, int slot)
{
    pthread_mutex_lock(&hub->ledger);
    hub->free_slots[hub->free_count++] = (uint16_t)slot;
    pthread_mutex_unlock(&hub->ledger);
}

/* Into the table, with a first turn to come: what happened before that is looked at then. */
static void publish(shmring_hub *hub, uint32_t slot, hub_channel *channel)
{
    pthread_mutex_lock(&hub->ledger);
    /* relaxed: who does not see it yet does not find the channel yet. */
    if (slot >= shmring_load32_relaxed(&hub->slots_used))
        shmring_store32_relaxed(&hub->slots_used, slot + 1);
    hub_set_slot(hub, slot, channel);
    hub->stats.joined++;
    pthread_mutex_unlock(&hub->ledger);
    hub_ready_set(&hub->ready, slot);
    hub_ring(hub->bell);
}

/* The link becomes a channel; it stays the caller's if it cannot. */
static int join(shmring_hub *hub, const shmring_link *link)
{
    hub_channel *channel;
    int slot = take_slot(hub);

    if (slot < 0)
        return slot;
    int error = make_channel(hub, link, (uint32_t)slot, &channel);

    if (error == 0 && (error = watch(hub, channel)) != 0) {
        memset(&channel->link, 0, sizeof channel->link);
        hub_free_channel(channel);
    }
    if (error == 0)
        publish(hub, (uint32_t)slot, channel);
    else
        return_slot(hub, slot);
    return error;
}

static void accept_clients(shmring_hub *hub)
{
    for (int i = 0; i < JOINS_PER_STEP; i++) {
        shmring_link link;
        int error = shmring_link_accept(&hub->listener, &link, SHMRING_NOW);

        if (error == -ETIMEDOUT)
            return;
        if (error == 0 && (error = join(hub, &link)) != 0)
            shmring_link_close(&link);
        if (error == 0)
            continue;
        pthread_mutex_lock(&hub->ledger);
        hub->stats.refused++;
        pthread_mutex_unlock(&hub->ledger);
    }
}

void hub_control_step(shmring_hub *hub)
{
    if (pthread_mutex_trylock(&hub->control) != 0)
        return;
    accept_clients(hub);
    pthread_mutex_unlock(&hub->control);
}

/* 0, -EINTR, -ENOSYS. */
static int sleep_for_clients(shmring_hub *hub, int64_t deadline)
{
    struct epoll_event events[2];
    int count = hub_sleep(hub->control_epoll, events, 2, deadline, shmring_clock());

    return count >= 0 ? 0 : errno == EINTR ? -EINTR : -ENOSYS;
}

int shmring_hub_control(shmring_hub *hub, int64_t deadline)
{
    hub_frame frame;
    int error = hub_enter(hub, &frame);

    if (error != 0)
        return error;
    while (error == 0) {
        hub_control_step(hub);
        if (hub_is_cancelled(hub))
            error = -ECANCELED;
        else if (deadline <= SHMRING_NOW || shmring_clock() >= deadline)
            error = -ETIMEDOUT;
        else
            error = sleep_for_clients(hub, deadline);
    }
    if (hub_is_cancelled(hub))
        hub_ring(hub->control_bell); /* others may wait here */
    hub_leave(&frame);
    return error;
}

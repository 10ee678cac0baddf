/* SPDX-License-Identifier: MIT */
/* Opening and closing; who is inside; what is known of all. */
#define _GNU_SOURCE /* eventfd */
#include "hub_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static _Thread_local hub_frame *frames;

/* 0; -EDEADLK: this thread is in a call of the hub. */
static int check_outside(const shmring_hub *hub)
{
    int error = hub_process_check();

    for (const hub_frame *each = frames; error == 0 && each != NULL; each = each->outer)
        if (each->hub == hub)
            error = -EDEADLK;
    return error;
}

int hub_enter(shmring_hub *hub, hub_frame *frame)
{
    int error = check_outside(hub);

    if (error != 0)
        return error;
    *frame = (hub_frame){.hub = hub, .outer = frames};
    frames = frame;
    /* relaxed: who closes knows of this call already. */
    shmring_add32_relaxed(&hub->inside, 1);
    return 0;
}

void hub_leave(const hub_frame *frame)
{
    frames = frame->outer;
    /* [hub.H] pairs with [hub.I] */
    shmring_add32_release(&frame->hub->inside, UINT32_MAX);
}

bool hub_is_cancelled(const shmring_hub *hub)
{
    /* relaxed: who is rung for it looks after that. */
    return shmring_load32_relaxed(&hub->cancelled) != 0;
}

void shmring_hub_cancel(shmring_hub *hub)
{
    if (hub_process_check() != 0)
        return;
    /* relaxed: as above. */
    shmring_store32_relaxed(&hub->cancelled, 1);
    hub_ring(hub->bell);
    hub_ring(hub->control_bell);
}

void shmring_hub_resume(shmring_hub *hub)
{
    /* relaxed: undone by whom it was meant for. */
    if (hub_process_check() == 0)
        shmring_store32_relaxed(&hub->cancelled, 0);
}

int shmring_hub_fd(const shmring_hub *hub)
{
    return hub->epoll;
}

/* Member by member: what lies between them may be anything. */
static bool is_link_set(const shmring_link_options *options)
{
    return options->capacity != 0 || options->wait != 0 || options->fence != 0 ||
           options->pollable || options->client_owned || options->timeout_ns != 0 ||
           options->uids != NULL || options->gids != NULL || options->is_welcome != NULL ||
           options->mode != 0;
}

static bool are_without_size(const shmring_hub_options *options)
{
    const shmring_hub_limits *limits = &options->limits;

    return options->size == 0 &&
           (options->channels != 0 || options->wait != 0 || options->control_apart ||
            options->readers_registered || limits->budget != 0 || limits->budget_size != 0 ||
            limits->drops != 0 || limits->full_ns != 0 || options->link.size != 0);
}

/* Options of this header, an older or a newer one. Nothing may be set without the size. */
static int read_options(const shmring_hub_options *options, shmring_hub_options *ret_own)
{
    const shmring_hub_limits defaults = {.budget = SHMRING_HUB_BUDGET,
                                         .budget_size = SHMRING_HUB_BUDGET_SIZE};
    shmring_hub_options own = {0};
    size_t size = options != NULL ? options->size : 0;

    if (options != NULL && are_without_size(options))
        return -EINVAL;
    for (size_t i = sizeof own; i < size; i++)
        if (((const unsigned char *)options)[i] != 0)
            return -EINVAL;
    if (size != 0)
        memcpy(&own, options, size < sizeof own ? size : sizeof own);
    if (own.channels == 0)
        own.channels = SHMRING_HUB_CHANNELS;
    if (own.channels > SHMRING_HUB_CHANNELS_MAX || (unsigned)own.wait > SHMRING_WAIT_ADAPTIVE)
        return -EINVAL;
    if (own.link.size == 0 && is_link_set(&own.link))
        return -EINVAL;
    if (own.link.size == 0)
        own.link = (shmring_link_options){0};
    own.link.size = sizeof own.link;
    if (own.link.capacity == 0)
        own.link.capacity = SHMRING_LINK_CAPACITY;
    own.link.pollable = true;
    own.link.wait = SHMRING_WAIT_BLOCK;
    *ret_own = own;
    return hub_read_limits(&own.limits, &defaults, &ret_own->limits);
}

static int make_memory(shmring_hub *hub)
{
    const uint32_t channels = hub->options.channels;
    int error = hub_ready_open(&hub->ready, channels);

    if (error != 0)
        return error;
    hub->table = calloc(channels, sizeof *hub->table);
    hub->free_slots = calloc(channels, sizeof *hub->free_slots);
    if (hub->table == NULL || hub->free_slots == NULL)
        return -ENOMEM;
    while (hub->free_count < channels) {
        hub->free_slots[hub->free_count] = (uint16_t)(channels - 1 - hub->free_count);
        hub->free_count++;
    }
    return 0;
}

static int make_descriptors(shmring_hub *hub)
{
    struct epoll_event bell = {.events = EPOLLIN | EPOLLET, .data.u64 = HUB_EVENT_BELL};
    struct epoll_event listener = {.events = EPOLLIN, .data.u64 = HUB_EVENT_LISTENER};
    int listener_fd = shmring_listener_fd(&hub->listener);

    hub->epoll = epoll_create1(EPOLL_CLOEXEC);
    hub->control_epoll = epoll_create1(EPOLL_CLOEXEC);
    hub->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    hub->control_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (hub->epoll < 0 || hub->control_epoll < 0 || hub->bell < 0 || hub->control_bell < 0)
        return -errno;
    if (epoll_ctl(hub->epoll, EPOLL_CTL_ADD, hub->bell, &bell) != 0 ||
        epoll_ctl(hub->control_epoll, EPOLL_CTL_ADD, hub->control_bell, &bell) != 0 ||
        epoll_ctl(hub->control_epoll, EPOLL_CTL_ADD, listener_fd, &listener) != 0)
        return -errno;
    listener.events |= EPOLLONESHOT; /* one thread accepts */
    return !hub->options.control_apart &&
                   epoll_ctl(hub->epoll, EPOLL_CTL_ADD, listener_fd, &listener) != 0
               ? -errno
               : 0;
}

/* All that is there, of a hub that is open or half so. Nobody else is inside. */
static void free_hub(shmring_hub *hub)
{
    const int fds[] = {hub->epoll, hub->control_epoll, hub->bell, hub->control_bell};

    for (uint32_t slot = 0; hub->table != NULL && slot < hub->options.channels; slot++)
        if (hub_slot(hub, slot) != NULL)
            hub_free_channel(hub_slot(hub, slot));
    shmring_listener_close(&hub->listener);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    hub_ready_close(&hub->ready);
    free(hub->table);
    free(hub->free_slots);
    pthread_mutex_destroy(&hub->control);
    pthread_mutex_destroy(&hub->ledger);
    free(hub);
}

int shmring_hub_open(shmring_hub **ret_hub, const char *path, const shmring_hub_options *options)
{
    shmring_hub_options own;
    shmring_geometry geometry;
    shmring_hub *hub;
    int error = read_options(options, &own);

    if (error == 0)
        error = shmring_layout_plan(SHMRING_KIND_LANE, 0, own.link.capacity, &geometry);
    if (error == 0)
        error = hub_process_open();
    if (error == 0)
        error = hub_readers_open();
    if (error == 0 && posix_memalign((void **)&hub, HUB_LINE, sizeof *hub) != 0)
        error = -ENOMEM;
    if (error != 0)
        return error;
    memset(hub, 0, sizeof *hub);
    hub->options = own;
    hub->max_message = geometry.max_message;
    hub->epoll = hub->control_epoll = hub->bell = hub->control_bell = -1;
    pthread_mutex_init(&hub->control, NULL);
    pthread_mutex_init(&hub->ledger, NULL);
    error = make_memory(hub);
    if (error == 0)
        error = shmring_link_listen(&hub->listener, path, &own.link);
    if (error == 0)
        error = make_descriptors(hub);
    if (error != 0)
        free_hub(hub);
    else
        *ret_hub = hub;
    return error;
}

/* Is a thread in dispatch or control, has it a channel to send to, or is one being unmapped? */
static bool is_held(const shmring_hub *hub)
{
    /* [hub.I] pairs with [hub.H] */
    if (shmring_load32_acquire(&hub->inside) != 0 || shmring_load32_acquire(&hub->retired) != 0)
        return true;
    for (uint32_t slot = 0; slot < hub->options.channels; slot++) {
        const hub_channel *channel = hub_slot(hub, slot);

        /* [hub.I] pairs with [hub.H] */
        if (channel != NULL && shmring_load32_acquire(&channel->users) != 1)
            return true;
    }
    return false;
}

int shmring_hub_close(shmring_hub *hub)
{
    const struct timespec moment = {.tv_nsec = 1000000};

    if (hub == NULL)
        return 0;
    int error = check_outside(hub);

    if (error != 0)
        return error;
    shmring_hub_cancel(hub);
    while (is_held(hub)) {
        nanosleep(&moment, NULL);
        shmring_hub_cancel(hub); /* a handler may have called resume */
    }
    free_hub(hub);
    return 0;
}

int shmring_hub_evict(shmring_hub *hub, uint64_t id)
{
    int error = hub_process_check();
    hub_channel *channel = error == 0 ? hub_pin(hub, id) : NULL;

    if (channel == NULL)
        return error != 0 ? error : -ENOENT;
    if (hub_over(channel) != 0)
        error = -ENOENT;
    hub_end(hub, channel, SHMRING_HUB_EVICTED);
    hub_unpin(channel);
    return error;
}

int shmring_hub_limit(shmring_hub *hub, uint64_t id, const shmring_hub_limits *limits)
{
    shmring_hub_limits own;
    int error = hub_process_check();

    if (error == 0)
        error = hub_read_limits(limits, &hub->options.limits, &own);
    hub_channel *channel = error == 0 ? hub_pin(hub, id) : NULL;

    if (channel == NULL)
        return error != 0 ? error : -ENOENT;
    hub_set_limits(channel, &own);
    hub_unpin(channel);
    return 0;
}

int shmring_hub_counts_of(shmring_hub *hub, uint64_t id, shmring_hub_counts *ret_counts)
{
    int error = hub_process_check();
    hub_channel *channel = error == 0 ? hub_pin(hub, id) : NULL;

    if (channel == NULL)
        return error != 0 ? error : -ENOENT;
    hub_read_counts(channel, ret_counts);
    hub_unpin(channel);
    return 0;
}

int shmring_hub_get_stats(shmring_hub *hub, shmring_hub_stats *ret_stats)
{
    int error = hub_process_check();

    if (error != 0)
        return error;
    /* With the ledger nothing leaves the table: nothing is counted twice, or not at all. */
    pthread_mutex_lock(&hub->ledger);
    shmring_hub_stats stats = hub->stats;
    /* relaxed: written by who has the ledger, both. */
    uint32_t slots = shmring_load32_relaxed(&hub->slots_used);

    stats.unmapping = shmring_load32_relaxed(&hub->retired);
    for (uint32_t slot = 0; slot < slots; slot++) {
        const hub_channel *channel = hub_slot(hub, slot);
        shmring_hub_counts counts;

        if (channel == NULL)
            continue;
        stats.channels++;
        hub_read_counts(channel, &counts);
        hub_add_counts(&stats.counts, &counts);
    }
    pthread_mutex_unlock(&hub->ledger);
    *ret_stats = stats;
    return 0;
}

int shmring_hub_ids(shmring_hub *hub, uint64_t *ret_ids, uint32_t max)
{
    uint32_t count = 0;
    int error = hub_process_check();

    if (error != 0)
        return error;
    pthread_mutex_lock(&hub->ledger);
    /* relaxed: written by who has the ledger. */
    uint32_t slots = shmring_load32_relaxed(&hub->slots_used);

    for (uint32_t slot = 0; slot < slots && count < max; slot++) {
        const hub_channel *channel = hub_slot(hub, slot);

        if (channel != NULL)
            ret_ids[count++] = channel->id;
    }
    pthread_mutex_unlock(&hub->ledger);
    return (int)count;
}

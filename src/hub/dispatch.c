/* SPDX-License-Identifier: MIT */
/* Turns for all channels, and sleep while none has anything. */
#include "hub_parts.h"

#include <errno.h>

/* A thread that has work looks at the kernel's news so often, and at least after each turn. */
static const int64_t LOOK_NS = 10000;

struct loop {
    hub_turn turn;
    int64_t deadline;
    int64_t now;
    int64_t looked;     /* at the kernel's news */
    int64_t idle_since; /* 0: the last round brought something */
    int64_t window;     /* adaptive */
    uint32_t cursor;
    bool progress; /* in this round over all channels */
};

static void watch_listener(shmring_hub *hub)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = HUB_EVENT_LISTENER};

    epoll_ctl(hub->epoll, EPOLL_CTL_MOD, shmring_listener_fd(&hub->listener), &event);
}

/* News of a channel, or of one that is gone. For readers. */
static void notice(shmring_hub *hub, uint64_t id)
{
    hub_channel *channel = hub_slot(hub, (uint32_t)(id & HUB_SLOT_MASK));

    if (channel != NULL && channel->id == id)
        hub_rouse(hub, channel);
}

/* Before what may take its time: who knows how long a handler takes, or letting clients in?
 * Nothing is left lying while others sleep. Returns whether any do. */
static bool wake_for_rest(shmring_hub *hub)
{
    /* [hub.E] pairs with [hub.F], [hub.G] */
    shmring_fence_seq_cst();
    /* relaxed: E orders it. */
    if (shmring_load32_relaxed(&hub->sleepers) == 0)
        return false;
    if (hub_ready_any(&hub->ready))
        hub_wake_one(hub);
    return true;
}

static void take_news(shmring_hub *hub, const struct epoll_event *events, int count)
{
    bool accepts = false;

    if (count <= 0)
        return;
    hub_readers_begin(hub->options.readers_registered);
    for (int i = 0; i < count; i++) {
        accepts = accepts || events[i].data.u64 == HUB_EVENT_LISTENER;
        /* relaxed: whoever has heard the bell, also one that did not sleep, rings again at its next
         * turn if something is left. */
        if (events[i].data.u64 == HUB_EVENT_BELL)
            shmring_store32_relaxed(&hub->waking, 0);
        if (events[i].data.u64 > HUB_EVENT_LISTENER)
            notice(hub, events[i].data.u64);
    }
    hub_readers_end();
    if (accepts) {
        wake_for_rest(hub);
        hub_control_step(hub);
        watch_listener(hub);
    }
}

/* Looks what there is, without sleeping. */
static void look(struct loop *loop)
{
    struct epoll_event events[HUB_EVENTS];

    loop->looked = loop->now;
    take_news(loop->turn.hub, events, epoll_wait(loop->turn.hub->epoll, events, HUB_EVENTS, 0));
}

/* 0, -EINTR, -ENOSYS. */
static int sleep_for_news(struct loop *loop)
{
    shmring_hub *hub = loop->turn.hub;
    struct epoll_event events[HUB_EVENTS];
    int count = 0;

    /* relaxed: F orders it. */
    shmring_add32_relaxed(&hub->sleepers, 1);
    /* [hub.F] pairs with [hub.E] */
    shmring_fence_seq_cst();
    if (!hub_ready_any(&hub->ready) && !hub_is_cancelled(hub))
        count = hub_sleep(hub->epoll, events, HUB_EVENTS, loop->deadline, loop->now);
    int error = count >= 0 ? 0 : errno == EINTR ? -EINTR : -ENOSYS;

    /* relaxed: F orders it before the next look. */
    shmring_add32_relaxed(&hub->sleepers, UINT32_MAX);
    shmring_store32_relaxed(&hub->waking, 0);
    /* [hub.F] pairs with [hub.E] */
    shmring_fence_seq_cst();
    loop->now = loop->looked = shmring_clock();
    take_news(hub, events, count);
    return error;
}

/* All channels that were ready have had a turn, or none was. What does that tell? */
static void end_round(struct loop *loop)
{
    const enum shmring_wait_policy wait = loop->turn.hub->options.wait;

    if (loop->progress) {
        if (loop->idle_since != 0)
            loop->window = shmring_spin_window(loop->window, loop->now - loop->idle_since);
        loop->idle_since = 0;
        loop->turn.settles = false;
    } else if (wait == SHMRING_WAIT_BLOCK) {
        loop->turn.settles = true;
    } else {
        if (loop->idle_since == 0)
            loop->idle_since = loop->now;
        loop->turn.settles =
            wait == SHMRING_WAIT_ADAPTIVE && loop->now - loop->idle_since >= loop->window;
        shmring_cpu_pause();
    }
    loop->progress = false;
}

/* The next channel that is ready, in the order of slots, round and round. -1: none. */
static int take_next(struct loop *loop)
{
    const hub_ready *ready = &loop->turn.hub->ready;
    int slot = hub_ready_take(ready, loop->cursor);

    if (slot < 0) {
        end_round(loop);
        slot = hub_ready_take(ready, 0);
    }
    loop->cursor = (uint32_t)(slot + 1);
    return slot;
}

/* The turn that was taken with the bit of the slot. */
static void take_turn(struct loop *loop, int slot)
{
    shmring_hub *hub = loop->turn.hub;
    hub_channel *channel = hub_slot(hub, (uint32_t)slot);
    hub_turn turn = loop->turn;

    /* relaxed: E orders it. */
    shmring_store32_relaxed(&channel->state, HUB_RUNNING);
    /* While others sleep, nothing is left unarmed either, which nobody would look at. */
    if (wake_for_rest(hub))
        turn.settles = turn.settles || hub->options.wait != SHMRING_WAIT_SPIN;
    if (hub_turn_take(&turn, channel) != 0)
        loop->progress = true;
}

static int run(struct loop *loop)
{
    shmring_hub *hub = loop->turn.hub;
    int error = 0;

    while (error == 0) {
        if (hub_is_cancelled(hub))
            return -ECANCELED;
        int slot = take_next(loop);

        if (slot >= 0)
            take_turn(loop, slot);
        else if (hub->options.wait == SHMRING_WAIT_BLOCK || loop->turn.settles)
            error = sleep_for_news(loop);
        loop->now = shmring_clock();
        if (error == 0 && loop->now >= loop->deadline)
            error = -ETIMEDOUT;
        if (loop->now - loop->looked >= LOOK_NS)
            look(loop);
    }
    return error;
}

/* A turn for each that is ready. */
static int run_round(struct loop *loop)
{
    shmring_hub *hub = loop->turn.hub;

    loop->turn.settles = hub->options.wait != SHMRING_WAIT_SPIN;
    for (int slot = 0; !hub_is_cancelled(hub); slot++) {
        slot = hub_ready_take(&hub->ready, (uint32_t)slot);
        if (slot < 0)
            break;
        take_turn(loop, slot);
    }
    return hub_is_cancelled(hub) ? -ECANCELED : -ETIMEDOUT;
}

int shmring_hub_dispatch(shmring_hub *hub, shmring_hub_handler *handler, void *argument,
                         int64_t deadline)
{
    hub_frame frame;
    struct loop loop = {
        .turn = {.hub = hub, .handler = handler, .argument = argument},
        .deadline = deadline,
        .now = shmring_clock(),
    };
    int error = hub_enter(hub, &frame);

    if (error != 0)
        return error;
    look(&loop);
    error = deadline <= SHMRING_NOW ? run_round(&loop) : run(&loop);
    /* [hub.F] pairs with [hub.E]: we may have heard a ring that others counted on. */
    shmring_fence_seq_cst();
    /* What is left is for others: those that sleep here, or poll. */
    if (hub_ready_any(&hub->ready) || hub_is_cancelled(hub))
        hub_ring(hub->bell);
    hub_leave(&frame);
    return error;
}

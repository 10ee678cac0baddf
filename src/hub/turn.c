/* SPDX-License-Identifier: MIT */
/* The turn of a channel: what it has sent, or its end. */
#include "hub_parts.h"

#include <errno.h>

/* While other channels keep the thread awake, an empty one is looked at so often before it is armed
 * to ring: a look costs tens of nanoseconds, arming and a wake some microseconds. */
enum { MISSES_MAX = 256 };

static shmring_hub_event new_event(hub_channel *channel, enum shmring_hub_kind kind)
{
    return (shmring_hub_event){
        .kind = kind,
        .id = channel->id,
        .context = &channel->context,
        .peer = &channel->link.peer,
    };
}

static void tell(const hub_turn *turn, hub_channel *channel, enum shmring_hub_kind kind,
                 const shmring_hub_counts *counts)
{
    shmring_hub_event event = new_event(channel, kind);

    event.counts = counts;
    turn->handler(turn->hub, &event, turn->argument);
}

/* The budget is not used up when it returns fewer messages or bytes than that. */
static uint32_t handle_messages(const hub_turn *turn, hub_channel *channel, bool *ret_more)
{
    shmring_receiver *receiver = &channel->link.receiver;
    shmring_spsc_consumer *consumer = &receiver->consumer;
    /* relaxed: see hub_set_limits(). */
    const uint32_t budget = shmring_load32_relaxed(&channel->budget);
    const uint64_t budget_size = shmring_load32_relaxed(&channel->budget_size);
    shmring_hub_event event = new_event(channel, SHMRING_HUB_MESSAGE);
    uint32_t messages = 0;
    uint64_t size = 0;

    *ret_more = true;
    while (messages < budget && size < budget_size && hub_over(channel) == 0) {
        event.message = shmring_spsc_peek(consumer, &event.length, &event.type);
        if (event.message == NULL) {
            *ret_more = false;
            break;
        }
        size += event.length;
        messages++;
        turn->handler(turn->hub, &event, turn->argument);
        shmring_spsc_release(consumer);
        shmring_wake(&receiver->waiter);
    }
    if (messages == 0)
        return 0;
    /* relaxed: a client that sleeps for room shall not wait until enough has gathered. */
    if (shmring_load64_relaxed(&receiver->waiter.peer->wake_at) != 0)
        shmring_receiver_flush(receiver);
    hub_count(&channel->received, messages);
    hub_count(&channel->received_size, size);
    return messages;
}

/* At low cost: is an empty channel to be looked at closely? A death is not seen here: the kernel
 * tells of it, and then the channel is looked at. */
static bool has_news(const hub_channel *channel)
{
    const shmring_spsc_side *side = &channel->link.receiver.consumer.side;

    return shmring_spsc_error(side) != 0 || shmring_spsc_peer_left(side);
}

static void count_end(shmring_hub_stats *stats, enum shmring_hub_kind kind)
{
    stats->left += kind == SHMRING_HUB_LEFT;
    stats->died += kind == SHMRING_HUB_DIED;
    stats->broke += kind == SHMRING_HUB_BROKE;
    stats->evicted += kind == SHMRING_HUB_EVICTED;
}

static void give_up(struct rcu_head *head)
{
    hub_unpin(caa_container_of(head, hub_channel, ended));
}

/* From here on nobody finds it. Who has found it already may still send to it for a moment. */
static void take_out(shmring_hub *hub, hub_channel *channel, enum shmring_hub_kind kind,
                     shmring_hub_counts *ret_counts)
{
    const uint32_t slot = (uint32_t)(channel->id & HUB_SLOT_MASK);

    /* relaxed: those that send look at it in time; who rouses it does nothing, or in vain. */
    shmring_store32_relaxed(&channel->over, kind);
    shmring_store32_relaxed(&channel->state, HUB_GONE);
    pthread_mutex_lock(&hub->ledger);
    hub_set_slot(hub, slot, NULL);
    hub->free_slots[hub->free_count++] = (uint16_t)slot;
    hub_read_counts(channel, ret_counts);
    hub_add_counts(&hub->stats.counts, ret_counts);
    count_end(&hub->stats, kind);
    /* relaxed: close comes after our turn. */
    shmring_add32_relaxed(&hub->retired, 1);
    pthread_mutex_unlock(&hub->ledger);
}

static void end_channel(const hub_turn *turn, hub_channel *channel, enum shmring_hub_kind kind)
{
    shmring_hub *hub = turn->hub;
    shmring_hub_counts counts;

    epoll_ctl(hub->epoll, EPOLL_CTL_DEL, shmring_link_fd(&channel->link), NULL);
    take_out(hub, channel, kind, &counts);
    tell(turn, channel, kind, &counts);
    hub_readers_defer(hub->options.readers_registered, &channel->ended, give_up);
}

static void requeue(shmring_hub *hub, hub_channel *channel)
{
    /* relaxed: A orders it. News of meanwhile is found by the next turn. */
    shmring_store32_relaxed(&channel->state, HUB_QUEUED);
    hub_ready_set(&hub->ready, (uint32_t)(channel->id & HUB_SLOT_MASK));
}

/* There is nothing: the next message shall ring, or the end of the client. Returns that instead if
 * it is there, and all messages before it were handled; else 0. */
static enum shmring_hub_kind settle(shmring_hub *hub, hub_channel *channel)
{
    const void *message;
    uint64_t length;
    uint32_t running = HUB_RUNNING;

    channel->misses = 0;
    int error =
        shmring_receiver_peek(&channel->link.receiver, SHMRING_NOW, &message, &length, NULL);

    /* [hub.C] pairs with [hub.D] */
    if (error == -ETIMEDOUT && shmring_cas32_acq_rel(&channel->state, &running, HUB_IDLE))
        return 0;
    if (error == 0 || error == -ETIMEDOUT) {
        requeue(hub, channel);
        return 0;
    }
    return error == -EPIPE        ? SHMRING_HUB_LEFT
           : error == -EOWNERDEAD ? SHMRING_HUB_DIED
                                  : SHMRING_HUB_BROKE;
}

uint32_t hub_turn_take(const hub_turn *turn, hub_channel *channel)
{
    enum shmring_hub_kind end;
    bool more;

    if (channel->is_new) {
        channel->is_new = false;
        tell(turn, channel, SHMRING_HUB_JOINED, NULL);
    }
    uint32_t messages = handle_messages(turn, channel, &more);

    hub_count(&channel->turns, 1);
    channel->misses = messages != 0 ? 0 : channel->misses + 1;
    end = hub_over(channel);
    if (end == 0 && !more && (turn->settles || channel->misses >= MISSES_MAX || has_news(channel)))
        end = settle(turn->hub, channel);
    else if (end == 0)
        requeue(turn->hub, channel);
    if (end != 0)
        end_channel(turn, channel, end);
    return messages;
}

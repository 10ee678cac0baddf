/* SPDX-License-Identifier: MIT */
/* Messages to clients. */
#include "hub_parts.h"

#include <errno.h>

/* A wait for room is looked after so often: for cancel, and for the end of the channel. */
static const int64_t SLICE_NS = SHMRING_WAIT_CAP_NS;

struct mail {
    const void *message;
    uint64_t length;
    uint32_t type;
};

/* The functions from here to send_now() are for who holds channel->sending. */

static bool is_past_limits(hub_channel *channel)
{
    /* relaxed: see hub_set_limits(). */
    const uint32_t drops = shmring_load32_relaxed(&channel->drops);
    const int64_t full_ns = (int64_t)shmring_load64_relaxed(&channel->full_ns);

    if (drops != 0 && channel->drops_in_row >= drops)
        return true;
    if (full_ns == 0)
        return false;
    int64_t now = shmring_clock();

    if (channel->full_since == 0)
        channel->full_since = now;
    return now - channel->full_since >= full_ns;
}

/* How it went, and what comes of it. */
static int settle(shmring_hub *hub, hub_channel *channel, const struct mail *mail, int error)
{
    if (error == 0) {
        channel->drops_in_row = 0;
        channel->full_since = 0;
        hub_count(&channel->sent, 1);
        hub_count(&channel->sent_size, mail->length);
    } else if (error == -EBADMSG) {
        hub_end(hub, channel, SHMRING_HUB_BROKE);
    } else if (error == -ETIMEDOUT || error == -EPIPE || error == -EOWNERDEAD) {
        channel->drops_in_row++;
        hub_count(&channel->dropped, 1);
        if (is_past_limits(channel))
            hub_end(hub, channel, SHMRING_HUB_EVICTED);
    }
    return error;
}

static int attempt(hub_channel *channel, const struct mail *mail)
{
    /* A thread waits for room: there is none. */
    if (channel->is_waiting)
        return -ETIMEDOUT;
    return shmring_sender_send(&channel->link.sender, mail->message, mail->length, mail->type,
                               SHMRING_NOW);
}

static int send_now(shmring_hub *hub, hub_channel *channel, const struct mail *mail)
{
    pthread_mutex_lock(&channel->sending);
    int error = settle(hub, channel, mail, attempt(channel, mail));

    pthread_mutex_unlock(&channel->sending);
    return error;
}

static int64_t end_of_slice(int64_t deadline)
{
    int64_t slice = shmring_deadline(SLICE_NS);

    return slice < deadline ? slice : deadline;
}

/* A moment of waiting, for room or for the thread that waits for it already. */
static int wait_for_room(hub_channel *channel, const struct mail *mail, int64_t deadline)
{
    int64_t until = end_of_slice(deadline);
    int error = -ETIMEDOUT;

    if (channel->is_waiting) {
        struct timespec time = hub_timespec(until);

        pthread_cond_timedwait(&channel->waited, &channel->sending, &time);
        return attempt(channel, mail);
    }
    /* Nobody else uses the sender, and nobody is kept from seeing that it is full. */
    channel->is_waiting = true;
    pthread_mutex_unlock(&channel->sending);
    error =
        shmring_sender_send(&channel->link.sender, mail->message, mail->length, mail->type, until);
    pthread_mutex_lock(&channel->sending);
    channel->is_waiting = false;
    pthread_cond_broadcast(&channel->waited); /* there may be room for more than one */
    return error;
}

static int send_until(shmring_hub *hub, hub_channel *channel, const struct mail *mail,
                      int64_t deadline)
{
    pthread_mutex_lock(&channel->sending);
    int error = attempt(channel, mail);

    while (error == -ETIMEDOUT && shmring_clock() < deadline) {
        if (is_past_limits(channel))
            hub_end(hub, channel, SHMRING_HUB_EVICTED);
        if (hub_over(channel) != 0)
            error = -ENOENT;
        else if (hub_is_cancelled(hub))
            error = -ECANCELED;
        else
            error = wait_for_room(channel, mail, deadline);
    }
    error = settle(hub, channel, mail, error);
    pthread_mutex_unlock(&channel->sending);
    return error;
}

static bool is_too_long(const shmring_hub *hub, uint64_t length)
{
    return length > hub->max_message;
}

int shmring_hub_send(shmring_hub *hub, uint64_t id, const void *message, uint64_t length,
                     uint32_t type, int64_t deadline)
{
    const struct mail mail = {message, length, type};
    int error = hub_process_check();

    if (error == 0 && is_too_long(hub, length))
        error = -EMSGSIZE;
    if (error != 0)
        return error;
    hub_channel *channel = hub_pin(hub, id);

    if (channel == NULL)
        return -ENOENT;
    if (hub_over(channel) != 0)
        error = -ENOENT;
    else if (deadline <= SHMRING_NOW)
        error = send_now(hub, channel, &mail);
    else
        error = send_until(hub, channel, &mail, deadline);
    hub_unpin(channel);
    return error;
}

/* To one of many. */
static void add(shmring_hub *hub, hub_channel *channel, const struct mail *mail,
                shmring_hub_sent *sum)
{
    if (hub_over(channel) != 0)
        return;
    if (send_now(hub, channel, mail) == 0)
        sum->sent++;
    else
        sum->dropped++;
}

int shmring_hub_send_to(shmring_hub *hub, const uint64_t *ids, uint32_t count, const void *message,
                        uint64_t length, uint32_t type, shmring_hub_sent *ret_sent)
{
    const struct mail mail = {message, length, type};
    shmring_hub_sent sum = {0};
    int error = hub_process_check();

    if (error == 0 && is_too_long(hub, length))
        error = -EMSGSIZE;
    for (uint32_t i = 0; error == 0 && i < count; i++) {
        hub_channel *channel = hub_pin(hub, ids[i]);

        if (channel == NULL)
            continue;
        add(hub, channel, &mail, &sum);
        hub_unpin(channel);
    }
    if (error == 0 && ret_sent != NULL)
        *ret_sent = sum;
    return error;
}

int shmring_hub_send_all(shmring_hub *hub, const void *message, uint64_t length, uint32_t type,
                         shmring_hub_filter *filter, void *argument, shmring_hub_sent *ret_sent)
{
    const struct mail mail = {message, length, type};
    shmring_hub_sent sum = {0};
    int error = hub_process_check();

    if (error == 0 && is_too_long(hub, length))
        error = -EMSGSIZE;
    /* relaxed: who joins just now may be left out. */
    uint32_t slots = shmring_load32_relaxed(&hub->slots_used);

    for (uint32_t slot = 0; error == 0 && slot < slots; slot++) {
        hub_channel *channel = hub_pin_slot(hub, slot);

        if (channel == NULL)
            continue;
        if (filter == NULL || filter(channel->id, &channel->link.peer, argument))
            add(hub, channel, &mail, &sum);
        hub_unpin(channel);
    }
    if (error == 0 && ret_sent != NULL)
        *ret_sent = sum;
    return error;
}

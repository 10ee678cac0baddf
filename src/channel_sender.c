/* SPDX-License-Identifier: MIT */
#include "blocking.h"
#include "channel_open.h"

#include <errno.h>
#include <string.h>

static int open_sender(shmring_sender *sender, const char *name, const shmring_channel_fds *fds,
                       const shmring_channel_options *options)
{
    struct open_ring ring;
    shmring_sender opened = {0};
    int error = channel_open(&ring, name, fds, SHMRING_KIND_SPSC, options);

    if (error != 0)
        return error;
    opened.segment = ring.segment;
    opened.pace.policy = ring.options.wait;
    /* First what may fail without a trace: an attach that is undone is an end of the stream. */
    error = shmring_waiter_open(&opened.waiter, ring.segment.base, &ring.geometry,
                                SHMRING_ROLE_PRODUCER, &ring.place);
    if (error == 0)
        error = shmring_spsc_attach_producer(&opened.producer, ring.segment.base, &ring.geometry,
                                             ring.segment.fd);
    if (error != 0) {
        shmring_sender_close(&opened);
        return error;
    }
    /* Our predecessor may have died between sending and waking. */
    shmring_wake_always(&opened.waiter);
    *sender = opened;
    return 0;
}

int shmring_sender_open(shmring_sender *sender, const char *name,
                        const shmring_channel_options *options)
{
    return open_sender(sender, name, NULL, options);
}

int shmring_sender_open_fds(shmring_sender *sender, const shmring_channel_fds *fds,
                            const shmring_channel_options *options)
{
    return open_sender(sender, NULL, fds, options);
}

void shmring_sender_close(shmring_sender *sender)
{
    if (sender->producer.side.own != NULL) {
        /* The receiver may sleep for a message, and there will be none. Woken while the role is
         * ours: the words of waking have one writer. */
        shmring_spsc_end_producer(&sender->producer);
        shmring_wake_always(&sender->waiter);
        shmring_spsc_detach_producer(&sender->producer);
    }
    shmring_waiter_close(&sender->waiter);
    shmring_segment_close(&sender->segment);
    memset(sender, 0, sizeof *sender);
}

/* A sender that needs so many bytes. */
struct sending {
    shmring_sender *sender;
    uint64_t need;
};

static int sender_error(void *call)
{
    const struct sending *sending = call;

    return sending->sender->producer.side.error;
}

static bool sender_attempt(void *call)
{
    const struct sending *sending = call;

    return shmring_spsc_has_room(&sending->sender->producer, sending->need);
}

static bool sender_has_news(void *call)
{
    (void)call;
    return false;
}

/* Has the receiver died on a full ring? One that closed may have a successor: that is no end, but
 * on a link. */
static int sender_end(void *call, bool *ret_done)
{
    const struct sending *sending = call;
    shmring_spsc_side *side = &sending->sender->producer.side;
    uint32_t session;

    *ret_done = false;
    if (sending->sender->is_link)
        return channel_link_end(side, sending->sender->socket);
    int end = shmring_spsc_peer(side, &session);

    if (end == 0 || end == -ENOTCONN || end == -EPIPE)
        return 0;
    if (end == -EOWNERDEAD)
        shmring_spsc_peer_ended(side, session);
    return end;
}

/* The head at which there is room for need bytes, and half a ring at that: one wake for many. */
static uint64_t sender_wake_at(const shmring_spsc_producer *producer, uint64_t need)
{
    uint64_t half = producer->side.capacity / 2;

    return producer->tail_pos + (need > half ? need : half) - producer->side.capacity;
}

static int sender_sleep(void *call, int64_t deadline, bool *ret_done)
{
    const struct sending *sending = call;
    shmring_sender *sender = sending->sender;
    shmring_spsc_producer *producer = &sender->producer;
    uint32_t ticket = shmring_wait_arm(&sender->waiter, sender_wake_at(producer, sending->need));
    int error = 0;

    if (!shmring_spsc_has_room(producer, sending->need) && producer->side.error == 0 &&
        !blocking_is_cancelled(&sender->pace))
        error = shmring_wait_sleep(&sender->waiter, ticket, deadline);
    else if (shmring_clock() >= deadline)
        error = -ETIMEDOUT;
    shmring_wait_disarm(&sender->waiter);
    *ret_done = shmring_spsc_has_room(producer, sending->need);
    return error;
}

static const struct blocking_call sending_call = {
    .error = sender_error,
    .attempt = sender_attempt,
    .has_news = sender_has_news,
    .end = sender_end,
    .sleep = sender_sleep,
};

void shmring_sender_cancel(shmring_sender *sender)
{
    blocking_cancel(&sender->pace);
    shmring_bell_ring(&sender->waiter.bell, false);
}

void shmring_sender_resume(shmring_sender *sender)
{
    blocking_resume(&sender->pace);
}

int shmring_sender_reserve_wait(shmring_sender *sender, uint64_t length, int64_t deadline,
                                void **ret_place)
{
    shmring_spsc_producer *producer = &sender->producer;
    uint64_t size = shmring_spsc_record_size(length);
    void *place = NULL;

    if (length > shmring_spsc_max_message(&producer->side))
        return -EMSGSIZE;
    while (place == NULL) {
        struct sending sending = {sender, shmring_spsc_skip(producer, size) + size};
        int error = blocking_wait(&sending_call, &sending, &sender->pace, &sender->waiter.peer->pos,
                                  deadline);

        if (error != 0)
            return error;
        place = shmring_spsc_reserve(producer, length);
    }
    *ret_place = place;
    return 0;
}

int shmring_sender_send_wait(shmring_sender *sender, const void *message, uint64_t length,
                             uint32_t type, int64_t deadline)
{
    void *place;
    int error = shmring_sender_reserve_wait(sender, length, deadline, &place);

    if (error != 0)
        return error;
    if (length != 0)
        memcpy(place, message, (size_t)length);
    shmring_sender_commit(sender, length, type);
    return 0;
}

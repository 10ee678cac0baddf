/* SPDX-License-Identifier: MIT */
#include "shmring/channel.h"

#include <errno.h>
#include <string.h>

/* A spinner looks at the clock every so many misses, and then asks whether the other side lives
 * every so often; one that only polls (SHMRING_NOW) asks every so many polls in vain. */
enum {
    MISSES_PER_LOOK = 64,
    POLLS_PER_ASK = 256,
};
static const int64_t ASK_NS = 10000000;

static int read_options(const shmring_channel_options *options, shmring_channel_options *ret_own)
{
    *ret_own = (shmring_channel_options){.size = sizeof *ret_own};
    if (options != NULL && options->size != 0) {
        for (size_t i = sizeof *ret_own; i < options->size; i++)
            if (((const unsigned char *)options)[i] != 0)
                return -EINVAL;
        memcpy(ret_own, options, options->size < sizeof *ret_own ? options->size : sizeof *ret_own);
    }
    if (ret_own->capacity == 0)
        ret_own->capacity = SHMRING_CHANNEL_CAPACITY;
    if (ret_own->wait != SHMRING_WAIT_BLOCK && ret_own->wait != SHMRING_WAIT_SPIN)
        return -EINVAL;
    return 0;
}

int shmring_channel_create(const char *name, const shmring_channel_options *options)
{
    shmring_channel_options own;
    shmring_geometry geometry;
    shmring_segment segment;
    int error = read_options(options, &own);

    if (error == 0)
        error = shmring_layout_plan(SHMRING_KIND_SPSC, 0, own.capacity, &geometry);
    if (error == 0 && name == NULL)
        error = -EINVAL;
    if (error == 0)
        error = shmring_segment_create(&segment, name, &geometry, &own.segment);
    if (error != 0)
        return error;
    error = shmring_segment_publish(&segment);
    shmring_segment_close(&segment);
    return error;
}

/* Opens the segment, and creates it before that if it is missing and that is wanted. */
static int open_segment(const char *name, const shmring_channel_options *own,
                        shmring_segment *ret_segment, shmring_geometry *ret_geometry)
{
    int error = shmring_segment_open(ret_segment, name, &own->segment, ret_geometry);

    if (error != -ENOENT || !own->create)
        return error;
    error = shmring_channel_create(name, own);
    if (error != 0 && error != -EEXIST) /* somebody else was faster: as good */
        return error;
    return shmring_segment_open(ret_segment, name, &own->segment, ret_geometry);
}

int shmring_sender_open(shmring_sender *sender, const char *name,
                        const shmring_channel_options *options)
{
    shmring_channel_options own;
    shmring_geometry geometry;
    shmring_sender opened = {0};
    int error = read_options(options, &own);

    if (error == 0)
        error = open_segment(name, &own, &opened.segment, &geometry);
    if (error != 0)
        return error;
    error = shmring_spsc_attach_producer(&opened.producer, opened.segment.base, &geometry,
                                         opened.segment.fd);
    if (error != 0) {
        shmring_segment_close(&opened.segment);
        return error;
    }
    opened.wait = own.wait;
    shmring_waiter_init(&opened.waiter, opened.producer.side.own, opened.producer.side.peer);
    *sender = opened;
    return 0;
}

int shmring_receiver_open(shmring_receiver *receiver, const char *name,
                          const shmring_channel_options *options)
{
    shmring_channel_options own;
    shmring_geometry geometry;
    shmring_receiver opened = {0};
    int error = read_options(options, &own);

    if (error == 0)
        error = open_segment(name, &own, &opened.segment, &geometry);
    if (error != 0)
        return error;
    error = shmring_spsc_attach_consumer(&opened.consumer, opened.segment.base, &geometry,
                                         opened.segment.fd);
    if (error != 0) {
        shmring_segment_close(&opened.segment);
        return error;
    }
    opened.wait = own.wait;
    shmring_waiter_init(&opened.waiter, opened.consumer.side.own, opened.consumer.side.peer);
    *receiver = opened;
    return 0;
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
    shmring_segment_close(&sender->segment);
    memset(sender, 0, sizeof *sender);
}

void shmring_receiver_close(shmring_receiver *receiver)
{
    if (receiver->consumer.side.own != NULL) {
        shmring_spsc_end_consumer(&receiver->consumer);
        shmring_wake_always(&receiver->waiter);
        shmring_spsc_detach_consumer(&receiver->consumer);
    }
    shmring_segment_close(&receiver->segment);
    memset(receiver, 0, sizeof *receiver);
}

/*
 * One step of waiting without the kernel. Looks at the clock now and then; *ret_ask: time to ask
 * for the other side's life too.
 */
static int spin_step(shmring_spin *spin, uint64_t done, int64_t deadline, int64_t *ask_at,
                     bool *ret_ask)
{
    *ret_ask = false;
    shmring_spin_miss(spin, done);
    if (spin->misses % MISSES_PER_LOOK != 0)
        return 0;
    int64_t now = shmring_clock();

    if (*ask_at == 0)
        *ask_at = now + ASK_NS;
    /* At the end too: calls with short deadlines must learn of a death as well. */
    *ret_ask = now >= *ask_at || now >= deadline;
    if (*ret_ask)
        *ask_at = now + ASK_NS;
    return now >= deadline ? -ETIMEDOUT : 0;
}

/* Nothing there, and the caller does not want to wait: death is looked for only now and then. */
static bool poll_asks(uint32_t *polls)
{
    return ++*polls % POLLS_PER_ASK == 0;
}

/* Has the sender come to its end, and do we have all that it sent? Says so once. */
static int receiver_end(shmring_receiver *receiver)
{
    shmring_spsc_side *side = &receiver->consumer.side;
    uint32_t session;
    int end = shmring_spsc_peer(side, &session);

    if (end == 0 || end == -ENOTCONN || shmring_spsc_has_record(&receiver->consumer))
        return 0;
    if (end == -EPIPE || end == -EOWNERDEAD)
        shmring_spsc_peer_ended(side, session);
    return end;
}

static int receiver_sleep(shmring_receiver *receiver, int64_t deadline)
{
    shmring_spsc_consumer *consumer = &receiver->consumer;
    uint32_t ticket = shmring_wait_arm(&receiver->waiter, consumer->read_pos + 1);
    int error = 0;

    if (!shmring_spsc_has_record(consumer) && !shmring_spsc_peer_left(&consumer->side) &&
        consumer->side.error == 0)
        error = shmring_wait_sleep(&receiver->waiter, ticket, deadline);
    else if (shmring_clock() >= deadline) /* also if the peer keeps us from sleeping for ever */
        error = -ETIMEDOUT;
    shmring_wait_disarm(&receiver->waiter);
    return error;
}

/* Until there is a record; the caller has found none. */
static int receiver_wait(shmring_receiver *receiver, int64_t deadline)
{
    shmring_spsc_consumer *consumer = &receiver->consumer;
    int64_t ask_at = 0;

    for (;;) {
        bool ask = true;
        int error = consumer->side.error;

        /* What peek gave back may be what the sender sleeps for. */
        shmring_wake(&receiver->waiter);
        if (error != 0)
            return error;
        if (deadline <= SHMRING_NOW) {
            error = -ETIMEDOUT;
            ask = shmring_spsc_peer_left(&consumer->side) || poll_asks(&receiver->polls);
        } else if (receiver->wait == SHMRING_WAIT_SPIN) {
            error = spin_step(&receiver->spin, receiver->done, deadline, &ask_at, &ask);
            ask = ask || shmring_spsc_peer_left(&consumer->side);
        } else {
            error = receiver_sleep(receiver, deadline);
        }
        if (shmring_spsc_has_record(consumer))
            return 0;
        int end = ask ? receiver_end(receiver) : 0;

        if (end != 0 || error != 0)
            return end != 0 ? end : error;
    }
}

int shmring_receiver_peek(shmring_receiver *receiver, int64_t deadline, const void **ret_message,
                          uint64_t *ret_length, uint32_t *ret_type)
{
    for (;;) {
        const void *message = shmring_spsc_peek(&receiver->consumer, ret_length, ret_type);

        if (message != NULL) {
            *ret_message = message;
            shmring_spin_hit(&receiver->spin);
            return 0;
        }
        int error = receiver_wait(receiver, deadline);

        if (error != 0)
            return error;
    }
}

void shmring_receiver_release(shmring_receiver *receiver)
{
    receiver->done++;
    shmring_spsc_release(&receiver->consumer);
    /* relaxed: a sender that sleeps for room shall not wait until enough has gathered. */
    if (shmring_load64_relaxed(&receiver->waiter.peer->wake_at) != 0)
        shmring_spsc_flush(&receiver->consumer);
    shmring_wake(&receiver->waiter);
}

void shmring_receiver_flush(shmring_receiver *receiver)
{
    shmring_spsc_flush(&receiver->consumer);
    shmring_wake(&receiver->waiter);
}

int shmring_receiver_recv(shmring_receiver *receiver, void *buffer, uint64_t buffer_size,
                          uint64_t *ret_length, uint32_t *ret_type, int64_t deadline)
{
    const void *message;
    uint64_t length;
    uint32_t type;
    int error = shmring_receiver_peek(receiver, deadline, &message, &length, &type);

    if (error != 0)
        return error;
    if (ret_length != NULL)
        *ret_length = length;
    if (length > buffer_size)
        return -EMSGSIZE;
    if (length != 0)
        memcpy(buffer, message, (size_t)length);
    if (ret_type != NULL)
        *ret_type = type;
    shmring_receiver_release(receiver);
    return 0;
}

/* Has the receiver died on a full ring? One that closed may have a successor: that is no end. */
static int sender_end(shmring_sender *sender)
{
    uint32_t session;
    int end = shmring_spsc_peer(&sender->producer.side, &session);

    if (end == 0 || end == -ENOTCONN || end == -EPIPE)
        return 0;
    if (end == -EOWNERDEAD)
        shmring_spsc_peer_ended(&sender->producer.side, session);
    return end;
}

/* The head at which there is room for need bytes, and half a ring at that: one wake for many. */
static uint64_t sender_wake_at(const shmring_spsc_producer *producer, uint64_t need)
{
    uint64_t half = producer->side.capacity / 2;

    return producer->tail_pos + (need > half ? need : half) - producer->side.capacity;
}

static int sender_sleep(shmring_sender *sender, uint64_t need, int64_t deadline)
{
    shmring_spsc_producer *producer = &sender->producer;
    uint32_t ticket = shmring_wait_arm(&sender->waiter, sender_wake_at(producer, need));
    int error = 0;

    if (!shmring_spsc_has_room(producer, need) && producer->side.error == 0)
        error = shmring_wait_sleep(&sender->waiter, ticket, deadline);
    shmring_wait_disarm(&sender->waiter);
    return error;
}

/* Until there is room for need bytes; the caller has found none. */
static int sender_wait(shmring_sender *sender, uint64_t need, int64_t deadline)
{
    int64_t ask_at = 0;

    for (;;) {
        bool ask = true;
        int error = sender->producer.side.error;

        if (error != 0)
            return error;
        if (deadline <= SHMRING_NOW) {
            error = -ETIMEDOUT;
            ask = poll_asks(&sender->polls);
        } else if (sender->wait == SHMRING_WAIT_SPIN) {
            error = spin_step(&sender->spin, sender->done, deadline, &ask_at, &ask);
        } else {
            error = sender_sleep(sender, need, deadline);
        }
        if (shmring_spsc_has_room(&sender->producer, need))
            return 0;
        int end = ask ? sender_end(sender) : 0;

        if (end != 0 || error != 0)
            return end != 0 ? end : error;
    }
}

int shmring_sender_reserve(shmring_sender *sender, uint64_t length, int64_t deadline,
                           void **ret_place)
{
    shmring_spsc_producer *producer = &sender->producer;

    if (length > shmring_spsc_max_message(&producer->side))
        return -EMSGSIZE;
    for (;;) {
        void *place = shmring_spsc_reserve(producer, length);

        if (place != NULL) {
            *ret_place = place;
            sender->done++;
            shmring_spin_hit(&sender->spin);
            return 0;
        }
        uint64_t size = shmring_spsc_record_size(length);
        int error = sender_wait(sender, shmring_spsc_skip(producer, size) + size, deadline);

        if (error != 0)
            return error;
    }
}

int shmring_sender_send(shmring_sender *sender, const void *message, uint64_t length,
                        uint32_t type, int64_t deadline)
{
    void *place;
    int error = shmring_sender_reserve(sender, length, deadline, &place);

    if (error != 0)
        return error;
    if (length != 0)
        memcpy(place, message, (size_t)length);
    shmring_sender_commit(sender, length, type);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "bell_backends.h"
#include "blocking.h"
#include "channel_open.h"

#include <errno.h>
#include <string.h>

static int open_receiver(shmring_receiver *receiver, const char *name,
                         const shmring_channel_fds *fds, const shmring_channel_options *options)
{
    struct open_ring ring;
    shmring_receiver opened = {0};
    int error = channel_open(&ring, name, fds, SHMRING_KIND_SPSC, options);

    if (error != 0)
        return error;
    opened.segment = ring.segment;
    opened.pace.policy = ring.options.wait;
    opened.gather_count = ring.options.gather_count;
    opened.gather_ns = ring.options.gather_ns;
    /* First what may fail without a trace: an attach that is undone is an end of the stream. */
    error = shmring_waiter_open(&opened.waiter, ring.segment.base, &ring.geometry,
                                SHMRING_ROLE_CONSUMER, &ring.place);
    if (error == 0)
        error = shmring_spsc_attach_consumer(&opened.consumer, ring.segment.base, &ring.geometry,
                                             ring.segment.fd);
    if (error != 0) {
        shmring_receiver_close(&opened);
        return error;
    }
    /* Our predecessor may have died between giving back and waking. */
    shmring_wake_always(&opened.waiter);
    *receiver = opened;
    return 0;
}

int shmring_receiver_open(shmring_receiver *receiver, const char *name,
                          const shmring_channel_options *options)
{
    return open_receiver(receiver, name, NULL, options);
}

int shmring_receiver_open_fds(shmring_receiver *receiver, const shmring_channel_fds *fds,
                              const shmring_channel_options *options)
{
    return open_receiver(receiver, NULL, fds, options);
}

void shmring_receiver_close(shmring_receiver *receiver)
{
    if (receiver->consumer.side.own != NULL) {
        shmring_spsc_end_consumer(&receiver->consumer);
        shmring_wake_always(&receiver->waiter);
        shmring_spsc_detach_consumer(&receiver->consumer);
    }
    shmring_waiter_close(&receiver->waiter);
    shmring_segment_close(&receiver->segment);
    memset(receiver, 0, sizeof *receiver);
}

static int receiver_error(void *call)
{
    shmring_receiver *receiver = call;

    /* What peek gave back may be what the sender sleeps for. */
    shmring_wake(&receiver->waiter);
    return receiver->consumer.side.error;
}

static bool receiver_attempt(void *call)
{
    shmring_receiver *receiver = call;

    return shmring_spsc_has_record(&receiver->consumer);
}

static bool receiver_has_news(void *call)
{
    const shmring_receiver *receiver = call;

    return shmring_spsc_peer_left(&receiver->consumer.side);
}

/* Has the sender come to its end, and do we have all that it sent? Says so once. */
static int receiver_end(void *call, bool *ret_done)
{
    shmring_receiver *receiver = call;
    shmring_spsc_side *side = &receiver->consumer.side;
    uint32_t session = 0;
    int end = receiver->is_link ? channel_link_end(side, receiver->socket)
                                : shmring_spsc_peer(side, &session);

    if (end == 0 || end == -ENOTCONN)
        return 0;
    *ret_done = shmring_spsc_has_record(&receiver->consumer);
    if (*ret_done)
        return 0;
    if (!receiver->is_link && (end == -EPIPE || end == -EOWNERDEAD))
        shmring_spsc_peer_ended(side, session);
    return end;
}

/* There is a message: more of them at once are cheaper. The position at which that is so. */
static uint64_t gather_to(const shmring_receiver *receiver)
{
    const shmring_spsc_consumer *consumer = &receiver->consumer;
    uint64_t half = consumer->side.capacity / 2;
    /* relaxed: has_record() has seen it before. */
    uint64_t header = shmring_load64_relaxed(
        (const shmring_word64 *)(const void *)(consumer->side.data +
                                               (consumer->read_pos & consumer->side.mask)));
    uint64_t size =
        receiver->gather_count * shmring_spsc_record_size(header & SHMRING_RECORD_LENGTH_MASK);

    return consumer->read_pos + (size < half ? size : half);
}

static bool receiver_may_sleep(shmring_receiver *receiver)
{
    return !shmring_spsc_peer_left(&receiver->consumer.side) &&
           receiver->consumer.side.error == 0 && !blocking_is_cancelled(&receiver->pace);
}

/* The second sleep of a wait, for throughput. How it ends is all the same. */
static void gather(shmring_receiver *receiver, int64_t deadline)
{
    int64_t until = shmring_deadline(receiver->gather_ns);
    uint64_t wake_at = gather_to(receiver);

    until = until < deadline ? until : deadline;
    uint32_t ticket = shmring_wait_arm(&receiver->waiter, wake_at);

    /* relaxed: the fence of arm orders it. */
    if ((int64_t)(shmring_load64_relaxed(&receiver->waiter.peer->pos) - wake_at) < 0 &&
        receiver_may_sleep(receiver))
        shmring_wait_sleep(&receiver->waiter, ticket, until);
    shmring_wait_disarm(&receiver->waiter);
}

static int receiver_sleep(void *call, int64_t deadline, bool *ret_done)
{
    shmring_receiver *receiver = call;
    shmring_spsc_consumer *consumer = &receiver->consumer;
    uint32_t ticket = shmring_wait_arm(&receiver->waiter, consumer->read_pos + 1);
    int error = 0;

    if (!shmring_spsc_has_record(consumer) && receiver_may_sleep(receiver))
        error = shmring_wait_sleep(&receiver->waiter, ticket, deadline);
    else if (shmring_clock() >= deadline) /* also if the peer keeps us from sleeping for ever */
        error = -ETIMEDOUT;
    shmring_wait_disarm(&receiver->waiter);
    *ret_done = shmring_spsc_has_record(consumer);
    /* relaxed: a sender that sleeps for room would not send more. */
    if (*ret_done && error == 0 && receiver->gather_ns != 0 &&
        shmring_load64_relaxed(&receiver->waiter.peer->wake_at) == 0)
        gather(receiver, deadline);
    return error;
}

static const struct blocking_call receiving = {
    .error = receiver_error,
    .attempt = receiver_attempt,
    .has_news = receiver_has_news,
    .end = receiver_end,
    .sleep = receiver_sleep,
};

/* Nothing is there, and the caller goes back to its poll(): the next message must ring. */
static bool arm_for_poll(shmring_receiver *receiver)
{
    shmring_wait_arm(&receiver->waiter, receiver->consumer.read_pos + 1);
    bool ready = shmring_spsc_has_record(&receiver->consumer);

    if (ready || !receiver_may_sleep(receiver))
        shmring_bell_ring(&receiver->waiter.bell, false);
    return ready;
}

static int receiver_wait(shmring_receiver *receiver, int64_t deadline)
{
    if (receiver->is_polled && deadline <= SHMRING_NOW)
        blocking_poll_by_clock(&receiver->pace);
    int error =
        blocking_wait(&receiving, receiver, &receiver->pace, &receiver->waiter.peer->pos, deadline);

    if (!receiver->is_polled)
        return error;
    if (error == -ETIMEDOUT && arm_for_poll(receiver))
        return 0;
    /* Who rings a socket is at its other end: an end that is there already is told at once. */
    if (error == -ETIMEDOUT && receiver->is_link &&
        (!receiver_may_sleep(receiver) || bell_socket_hung_up(receiver->socket))) {
        blocking_ask_next(&receiver->pace);
        return blocking_wait(&receiving, receiver, &receiver->pace, NULL, SHMRING_NOW);
    }
    if (error == -ETIMEDOUT)
        return error;
    /* What was waited for may have been armed for, and the bell cleared. */
    shmring_bell_ring(&receiver->waiter.bell, false);
    return error;
}

int shmring_receiver_fd(shmring_receiver *receiver)
{
    if (receiver->consumer.side.own == NULL || receiver->waiter.bell.fd < 0)
        return -EOPNOTSUPP;
    /* It may have been cleared: the first poll ends at once, and the call after that arms. */
    receiver->is_polled = true;
    shmring_bell_ring(&receiver->waiter.bell, false);
    return receiver->waiter.bell.fd;
}

void shmring_receiver_cancel(shmring_receiver *receiver)
{
    blocking_cancel(&receiver->pace);
    shmring_bell_ring(&receiver->waiter.bell, false);
}

void shmring_receiver_resume(shmring_receiver *receiver)
{
    blocking_resume(&receiver->pace);
}

void shmring_receiver_flush(shmring_receiver *receiver)
{
    shmring_spsc_flush(&receiver->consumer);
    shmring_wake(&receiver->waiter);
}

int shmring_receiver_peek_wait(shmring_receiver *receiver, int64_t deadline,
                               const void **ret_message, uint64_t *ret_length, uint32_t *ret_type)
{
    const void *message = NULL;

    /* What came may be no message, but the skip before one. */
    while (message == NULL) {
        int error = receiver_wait(receiver, deadline);

        if (error != 0)
            return error;
        message = shmring_spsc_peek(&receiver->consumer, ret_length, ret_type);
    }
    *ret_message = message;
    return 0;
}

int shmring_receiver_recv_wait(shmring_receiver *receiver, void *buffer, uint64_t buffer_size,
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

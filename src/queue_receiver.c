/* SPDX-License-Identifier: MIT */
#include "bell_backends.h"
#include "blocking.h"
#include "channel_open.h"
#include "queue_ends.h"

#include <errno.h>
#include <string.h>

static int open_receiver(shmring_queue_receiver *receiver, const char *name,
                         const shmring_channel_fds *fds, const shmring_channel_options *options)
{
    struct open_ring ring;
    shmring_queue_receiver opened = {0};
    int error = channel_open(&ring, name, fds, SHMRING_KIND_MPMC, options);

    if (error != 0)
        return error;
    uint32_t died = queue_ends_died(ring.segment.base, &ring.geometry, SHMRING_ROLE_PRODUCER);

    opened.segment = ring.segment;
    opened.pace.policy = ring.options.wait;
    opened.gather_count = ring.options.gather_count;
    opened.gather_ns = ring.options.gather_ns;
    error = shmring_event_open(&opened.messages, ring.segment.base, &ring.geometry,
                               SHMRING_FOR_MESSAGES, &ring.place);
    if (error == 0)
        error = shmring_event_open(&opened.room, ring.segment.base, &ring.geometry,
                                   SHMRING_FOR_ROOM, &ring.place);
    if (error == 0)
        error = shmring_mpmc_attach_consumer(&opened.consumer, ring.segment.base, &ring.geometry,
                                             ring.segment.fd);
    if (error != 0) {
        shmring_queue_receiver_close(&opened);
        return error;
    }
    shmring_mpmc_side *side = &opened.consumer.side;
    uint32_t unburied;

    /* In that order: who comes after the counts were read is news by itself. */
    queue_ends_begin(&opened.ends, side, SHMRING_ROLE_PRODUCER, died);
    if (shmring_mpmc_used_guess(side) != 0 ||
        queue_ends_is_attended(side, SHMRING_ROLE_PRODUCER, &unburied) != 0 || unburied != 0)
        queue_ends_expect(&opened.ends);
    /* Attaching buries the dead, who may have left something. */
    shmring_event_pass(&opened.messages);
    shmring_event_pass(&opened.room);
    *receiver = opened;
    return 0;
}

int shmring_queue_receiver_open(shmring_queue_receiver *receiver, const char *name,
                                const shmring_channel_options *options)
{
    return open_receiver(receiver, name, NULL, options);
}

int shmring_queue_receiver_open_fds(shmring_queue_receiver *receiver,
                                    const shmring_channel_fds *fds,
                                    const shmring_channel_options *options)
{
    return open_receiver(receiver, NULL, fds, options);
}

void shmring_queue_receiver_close(shmring_queue_receiver *receiver)
{
    if (receiver->consumer.side.entries != NULL) {
        shmring_mpmc_detach_consumer(&receiver->consumer);
        /* What was held is a message again, or room; a ring that we were woken by is another's. */
        shmring_event_wake_all(&receiver->messages);
        shmring_event_pass(&receiver->room);
    }
    shmring_event_close(&receiver->messages);
    shmring_event_close(&receiver->room);
    shmring_segment_close(&receiver->segment);
    memset(receiver, 0, sizeof *receiver);
}

/* A receiver that wants a message, or a copy of one. */
struct taking {
    shmring_queue_receiver *receiver;
    shmring_mpmc_slot *slot;
    enum shmring_mpmc_wish wish;
    uint32_t type;
    bool copies;
    void *buffer;
    uint32_t buffer_size;
    bool is_armed; /* with ticket, and has looked in vain since */
    uint32_t ticket;
    int result; /* of the copy */
};

static bool take(struct taking *taking)
{
    shmring_mpmc_consumer *consumer = &taking->receiver->consumer;

    if (taking->copies) {
        taking->result =
            shmring_mpmc_recv(consumer, taking->buffer, taking->buffer_size, taking->slot);
        return taking->result != -EAGAIN;
    }
    if (taking->wish == SHMRING_TAKE_ANY)
        return shmring_mpmc_take(consumer, taking->slot);
    return shmring_mpmc_take_by(consumer, taking->wish, taking->type, taking->slot);
}

static int taking_error(void *call)
{
    const struct taking *taking = call;
    shmring_queue_receiver *receiver = taking->receiver;

    /* Senders that wait for half a ring may wait for what we release no more. */
    if (receiver->has_released)
        shmring_event_pass(&receiver->room);
    receiver->has_released = false;
    return shmring_mpmc_error(&receiver->consumer.side);
}

static bool taking_attempt(void *call)
{
    return take(call);
}

static bool taking_has_news(void *call)
{
    const struct taking *taking = call;

    return queue_ends_has_news(&taking->receiver->ends, &taking->receiver->consumer.side,
                               SHMRING_ROLE_PRODUCER);
}

static int taking_end(void *call, bool *ret_done)
{
    struct taking *taking = call;
    shmring_queue_receiver *receiver = taking->receiver;
    shmring_queue_ends now;
    bool buried;
    int end = queue_ends_look(&receiver->ends, &receiver->consumer.side, SHMRING_ROLE_PRODUCER,
                              &now, &buried);

    if (buried)
        queue_ends_wake(&receiver->messages, &receiver->room);
    if (end != -EPIPE && end != -EOWNERDEAD)
        return end;
    /* Once more: they may have sent something since we looked, and then gone. */
    *ret_done = take(taking);
    if (*ret_done) {
        receiver->ends.left--; /* it is still news */
        return 0;
    }
    queue_ends_told(&receiver->ends, &now);
    return end;
}

/* There is a message: more of them at once are cheaper. How that ends is all the same. Meanwhile
 * nobody else is woken for them. */
static void gather(shmring_queue_receiver *receiver, int64_t deadline)
{
    uint64_t half = (receiver->consumer.side.mask + 1) / 2;
    uint64_t count = receiver->gather_count < half ? receiver->gather_count : half;
    uint64_t end = receiver->consumer.head_pos + count;
    int64_t until = shmring_deadline(receiver->gather_ns);
    uint32_t ticket = shmring_event_arm(&receiver->messages, end);
    /* [mpmc.E] pairs with [mpmc.F] */
    uint64_t word = shmring_load64_acquire(shmring_mpmc_word(&receiver->consumer.side, end - 1));

    if (shmring_mpmc_ahead(&receiver->consumer.side, end - 1, word) < 0 &&
        !blocking_is_cancelled(&receiver->pace))
        shmring_event_sleep(&receiver->messages, ticket, until < deadline ? until : deadline);
}

/* Nobody could wake all who choose: each looks by itself. */
static int nap(shmring_queue_receiver *receiver, int64_t deadline)
{
    if (shmring_clock() >= deadline)
        return -ETIMEDOUT;
    receiver->messages.sleeps++;
    return bell_nap(deadline);
}

/* Arms, and looks. Whoever leaves a message behind passes the baton: what arming may have taken
 * from others, or what it was woken by, is theirs. */
static bool arm_and_take(struct taking *taking)
{
    shmring_queue_receiver *receiver = taking->receiver;
    bool picky = taking->wish != SHMRING_TAKE_ANY;

    taking->ticket = shmring_event_arm(&receiver->messages,
                                       SHMRING_EVENT_ANY | (picky ? SHMRING_EVENT_PICKY : 0));
    taking->is_armed = !take(taking);
    if (!taking->is_armed && (taking->result != 0 || queue_has_message_guess(&receiver->consumer)))
        shmring_event_pass(&receiver->messages);
    return !taking->is_armed;
}

static int taking_sleep(void *call, int64_t deadline, bool *ret_done)
{
    struct taking *taking = call;
    shmring_queue_receiver *receiver = taking->receiver;

    if (taking->wish != SHMRING_TAKE_ANY && !shmring_event_wakes_all(&receiver->messages)) {
        int error = nap(receiver, deadline);

        *ret_done = take(taking);
        return error;
    }
    if (!taking->is_armed && arm_and_take(taking)) {
        *ret_done = true;
        return 0;
    }
    taking->is_armed = false;
    if (taking_has_news(call) || blocking_is_cancelled(&receiver->pace))
        return shmring_clock() >= deadline ? -ETIMEDOUT : 0;
    int error = shmring_event_sleep(&receiver->messages, taking->ticket, deadline);

    if (error == 0 && receiver->gather_ns != 0 && queue_has_message_guess(&receiver->consumer))
        gather(receiver, deadline);
    *ret_done = arm_and_take(taking);
    return error;
}

static const struct blocking_call taking_call = {
    .error = taking_error,
    .attempt = taking_attempt,
    .has_news = taking_has_news,
    .end = taking_end,
    .sleep = taking_sleep,
};

/* Nothing is there, and the caller goes back to its poll(): the next message must ring. (Not for
 * those who choose: what they leave is for others, who would not see the eventfd any more.) */
static bool arm_for_poll(struct taking *taking)
{
    shmring_queue_receiver *receiver = taking->receiver;

    if (taking->wish != SHMRING_TAKE_ANY)
        return false;
    bool ready = arm_and_take(taking);

    if (ready || taking_has_news(taking) || blocking_is_cancelled(&receiver->pace))
        shmring_bell_ring(&receiver->messages.bell, true);
    return ready;
}

static int take_or_wait(struct taking *taking, int64_t deadline)
{
    shmring_queue_receiver *receiver = taking->receiver;
    int error = 0;

    if (!take(taking)) {
        if (receiver->is_polled && deadline <= SHMRING_NOW)
            blocking_poll_by_clock(&receiver->pace);
        error = blocking_wait(&taking_call, taking, &receiver->pace, NULL, deadline);
        if (receiver->is_polled && error == -ETIMEDOUT)
            error = arm_for_poll(taking) ? 0 : error;
        else if (receiver->is_polled)
            shmring_bell_ring(&receiver->messages.bell, true);
    }
    if (error != 0)
        return error;
    receiver->pace.done += taking->result == 0;
    return taking->result;
}

int shmring_queue_take(shmring_queue_receiver *receiver, int64_t deadline,
                       shmring_mpmc_slot *ret_slot)
{
    struct taking taking = {.receiver = receiver, .slot = ret_slot};

    return take_or_wait(&taking, deadline);
}

int shmring_queue_take_by(shmring_queue_receiver *receiver, enum shmring_mpmc_wish wish,
                          uint32_t type, int64_t deadline, shmring_mpmc_slot *ret_slot)
{
    struct taking taking = {.receiver = receiver, .slot = ret_slot, .wish = wish, .type = type};

    return take_or_wait(&taking, deadline);
}

int shmring_queue_recv(shmring_queue_receiver *receiver, void *buffer, uint32_t buffer_size,
                       shmring_mpmc_slot *ret_slot, int64_t deadline)
{
    struct taking taking = {.receiver = receiver,
                            .slot = ret_slot,
                            .copies = true,
                            .buffer = buffer,
                            .buffer_size = buffer_size};
    int error = take_or_wait(&taking, deadline);

    /* The slot is given back already: senders may sleep for it. */
    if (error == 0)
        shmring_event_wake(&receiver->room, receiver->consumer.head_pos);
    receiver->has_released |= error == 0;
    return error;
}

void shmring_queue_receiver_cancel(shmring_queue_receiver *receiver)
{
    blocking_cancel(&receiver->pace);
    shmring_event_wake_all(&receiver->messages);
}

void shmring_queue_receiver_resume(shmring_queue_receiver *receiver)
{
    blocking_resume(&receiver->pace);
}

int shmring_queue_receiver_fd(shmring_queue_receiver *receiver)
{
    if (receiver->consumer.side.entries == NULL || receiver->messages.bell.fd < 0)
        return -EOPNOTSUPP;
    receiver->is_polled = true;
    shmring_bell_ring(&receiver->messages.bell, true);
    return receiver->messages.bell.fd;
}

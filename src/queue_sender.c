/* SPDX-License-Identifier: MIT */
#include "blocking.h"
#include "channel_open.h"
#include "queue_ends.h"

#include <errno.h>
#include <string.h>

static int open_sender(shmring_queue_sender *sender, const char *name,
                       const shmring_channel_fds *fds, const shmring_channel_options *options)
{
    struct open_ring ring;
    shmring_queue_sender opened = {0};
    int error = channel_open(&ring, name, fds, SHMRING_KIND_MPMC, options);

    if (error != 0)
        return error;
    uint32_t died = queue_ends_died(ring.segment.base, &ring.geometry, SHMRING_ROLE_CONSUMER);

    opened.segment = ring.segment;
    opened.pace.policy = ring.options.wait;
    error = shmring_event_open(&opened.messages, ring.segment.base, &ring.geometry,
                               SHMRING_FOR_MESSAGES, &ring.place);
    if (error == 0)
        error = shmring_event_open(&opened.room, ring.segment.base, &ring.geometry,
                                   SHMRING_FOR_ROOM, &ring.place);
    if (error == 0)
        error = shmring_mpmc_attach_producer(&opened.producer, ring.segment.base, &ring.geometry,
                                             ring.segment.fd);
    if (error != 0) {
        shmring_queue_sender_close(&opened);
        return error;
    }
    queue_ends_begin(&opened.ends, &opened.producer.side, SHMRING_ROLE_CONSUMER, died);
    queue_ends_expect(&opened.ends);
    /* Attaching buries the dead, who may have left something. */
    shmring_event_pass(&opened.messages);
    shmring_event_pass(&opened.room);
    *sender = opened;
    return 0;
}

int shmring_queue_sender_open(shmring_queue_sender *sender, const char *name,
                              const shmring_channel_options *options)
{
    return open_sender(sender, name, NULL, options);
}

int shmring_queue_sender_open_fds(shmring_queue_sender *sender, const shmring_channel_fds *fds,
                                  const shmring_channel_options *options)
{
    return open_sender(sender, NULL, fds, options);
}

void shmring_queue_sender_close(shmring_queue_sender *sender)
{
    if (sender->producer.side.entries != NULL) {
        shmring_mpmc_detach_producer(&sender->producer);
        /* Receivers may sleep for a message, and there may be none any more; and what was still
         * claimed is room. */
        shmring_event_wake_all(&sender->messages);
        shmring_event_pass(&sender->room);
    }
    shmring_event_close(&sender->messages);
    shmring_event_close(&sender->room);
    shmring_segment_close(&sender->segment);
    memset(sender, 0, sizeof *sender);
}

/* A sender that wants a slot. */
struct claiming {
    shmring_queue_sender *sender;
    shmring_mpmc_slot *slot;
    bool is_armed; /* with ticket, and has looked in vain since */
    uint32_t ticket;
};

static int claiming_error(void *call)
{
    const struct claiming *claiming = call;

    return shmring_mpmc_error(&claiming->sender->producer.side);
}

static bool claiming_attempt(void *call)
{
    const struct claiming *claiming = call;

    return shmring_mpmc_claim(&claiming->sender->producer, claiming->slot);
}

static bool claiming_has_news(void *call)
{
    (void)call;
    return false;
}

/* Full, and all receivers are dead? Those that left may have successors: that is no end. */
static int claiming_end(void *call, bool *ret_done)
{
    const struct claiming *claiming = call;
    shmring_queue_sender *sender = claiming->sender;
    shmring_queue_ends now;
    bool buried;

    *ret_done = false;
    int end = queue_ends_look(&sender->ends, &sender->producer.side, SHMRING_ROLE_CONSUMER, &now,
                              &buried);

    if (buried)
        queue_ends_wake(&sender->messages, &sender->room);
    if (end != -EOWNERDEAD)
        return end == -EPIPE ? 0 : end;
    queue_ends_told(&sender->ends, &now);
    return end;
}

/* One wake for half a ring of free slots, judged by the oldest that is in use. If it is not
 * messages that fill the ring, but slots that are held, then any will do. */
static uint64_t room_at(const shmring_mpmc_producer *producer)
{
    uint64_t slots = producer->side.mask + 1;
    shmring_mpmc_look look = shmring_mpmc_look_at(&producer->side, producer->tail_pos);

    if (look.ahead != -1 || look.state != SHMRING_SLOT_READY || producer->tail_pos < slots)
        return SHMRING_EVENT_ANY;
    return producer->tail_pos - slots + slots / 2;
}

/* Arms, and looks. Others may sleep for the rest of the room: the baton. */
static bool arm_and_claim(struct claiming *claiming)
{
    shmring_queue_sender *sender = claiming->sender;

    claiming->ticket = shmring_event_arm(&sender->room, room_at(&sender->producer));
    claiming->is_armed = !shmring_mpmc_claim(&sender->producer, claiming->slot);
    if (!claiming->is_armed)
        shmring_event_pass(&sender->room);
    return !claiming->is_armed;
}

static int claiming_sleep(void *call, int64_t deadline, bool *ret_done)
{
    struct claiming *claiming = call;
    shmring_queue_sender *sender = claiming->sender;

    if (!claiming->is_armed && arm_and_claim(claiming)) {
        *ret_done = true;
        return 0;
    }
    claiming->is_armed = false;
    if (blocking_is_cancelled(&sender->pace))
        return 0;
    int error = shmring_event_sleep(&sender->room, claiming->ticket, deadline);

    *ret_done = arm_and_claim(claiming);
    return error;
}

static const struct blocking_call claiming_call = {
    .error = claiming_error,
    .attempt = claiming_attempt,
    .has_news = claiming_has_news,
    .end = claiming_end,
    .sleep = claiming_sleep,
};

int shmring_queue_claim(shmring_queue_sender *sender, int64_t deadline,
                        shmring_mpmc_slot *ret_slot)
{
    struct claiming claiming = {.sender = sender, .slot = ret_slot};

    if (shmring_mpmc_claim(&sender->producer, ret_slot))
        return 0;
    return blocking_wait(&claiming_call, &claiming, &sender->pace, NULL, deadline);
}

int shmring_queue_abort(shmring_queue_sender *sender, shmring_mpmc_slot *slot)
{
    int error = shmring_mpmc_abort(&sender->producer, slot);

    if (error == 0)
        shmring_event_pass(&sender->room);
    return error;
}

int shmring_queue_send(shmring_queue_sender *sender, const void *message, uint32_t length,
                       uint32_t type, int64_t deadline)
{
    shmring_mpmc_slot slot;

    if (length > shmring_mpmc_slot_size(&sender->producer.side))
        return -EMSGSIZE;
    int error = shmring_queue_claim(sender, deadline, &slot);

    if (error != 0)
        return error;
    if (length != 0)
        memcpy(slot.data, message, length);
    return shmring_queue_commit(sender, &slot, length, type);
}

void shmring_queue_sender_cancel(shmring_queue_sender *sender)
{
    blocking_cancel(&sender->pace);
    shmring_event_wake_all(&sender->room);
}

void shmring_queue_sender_resume(shmring_queue_sender *sender)
{
    blocking_resume(&sender->pace);
}

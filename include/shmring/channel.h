/* SPDX-License-Identifier: MIT */
/*
 * What most programs use: segment, ring, role and waiting under one handle. A sender and a
 * receiver of messages that meet by a name.
 *
 *   shmring_sender tx = {0};                        shmring_receiver rx = {0};
 *   shmring_sender_open(&tx, "ticks", NULL);        shmring_receiver_open(&rx, "ticks", NULL);
 *   shmring_sender_send(&tx, &t, sizeof t, 0,       shmring_receiver_recv(&rx, &t, sizeof t, NULL,
 *                       SHMRING_NEVER);                                   NULL, SHMRING_NEVER);
 *   shmring_sender_close(&tx);                      shmring_receiver_close(&rx);
 *
 * A channel behaves like a pipe with a name that keeps its messages: it stays until
 * shmring_channel_unlink(); a sender needs no waiting receiver; when senders come and go one after
 * the other, the receiver sees one stream. It learns that the stream has ended (-EPIPE) or broken
 * (-EOWNERDEAD) after it has got every message. An end is reported at most once, and not at all
 * if a successor is there before anyone noticed: then the stream simply goes on.
 *
 * What a receiver releases is given back a little later: when an eighth of the ring (16 KiB at
 * most) has gathered, when it finds the ring empty, when the sender sleeps for room, at flush and
 * at close. What is not given back is delivered again if the receiver dies. So call flush after
 * messages that must not come twice, and before waiting for something else than this channel.
 *
 * Handles are the caller's memory, private to the process, used by one thread at a time, and not
 * to be copied or used in a child after fork(). Nothing is allocated. Calls are not
 * async-signal-safe, but for those that say so.
 */
#ifndef SHMRING_CHANNEL_H
#define SHMRING_CHANNEL_H

#include "shmring/segment.h"
#include "shmring/spsc.h"
#include "shmring/wait.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* How wake-ups are ordered, see wait.h. The creator's choice. */
enum shmring_fence {
    SHMRING_FENCE_DEFAULT = 0, /* light where the kernel has it */
    SHMRING_FENCE_SYMMETRIC,
    SHMRING_FENCE_LIGHT,
};

/* Of a channel or a queue. Set size to sizeof(the struct), all else to 0 for the defaults.
 * What is set without the size is -EINVAL. */
typedef struct shmring_channel_options {
    size_t size;
    /* Creating: bytes, a power of two; 0: 4 MiB. Of a queue: slots, a power of two; 0: 4096. */
    uint64_t capacity;
    enum shmring_wait_policy wait;   /* how this handle waits; default: block */
    bool create;                     /* opening: create it first if it is missing */
    shmring_segment_options segment; /* its own size must be set too, or 0 for the defaults */
    /* Creating: what is slept on (layout.h), and the fences. All who open it get the same. */
    enum shmring_backend backend;
    enum shmring_fence fence;
    /*
     * Receiving: for throughput. A receiver that was woken for a message sleeps on until about
     * gather_count messages are there (judged by the length of the first), or half of the ring, or
     * gather_ns have passed; so it is woken for many at once, and a message may be so much late.
     * (Of a queue: also for other receivers, which are not woken meanwhile.) Both 0: at once;
     * one without the other is -EINVAL. gather_ns at most SHMRING_GATHER_NS_MAX.
     */
    uint32_t gather_count;
    /* Creating a queue: room for a message, bytes; 0: 256. */
    uint32_t slot_size;
    int64_t gather_ns;
    /* Creating a queue: see SHMRING_OPTION_REDELIVER. */
    bool redeliver;
} shmring_channel_options;

#define SHMRING_CHANNEL_CAPACITY (UINT64_C(4) << 20)
#define SHMRING_QUEUE_SLOTS UINT64_C(4096)
#define SHMRING_QUEUE_SLOT_SIZE 256
#define SHMRING_GATHER_NS_MAX SHMRING_WAIT_CAP_NS

/* A ring without a name: its descriptors, for children or to be passed along. bells: eventfds, by
 * enum shmring_direction, or -1. All are close-on-exec; they belong to the caller. */
typedef struct shmring_channel_fds {
    int segment;
    int bells[2];
} shmring_channel_fds;

typedef struct shmring_sender {
    shmring_segment segment;
    shmring_spsc_producer producer;
    shmring_waiter waiter;
    shmring_pace pace;
    bool is_link; /* one half of a link (link.h), which has the memory, and this socket */
    int socket;
} shmring_sender;

typedef struct shmring_receiver {
    shmring_segment segment;
    shmring_spsc_consumer consumer;
    shmring_waiter waiter;
    shmring_pace pace;
    uint32_t gather_count;
    int64_t gather_ns;
    bool is_polled; /* its descriptor was asked for */
    bool is_link;   /* as above */
    int socket;
} shmring_receiver;

/* Creates the channel. options may be NULL. Returns 0, or -EINVAL for the options, or as from
 * shmring_segment_create(), shmring_segment_publish() and shmring_bells_create(), with nothing left
 * behind. */
int shmring_channel_create(const char *name, const shmring_channel_options *options);

/* The same without a name. */
int shmring_channel_create_fds(shmring_channel_fds *ret_fds,
                               const shmring_channel_options *options);
/* Closes those that are not -1, and sets them to -1. Channels that were opened stay open. */
void shmring_channel_close_fds(shmring_channel_fds *fds);

/* Removes the name of a channel or queue, and the semaphores that belong to it (of another user's
 * only with set_owner, for it looks into the ring). options may be NULL. Those who have it open
 * keep it (but those who sleep on a System V semaphore that was removed get -EIDRM). Returns 0;
 * -EMFILE, -ENFILE, -ENOMEM, with nothing removed: it has to look at the ring to find them; or as
 * from shmring_segment_unlink(). */
int shmring_channel_unlink(const char *name, const shmring_segment_options *options);

/* Opens the channel and takes the role. options may be NULL. Returns 0, or, with the handle
 * untouched, -EPROTOTYPE (the ring is of another kind, or holds elements), -EBUSY (a living sender
 * or receiver has the role), or as from shmring_segment_open(), shmring_spsc_attach_producer(),
 * shmring_waiter_open() and, with create, from shmring_channel_create(). */
int shmring_sender_open(shmring_sender *sender, const char *name,
                        const shmring_channel_options *options);
int shmring_receiver_open(shmring_receiver *receiver, const char *name,
                          const shmring_channel_options *options);

/* The same by descriptors, which are not kept. Errors of shmring_segment_open_fd() too. */
int shmring_sender_open_fds(shmring_sender *sender, const shmring_channel_fds *fds,
                            const shmring_channel_options *options);
int shmring_receiver_open_fds(shmring_receiver *receiver, const shmring_channel_fds *fds,
                              const shmring_channel_options *options);

/* Ends the stream (of a sender: after all that was committed) and gives the role back. A zeroed or
 * closed handle is ignored. */
void shmring_sender_close(shmring_sender *sender);
void shmring_receiver_close(shmring_receiver *receiver);

/*
 * The calls below wait until deadline (absolute, see clock.h) where they must, and return
 *   0
 *   -ETIMEDOUT   the deadline has passed; with SHMRING_NOW: full, or nothing there
 *   -EINTR       a signal handler ran while it slept (never while it spins; one that ran just
 *                before goes unnoticed: let the handler call cancel, or set deadlines)
 *   -ECANCELED   cancel was called, and there is nothing to do but to wait
 *   -EMSGSIZE    longer than shmring_spsc_max_message(); or than the receiver's buffer: it stays
 *                the next one (peek and release go past it)
 *   -EOWNERDEAD  sending: full, and the receiver died; receiving: empty, and the sender died.
 *                Calling again waits for a successor. With SHMRING_NOW it takes some hundred calls
 *                in vain to notice, with SHMRING_WAIT_SPIN 10 ms, else 200 ms, in one call or in
 *                many that are shorter or interrupted
 *   -EPIPE       receiving: empty, and the sender has closed. Once for each sender
 *   -EBADMSG     the other side broke the rules; for good
 *   -EIDRM       somebody removed the System V semaphore that is slept on
 *   -ENOSYS      the kernel, or a seccomp filter that came later, refuses to let it sleep
 * Outputs are written on 0 only (and *ret_length with a -EMSGSIZE of recv).
 */

/* What the calls below do where they must wait, or fail. Same arguments, same results. */
int shmring_sender_reserve_wait(shmring_sender *sender, uint64_t length, int64_t deadline,
                                void **ret_place);
int shmring_sender_send_wait(shmring_sender *sender, const void *message, uint64_t length,
                             uint32_t type, int64_t deadline);
int shmring_receiver_peek_wait(shmring_receiver *receiver, int64_t deadline,
                               const void **ret_message, uint64_t *ret_length, uint32_t *ret_type);
int shmring_receiver_recv_wait(shmring_receiver *receiver, void *buffer, uint64_t buffer_size,
                               uint64_t *ret_length, uint32_t *ret_type, int64_t deadline);

/* A place for a message of up to length bytes, 8-aligned; commit sends the first length bytes of
 * it, which must not be more. A new reserve replaces an open one. */
SHMRING_HOT inline int shmring_sender_reserve(shmring_sender *sender, uint64_t length,
                                              int64_t deadline, void **ret_place)
{
    void *place = shmring_spsc_reserve(&sender->producer, length);

    if (__builtin_expect(place == NULL, false))
        return shmring_sender_reserve_wait(sender, length, deadline, ret_place);
    *ret_place = place;
    return 0;
}

/* Sends what was reserved, of that length and type. False, and nothing done: nothing is reserved,
 * or less than length. */
SHMRING_HOT inline bool shmring_sender_commit(shmring_sender *sender, uint64_t length,
                                              uint32_t type)
{
    if (__builtin_expect(!shmring_spsc_commit(&sender->producer, length, type), false))
        return false;
    sender->pace.done++;
    shmring_wake(&sender->waiter);
    return true;
}

/* Copies a message in and sends it. */
SHMRING_HOT inline int shmring_sender_send(shmring_sender *sender, const void *message,
                                           uint64_t length, uint32_t type, int64_t deadline)
{
    void *place = shmring_spsc_reserve(&sender->producer, length);

    if (__builtin_expect(place == NULL, false))
        return shmring_sender_send_wait(sender, message, length, type, deadline);
    if (length != 0)
        memcpy(place, message, (size_t)length);
    shmring_sender_commit(sender, length, type);
    return 0;
}

/* The next message, in place; it stays until release. ret_type may be NULL. */
SHMRING_HOT inline int shmring_receiver_peek(shmring_receiver *receiver, int64_t deadline,
                                             const void **ret_message, uint64_t *ret_length,
                                             uint32_t *ret_type)
{
    const void *message = shmring_spsc_peek(&receiver->consumer, ret_length, ret_type);

    if (__builtin_expect(message == NULL, false))
        return shmring_receiver_peek_wait(receiver, deadline, ret_message, ret_length, ret_type);
    *ret_message = message;
    return 0;
}

/* After release: what was released is given back now, and to no successor of this receiver again.
 * Else that is put off until some of it has gathered, or the ring is found empty. */
void shmring_receiver_flush(shmring_receiver *receiver);

/* Goes past the peeked message, if any, and gives its memory back, mostly a little later. */
SHMRING_HOT inline void shmring_receiver_release(shmring_receiver *receiver)
{
    shmring_spsc_consumer *consumer = &receiver->consumer;
    uint64_t flush_at = consumer->flush_at; /* moves with each flush */

    receiver->pace.done += consumer->next_pos != consumer->read_pos;
    shmring_spsc_release(consumer);
    /* relaxed: a sender that sleeps for room shall not wait until enough has gathered. */
    if (__builtin_expect(shmring_load64_relaxed(&receiver->waiter.peer->wake_at) != 0, false))
        shmring_receiver_flush(receiver);
    else if (__builtin_expect(consumer->flush_at != flush_at, false))
        shmring_wake(&receiver->waiter);
}

/* Copies the next message out and releases it. ret_length and ret_type may be NULL. */
SHMRING_HOT inline int shmring_receiver_recv(shmring_receiver *receiver, void *buffer,
                                             uint64_t buffer_size, uint64_t *ret_length,
                                             uint32_t *ret_type, int64_t deadline)
{
    uint64_t length = 0;
    uint32_t type = 0;
    const void *message = shmring_spsc_peek(&receiver->consumer, &length, &type);

    if (__builtin_expect(message == NULL || length > buffer_size, false))
        return shmring_receiver_recv_wait(receiver, buffer, buffer_size, ret_length, ret_type,
                                          deadline);
    if (buffer_size != 0)
        memcpy(buffer, message, (size_t)length);
    if (ret_length != NULL)
        *ret_length = length;
    if (ret_type != NULL)
        *ret_type = type;
    shmring_receiver_release(receiver);
    return 0;
}

/* What a handle has done since it was opened, for monitoring and for tuning. */
typedef struct shmring_stats {
    uint64_t messages;   /* sent, or released; from a queue: taken */
    uint64_t used_guess; /* in the ring just now: bytes; of a queue: messages. Stale at once */
    uint64_t capacity;   /* the most of that */
    uint64_t sleeps;     /* times that it lay down in the kernel; not in shmring_poll() */
    uint64_t wakes;      /* times that it woke somebody by a system call; not by cancel */
} shmring_stats;

/* By the handle's own thread. What was released and not given back yet is in the ring still. Of a
 * handle that is zeroed or closed all is 0. Does not call the kernel. */
void shmring_sender_stats(const shmring_sender *sender, shmring_stats *ret_stats);
void shmring_receiver_stats(const shmring_receiver *receiver, shmring_stats *ret_stats);

/*
 * From now on calls of this handle that would wait return -ECANCELED, also one that is waiting: at
 * once, or, if it is just falling asleep, within SHMRING_WAIT_CAP_NS. For any thread, while the
 * handle is open; async-signal-safe. Of a handle that is zeroed, or that the thread itself has
 * closed or is closing, it is ignored: a handler can stay in place to the end of the process.
 * resume, by the handle's own thread, undoes it.
 */
void shmring_sender_cancel(shmring_sender *sender);
void shmring_receiver_cancel(shmring_receiver *receiver);
void shmring_sender_resume(shmring_sender *sender);
void shmring_receiver_resume(shmring_receiver *receiver);

/*
 * A descriptor for poll() and epoll, of a channel with SHMRING_BACKEND_EVENTFD: readable
 * (level-triggered) when there may be a message, or an end to tell. It stays so until a call with
 * SHMRING_NOW has returned -ETIMEDOUT: receive until then, or once for each time that it is
 * readable. A sender's death makes nothing readable: poll with a timeout, and call with SHMRING_NOW
 * when it is over, which tells of it if the last such call was 10 ms ago or more. The descriptor
 * belongs to the handle: do not read, write or close it, and take it out of epoll sets before the
 * handle is closed. -EOPNOTSUPP: another backend, or the handle is not open.
 */
int shmring_receiver_fd(shmring_receiver *receiver);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

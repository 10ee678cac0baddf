/* SPDX-License-Identifier: MIT */
/*
 * A queue of messages between many senders and many receivers, each a process or a thread: segment,
 * claim ring (mpmc.h), membership and waiting under one handle. What channel.h is for two.
 *
 *   shmring_queue_sender tx = {0};                  shmring_queue_receiver rx = {0};
 *   shmring_queue_sender_open(&tx, "jobs", NULL);   shmring_queue_receiver_open(&rx, "jobs", NULL);
 *   shmring_queue_send(&tx, &job, sizeof job, 0,    shmring_queue_recv(&rx, &job, sizeof job,
 *                      SHMRING_NEVER);                                 &slot, SHMRING_NEVER);
 *   shmring_queue_sender_close(&tx);                shmring_queue_receiver_close(&rx);
 *
 * Each message goes to one receiver. It stays until shmring_channel_unlink(), whoever comes and
 * goes. A member that dies holds nobody up: what it had claimed or taken comes back when another
 * member looks, which those that wait do each SHMRING_WAIT_CAP_NS.
 *
 * Handles are the caller's memory, private to the process, used by one thread at a time, and not
 * to be copied or used in a child after fork(). Nothing is allocated. Calls are not
 * async-signal-safe, but for those that say so. A slot (shmring_mpmc_slot: data, length, type, and
 * whether a dead receiver had it before) and what may be wished for (enum shmring_mpmc_wish) are in
 * mpmc_side.h.
 */
#ifndef SHMRING_QUEUE_H
#define SHMRING_QUEUE_H

#include "shmring/channel.h"
#include "shmring/event.h"
#include "shmring/mpmc.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* How the other side came to its end is told once. The library's. */
typedef struct shmring_queue_ends {
    uint32_t joined, died;    /* as last told */
    uint32_t left, died_seen; /* as last looked at */
} shmring_queue_ends;

typedef struct shmring_queue_sender {
    shmring_segment segment;
    shmring_mpmc_producer producer;
    shmring_eventcount messages, room;
    shmring_pace pace;
    shmring_queue_ends ends;
} shmring_queue_sender;

typedef struct shmring_queue_receiver {
    shmring_segment segment;
    shmring_mpmc_consumer consumer;
    shmring_eventcount messages, room;
    shmring_pace pace;
    shmring_queue_ends ends;
    uint32_t gather_count;
    int64_t gather_ns;
    bool has_released; /* since producers were last told */
    bool is_polled;    /* its descriptor was asked for */
} shmring_queue_receiver;

/* As shmring_channel_create() and shmring_channel_create_fds(); the options are the same. Removed
 * by shmring_channel_unlink(). */
int shmring_queue_create(const char *name, const shmring_channel_options *options);
int shmring_queue_create_fds(shmring_channel_fds *ret_fds, const shmring_channel_options *options);

/* Opens the queue and takes a place among its members. options may be NULL. Returns 0, or, with the
 * handle untouched, -EPROTOTYPE (not a ring of many), or as from shmring_segment_open(),
 * shmring_mpmc_attach_producer(), shmring_event_open() and, with create, from
 * shmring_queue_create(). */
int shmring_queue_sender_open(shmring_queue_sender *sender, const char *name,
                              const shmring_channel_options *options);
int shmring_queue_receiver_open(shmring_queue_receiver *receiver, const char *name,
                                const shmring_channel_options *options);

/* The same by descriptors, which are not kept. Errors of shmring_segment_open_fd() too. */
int shmring_queue_sender_open_fds(shmring_queue_sender *sender, const shmring_channel_fds *fds,
                                  const shmring_channel_options *options);
int shmring_queue_receiver_open_fds(shmring_queue_receiver *receiver,
                                    const shmring_channel_fds *fds,
                                    const shmring_channel_options *options);

/* Gives the place back; slots that are still held as after a death. A zeroed or closed handle is
 * ignored. */
void shmring_queue_sender_close(shmring_queue_sender *sender);
void shmring_queue_receiver_close(shmring_queue_receiver *receiver);

/*
 * The calls below wait until deadline (absolute, see clock.h) where they must, and return
 *   0
 *   -ETIMEDOUT   the deadline has passed; with SHMRING_NOW: full, or nothing there
 *   -EINTR, -ECANCELED, -EIDRM, -ENOSYS  as in channel.h
 *   -EMSGSIZE    longer than a slot; or than the receiver's buffer: it stays (take it)
 *   -EPIPE       receiving: nothing (wanted) is there, no sender is attached any more, and there
 *                was one since this receiver opened, or was told so; or messages were there when it
 *                opened. Once; calling again waits for the next one
 *   -EOWNERDEAD  the same, and one of them died; sending: full, no receiver is alive, and one has
 *                died. Noticed as in channel.h. Or: called in a child after fork()
 *   -ESTALE      others took this member for dead; it must close and open again
 *   -EBADMSG     a member broke the rules; for good
 * The slot is undefined on errors (but for the length with a -EMSGSIZE of recv).
 */

/* A slot for a message. It may be held for as long as one likes; then commit or abort. */
int shmring_queue_claim(shmring_queue_sender *sender, int64_t deadline,
                        shmring_mpmc_slot *ret_slot);

/* Sends it. Does not wait. As shmring_mpmc_commit() and shmring_mpmc_abort(). */
SHMRING_HOT inline int shmring_queue_commit(shmring_queue_sender *sender, shmring_mpmc_slot *slot,
                                            uint32_t length, uint32_t type)
{
    uint64_t end = shmring_mpmc_slot_end(&sender->producer.side, slot);
    int error = shmring_mpmc_commit(&sender->producer, slot, length, type);

    if (__builtin_expect(error != 0, false))
        return error;
    sender->pace.done++;
    shmring_event_wake(&sender->messages, end);
    return 0;
}
int shmring_queue_abort(shmring_queue_sender *sender, shmring_mpmc_slot *slot);

/* Copies a message in and sends it. */
int shmring_queue_send(shmring_queue_sender *sender, const void *message, uint32_t length,
                       uint32_t type, int64_t deadline);

/* The oldest message, or the one that is wanted (see shmring_mpmc_take_by), in place. It may be
 * held for as long as one likes; then release. Where several wait for different types and the
 * backend cannot wake all of them (a semaphore, an eventfd), those that choose look every
 * millisecond. */
int shmring_queue_take(shmring_queue_receiver *receiver, int64_t deadline,
                       shmring_mpmc_slot *ret_slot);
int shmring_queue_take_by(shmring_queue_receiver *receiver, enum shmring_mpmc_wish wish,
                          uint32_t type, int64_t deadline, shmring_mpmc_slot *ret_slot);

/* Gives it back. Does not wait. As shmring_mpmc_release(). */
SHMRING_HOT inline int shmring_queue_release(shmring_queue_receiver *receiver,
                                             shmring_mpmc_slot *slot)
{
    uint64_t end = shmring_mpmc_slot_end(&receiver->consumer.side, slot);
    int error = shmring_mpmc_release(&receiver->consumer, slot);

    receiver->has_released = true;
    if (__builtin_expect(error == 0, true))
        shmring_event_wake(&receiver->room, end);
    return error;
}

/* Copies the oldest message out and gives its slot back. ret_slot gets its length, type, and
 * whether it is redelivered. */
int shmring_queue_recv(shmring_queue_receiver *receiver, void *buffer, uint32_t buffer_size,
                       shmring_mpmc_slot *ret_slot, int64_t deadline);

/* As shmring_sender_stats(). Takes time in proportion to the number of slots. */
void shmring_queue_sender_stats(const shmring_queue_sender *sender, shmring_stats *ret_stats);
void shmring_queue_receiver_stats(const shmring_queue_receiver *receiver, shmring_stats *ret_stats);

/* As shmring_receiver_cancel() and so on. At once with futexes and System V semaphores; of several
 * who sleep on one POSIX semaphore or eventfd, others may be faster to wake up, again and again. */
void shmring_queue_sender_cancel(shmring_queue_sender *sender);
void shmring_queue_receiver_cancel(shmring_queue_receiver *receiver);
void shmring_queue_sender_resume(shmring_queue_sender *sender);
void shmring_queue_receiver_resume(shmring_queue_receiver *receiver);

/* As shmring_receiver_fd(). All receivers of the queue poll the same eventfd: several may be told
 * of one message, and all but one find nothing; of an end, perhaps only one, so poll with a
 * timeout. Not for those who choose (take_by). */
int shmring_queue_receiver_fd(shmring_queue_receiver *receiver);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

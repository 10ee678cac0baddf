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
 * shmring_segment_unlink(); a sender needs no waiting receiver; when senders come and go one after
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

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* Set size to sizeof(the struct), all else to 0 for the defaults. */
typedef struct shmring_channel_options {
    size_t size;
    uint64_t capacity;                /* creating: bytes, a power of two; 0: 4 MiB */
    enum shmring_wait_policy wait;    /* how this handle waits; default: block */
    bool create;                      /* opening: create it first if it is missing */
    shmring_segment_options segment;  /* its own size must be set too, or 0 for the defaults */
} shmring_channel_options;

#define SHMRING_CHANNEL_CAPACITY (UINT64_C(4) << 20)

typedef struct shmring_sender {
    shmring_segment segment;
    shmring_spsc_producer producer;
    shmring_waiter waiter;
    shmring_spin spin;
    uint64_t done;  /* messages */
    uint32_t polls; /* in vain, with SHMRING_NOW */
    enum shmring_wait_policy wait;
} shmring_sender;

typedef struct shmring_receiver {
    shmring_segment segment;
    shmring_spsc_consumer consumer;
    shmring_waiter waiter;
    shmring_spin spin;
    uint64_t done;  /* messages */
    uint32_t polls; /* in vain, with SHMRING_NOW */
    enum shmring_wait_policy wait;
} shmring_receiver;

/* Creates the channel. options may be NULL. Returns 0, or -EINVAL for the capacity, or as from
 * shmring_segment_create() and shmring_segment_publish(), with nothing left behind. */
int shmring_channel_create(const char *name, const shmring_channel_options *options);

/* Opens the channel and takes the role. options may be NULL. Returns 0, or, with the handle
 * untouched, -EPROTOTYPE (the ring holds elements), -EBUSY (a living sender or receiver has the
 * role), or as from shmring_segment_open(), shmring_spsc_attach_producer() and, with create, from
 * shmring_channel_create(). */
int shmring_sender_open(shmring_sender *sender, const char *name,
                        const shmring_channel_options *options);
int shmring_receiver_open(shmring_receiver *receiver, const char *name,
                          const shmring_channel_options *options);

/* Ends the stream (of a sender: after all that was committed) and gives the role back. A zeroed or
 * closed handle is ignored. */
void shmring_sender_close(shmring_sender *sender);
void shmring_receiver_close(shmring_receiver *receiver);

/*
 * The calls below wait until deadline (absolute, see wait.h) where they must, and return
 *   0
 *   -ETIMEDOUT   the deadline has passed; with SHMRING_NOW: full, or nothing there
 *   -EINTR       a signal handler ran while it slept (never with SHMRING_WAIT_SPIN; one that ran
 *                just before goes unnoticed: who looks at a flag of a handler sets deadlines)
 *   -EMSGSIZE    longer than shmring_spsc_max_message(), or than the receiver's buffer
 *   -EOWNERDEAD  sending: full, and the receiver died; receiving: empty, and the sender died.
 *                Calling again waits for a successor. With SHMRING_NOW it takes some hundred calls
 *                in vain to notice, with SHMRING_WAIT_SPIN 10 ms, else 100 ms
 *   -EPIPE       receiving: empty, and the sender has closed. Once for each sender
 *   -EBADMSG     the other side broke the rules; for good
 *   -ENOSYS      the kernel, or a seccomp filter, refuses futexes
 * Outputs are written on 0 only (and *ret_length with a -EMSGSIZE of recv).
 */

/* A place for a message of up to length bytes, 8-aligned; commit sends the first length bytes of
 * it, which must not be more. A new reserve replaces an open one. */
int shmring_sender_reserve(shmring_sender *sender, uint64_t length, int64_t deadline,
                           void **ret_place);
inline bool shmring_sender_commit(shmring_sender *sender, uint64_t length, uint32_t type)
{
    if (!shmring_spsc_commit(&sender->producer, length, type))
        return false;
    shmring_wake(&sender->waiter);
    return true;
}

/* Copies a message in and sends it. */
int shmring_sender_send(shmring_sender *sender, const void *message, uint64_t length,
                        uint32_t type, int64_t deadline);

/* The next message, in place; it stays until release. ret_type may be NULL. */
int shmring_receiver_peek(shmring_receiver *receiver, int64_t deadline, const void **ret_message,
                          uint64_t *ret_length, uint32_t *ret_type);
void shmring_receiver_release(shmring_receiver *receiver);

/* After release: what was released is given back now, and to no successor of this receiver again.
 * Else that is put off until some of it has gathered, or the ring is found empty. */
void shmring_receiver_flush(shmring_receiver *receiver);

/* Copies the next message out and releases it. ret_length and ret_type may be NULL. */
int shmring_receiver_recv(shmring_receiver *receiver, void *buffer, uint64_t buffer_size,
                          uint64_t *ret_length, uint32_t *ret_type, int64_t deadline);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A ring of messages between one producer and one consumer, each a process or a thread.
 *
 * Messages have any length from 0 to shmring_spsc_max_message() bytes and a 32-bit type of the
 * user's. They are written and read in place: reserve and commit, peek and release. No call in
 * this file waits, calls the kernel or allocates, but for attach and detach; each finishes in a
 * bounded number of its own steps whatever the other side does (wait-free).
 *
 * Positions run freely, in bytes; the place of a position is pos & (capacity - 1).
 * Invariant: head <= tail <= head + capacity, by unsigned difference.
 *
 *   producer                               consumer
 *   [spsc.A] load  head  acquire           [spsc.C] load  tail  acquire
 *            STORE record                           LOAD  record
 *   [spsc.B] store tail  release           [spsc.D] store head  release
 *
 *   [spsc.E] store session release         [spsc.F] load  session acquire   (and the other way)
 *
 *   A pairs with D: without it a record could be overwritten while it is still being read.
 *   B pairs with C: without it a record could be read before it is written.
 *
 *   E pairs with F: without it the end of a session could be seen before its last message.
 *
 * A message is sent at B, a batch as one. It is consumed at D, which is put off: D happens when
 * an eighth of the ring (at most 16 KiB) has been released, when peek finds nothing, and at flush.
 *
 * Death. A producer that dies leaves what it published, and nothing else: its successor goes on at
 * tail. A consumer that dies leaves what it had not given back at D: its successor gets that again
 * (flush after each release narrows it to the message in hand).
 *
 * Trust. What the other side writes is checked before it is used: an impossible position or
 * record poisons the handle for good (-EBADMSG from shmring_spsc_error()), and never leads outside
 * the ring. A message may still change while it is read, if the peer is hostile: copy, then parse.
 *
 * Source: L. Lamport, "Proving the Correctness of Multiprocess Programs" (1977); the private copy
 * of the other side's position is from MCRingBuffer (Lee, Bu, Chandranmenon, 2010).
 */
#ifndef SHMRING_SPSC_H
#define SHMRING_SPSC_H

#include "shmring/atomic.h"
#include "shmring/layout.h"
#include "shmring/member.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* Member ids (member.h) of the two roles. */
enum {
    SHMRING_SPSC_PRODUCER = 0,
    SHMRING_SPSC_CONSUMER = 1,
};

/* What both handles begin with. Private to the process, owned by the caller, used by one thread at
 * a time; must not be copied, nor used in a child after fork(). All members are the library's. */
typedef struct shmring_spsc_side {
    struct shmring_role *own;
    const struct shmring_role *peer;
    uint8_t *data;
    uint64_t capacity;
    uint64_t mask;
    uint64_t max_message;
    uint32_t element_size;
    uint32_t session;
    uint32_t peer_id; /* the other role's member id */
    int member_fd;    /* holds our lock; -1: none, or a link holds it */
    int probe_fd;     /* tells whether the other role's is held; -1: there is none to ask */
    int error;
} shmring_spsc_side;

typedef struct shmring_spsc_producer {
    shmring_spsc_side side;
    uint64_t tail_pos; /* end of what is committed or staged */
    uint64_t limit;    /* last sight of head, plus capacity: so far there is room */
    uint64_t reserved; /* bytes of the open reservation, header and padding included */
} shmring_spsc_producer;

typedef struct shmring_spsc_consumer {
    shmring_spsc_side side;
    uint64_t read_pos;  /* start of the next message */
    uint64_t next_pos;  /* end of the peeked one; read_pos if there is none */
    uint64_t tail_seen; /* last sight of tail */
    uint64_t head_pos;  /* end of what the user gave back */
    uint64_t flush_at;  /* the head_pos at which it is published: lazy more than the last time */
    uint64_t lazy;
} shmring_spsc_consumer;

/*
 * Takes the role in the ring at memory, whose geometry was checked (shmring_segment_open()), and
 * goes on where its last holder stopped. memory must outlive the handle. fd is a descriptor of the
 * object, and is not kept; -1, for memory that no other process maps, leaves it to the caller to
 * give each role once, and no death is noticed (both sides then: to a side with a descriptor the
 * other would look dead). Calls the kernel, does not wait. The handle is written on 0 only:
 *   -EBUSY      a living producer (consumer) has the role, in whatever process or thread
 *   -EPROTOTYPE the ring holds elements (spsc_array.h), not messages
 *   -EBADMSG    the positions in shared memory are impossible
 *   -EPROTONOSUPPORT  the ring may only be looked at (geometry->read_only), or is of another kind
 *   or as from shmring_member_join()
 */
int shmring_spsc_attach_producer(shmring_spsc_producer *producer, void *memory,
                                 const shmring_geometry *geometry, int fd);
int shmring_spsc_attach_consumer(shmring_spsc_consumer *consumer, void *memory,
                                 const shmring_geometry *geometry, int fd);

/*
 * The same in a ring that lies in two mappings, of what each side alone can write (link.h): own is
 * written, peer only read. lock_fd, which must stay open, tells by shmring_member_probe() of
 * peer_id whether the other side lives. Does not wait. Returns 0, -EBADMSG or -EPROTONOSUPPORT.
 */
int shmring_spsc_attach_producer_lane(shmring_spsc_producer *producer, void *own, void *peer,
                                      const shmring_geometry *geometry, int lock_fd,
                                      uint32_t peer_id);
int shmring_spsc_attach_consumer_lane(shmring_spsc_consumer *consumer, void *own, void *peer,
                                      const shmring_geometry *geometry, int lock_fd,
                                      uint32_t peer_id);

/* What the attach calls of this file (elements false) and of spsc_array.h (true) are made of. */
int shmring_spsc_take_producer(shmring_spsc_producer *producer, void *memory,
                               const shmring_geometry *geometry, int fd, bool elements);
int shmring_spsc_take_consumer(shmring_spsc_consumer *consumer, void *memory,
                               const shmring_geometry *geometry, int fd, bool elements);

/* The first half of detach: the other side sees the end of the session, the role is still ours. In
 * between is the place to wake the other side for it (wait.h): later that is a successor's. */
void shmring_spsc_end_producer(shmring_spsc_producer *producer);
void shmring_spsc_end_consumer(shmring_spsc_consumer *consumer);

/* Gives the role back; the ring stays usable. Staged messages are published, an open reservation
 * is dropped; held messages are not released. A handle that was zeroed or detached is ignored. */
void shmring_spsc_detach_producer(shmring_spsc_producer *producer);
void shmring_spsc_detach_consumer(shmring_spsc_consumer *consumer);

/* The longest message that fits: capacity / 2 - 8 bytes, and at most 1 GiB. */
inline uint64_t shmring_spsc_max_message(const shmring_spsc_side *side)
{
    return side->max_message;
}

/* 0, or -EBADMSG for good once the other side broke the rules. */
inline int shmring_spsc_error(const shmring_spsc_side *side)
{
    return side->error;
}

/*
 * What has become of the other side? Calls the kernel: ask when nothing has come for a while.
 *   0            it is attached and alive (which a stopped process is), or nobody can say
 *   -ENOTCONN    nobody was ever there, or its end was reported already (shmring_spsc_peer_ended)
 *   -EPIPE       it detached
 *   -EOWNERDEAD  it died attached
 *   -EBADMSG     see shmring_spsc_error()
 * An end that a successor has hidden by attaching is not told: the stream goes on, and nothing
 * that was published is missing. After an end (-EPIPE, -EOWNERDEAD) a consumer must look once more
 * for messages before it believes that it has them all. ret_session gets the session that the
 * answer is about.
 */
int shmring_spsc_peer(const shmring_spsc_side *side, uint32_t *ret_session);

/* Has it detached, and is that news? One load, no kernel: a death is not seen. */
inline bool shmring_spsc_peer_left(const shmring_spsc_side *side)
{
    /* [spsc.F] pairs with [spsc.E] */
    uint32_t session = shmring_load32_acquire(&side->peer->session);

    /* relaxed: only this side writes it. */
    return session % 2 == 0 && session != shmring_load32_relaxed(&side->own->peer_ended);
}

/* Notes that the end of that session was reported: from now on it is -ENOTCONN, for successors
 * of this handle too. */
void shmring_spsc_peer_ended(shmring_spsc_side *side, uint32_t session);

/* The other side broke the rules: from now on the handle finds the ring full (empty) and says
 * -EBADMSG; an open reservation is dropped. False. Out of line: it costs the hot path nothing. */
bool shmring_spsc_poison_producer(shmring_spsc_producer *producer);
bool shmring_spsc_poison_consumer(shmring_spsc_consumer *consumer);

/* Bytes (elements) between the positions as seen just now: a guess, stale when it returns. */
uint64_t shmring_spsc_used_guess(const shmring_spsc_side *side);

/* Bytes that a message of length bytes takes in the ring. */
SHMRING_HOT inline uint64_t shmring_spsc_record_size(uint64_t length)
{
    return (length + SHMRING_RECORD_HEADER_SIZE + SHMRING_RECORD_ALIGN - 1) &
           ~(uint64_t)(SHMRING_RECORD_ALIGN - 1);
}

/* Looks at head again; is there room for size more? The slow half of reserve. */
inline bool shmring_spsc_has_room(shmring_spsc_producer *producer, uint64_t size)
{
    /* [spsc.A] pairs with [spsc.D] */
    uint64_t head = shmring_load64_acquire(&producer->side.peer->pos);
    uint64_t seen = producer->limit - producer->side.capacity;

    /* head went back, or past what we wrote */
    if (producer->side.error != 0 || head - seen > producer->tail_pos - seen)
        return shmring_spsc_poison_producer(producer);
    producer->limit = head + producer->side.capacity;
    return size <= producer->limit - producer->tail_pos;
}

/* Bytes to skip before a record of size bytes, because it does not fit before the end. */
SHMRING_HOT inline uint64_t shmring_spsc_skip(const shmring_spsc_producer *producer, uint64_t size)
{
    uint64_t to_end = producer->side.capacity - (producer->tail_pos & producer->side.mask);

    return to_end < size ? to_end : 0;
}

/*
 * A place for a message of up to length bytes, 8-aligned, or NULL: the ring is full, length is
 * beyond shmring_spsc_max_message(), or the handle is poisoned. Until commit nobody sees it. A new
 * reserve replaces an open one.
 */
SHMRING_HOT inline void *shmring_spsc_reserve(shmring_spsc_producer *producer, uint64_t length)
{
    const shmring_spsc_side *side = &producer->side;
    uint64_t offset = producer->tail_pos & side->mask;
    uint64_t size = shmring_spsc_record_size(length);
    uint64_t skip = shmring_spsc_skip(producer, size);

    if (length > side->max_message)
        return NULL;
    if (skip + size > producer->limit - producer->tail_pos &&
        !shmring_spsc_has_room(producer, skip + size))
        return NULL;
    if (skip != 0) {
        /* relaxed: published by B like any record. */
        shmring_store64_relaxed((shmring_word64 *)(void *)(side->data + offset),
                                (skip - SHMRING_RECORD_HEADER_SIZE) | SHMRING_RECORD_SKIP);
        producer->tail_pos += skip;
        offset = 0;
    }
    producer->reserved = size;
    return side->data + offset + SHMRING_RECORD_HEADER_SIZE;
}

/*
 * Ends the open reservation as a message of length bytes (at most what was reserved) and of that
 * type, but keeps it back until publish: a batch costs one publication. Returns false, and does
 * nothing, if nothing or less is reserved.
 */
SHMRING_HOT inline bool shmring_spsc_stage(shmring_spsc_producer *producer, uint64_t length,
                                           uint32_t type)
{
    uint64_t size = shmring_spsc_record_size(length);
    uint8_t *record = producer->side.data + (producer->tail_pos & producer->side.mask);

    if (length > SHMRING_RECORD_LENGTH_MASK || size > producer->reserved)
        return false;
    /* relaxed: published by B. */
    shmring_store64_relaxed((shmring_word64 *)(void *)record, (uint64_t)type << 32 | length);
    producer->tail_pos += size;
    producer->reserved = 0;
    return true;
}

/* Sends all that is staged, as one. */
SHMRING_HOT inline void shmring_spsc_publish(shmring_spsc_producer *producer)
{
    /* [spsc.B] pairs with [spsc.C] */
    shmring_store64_release(&producer->side.own->pos, producer->tail_pos);
}

/* stage and publish: sends the message. */
SHMRING_HOT inline bool shmring_spsc_commit(shmring_spsc_producer *producer, uint64_t length,
                                            uint32_t type)
{
    if (!shmring_spsc_stage(producer, length, type))
        return false;
    shmring_spsc_publish(producer);
    return true;
}

/* Drops the open reservation: nobody ever sees it. */
inline void shmring_spsc_abort(shmring_spsc_producer *producer)
{
    producer->reserved = 0;
}

/* Stores head: room for the producer. Also what a consumer calls that wants no message delivered
 * again to a successor of its own. */
inline void shmring_spsc_flush(shmring_spsc_consumer *consumer)
{
    consumer->flush_at = consumer->head_pos + consumer->lazy;
    /* [spsc.D] pairs with [spsc.A] */
    shmring_store64_release(&consumer->side.own->pos, consumer->head_pos);
}

/* Looks at tail again; is there a record? If not, gives back what was put off: else this consumer
 * and a producer that needs more than the rest of the ring would wait for each other. */
inline bool shmring_spsc_has_record(shmring_spsc_consumer *consumer)
{
    /* [spsc.C] pairs with [spsc.B] */
    uint64_t tail = shmring_load64_acquire(&consumer->side.peer->pos);

    /* tail went back, or further than the ring is long */
    if (consumer->side.error != 0 || tail - consumer->tail_seen > consumer->side.capacity ||
        tail - consumer->head_pos > consumer->side.capacity)
        return shmring_spsc_poison_consumer(consumer);
    consumer->tail_seen = tail;
    if (tail != consumer->read_pos)
        return true;
    if (consumer->flush_at != consumer->head_pos + consumer->lazy)
        shmring_spsc_flush(consumer);
    return false;
}

/* Is a message with this header possible here? A skip is taken, and no message. */
SHMRING_HOT inline bool shmring_spsc_accept(shmring_spsc_consumer *consumer, uint64_t header)
{
    uint64_t size = shmring_spsc_record_size(header & SHMRING_RECORD_LENGTH_MASK);
    uint64_t to_end = consumer->side.capacity - (consumer->read_pos & consumer->side.mask);
    bool skip = (header & SHMRING_RECORD_SKIP) != 0;

    if (size > consumer->tail_seen - consumer->read_pos || size > to_end ||
        (skip && (size != to_end || size >= consumer->side.capacity / 2))) {
        /* longer than what was published, or than the data, or than what a skip is for: less than
         * the longest record; so no two follow each other, and none at the start of the data */
        return shmring_spsc_poison_consumer(consumer);
    }
    consumer->next_pos = consumer->read_pos + size;
    if (!skip)
        return true;
    /* Its memory goes back with the message before it, or at once if none is held. */
    if (consumer->head_pos == consumer->read_pos)
        consumer->head_pos = consumer->next_pos;
    consumer->read_pos = consumer->next_pos;
    return false;
}

/*
 * The next message, in place and 8-aligned, or NULL: there is none, or the handle is poisoned.
 * It stays the next one, and stays where it is, until hold or release. ret_length (bytes) and
 * ret_type are written only with a message; ret_type may be NULL.
 */
SHMRING_HOT inline const void *shmring_spsc_peek(shmring_spsc_consumer *consumer,
                                                 uint64_t *ret_length, uint32_t *ret_type)
{
    /* Twice: the first record may be a skip, and then the second is none. */
    for (int records = 0; records < 2; records++) {
        if (consumer->read_pos == consumer->tail_seen && !shmring_spsc_has_record(consumer))
            return NULL;
        const uint8_t *record = consumer->side.data + (consumer->read_pos & consumer->side.mask);
        /* relaxed: C ordered it; once, because the peer may change it. */
        uint64_t header = shmring_load64_relaxed((const shmring_word64 *)(const void *)record);

        if (shmring_spsc_accept(consumer, header)) {
            *ret_length = header & SHMRING_RECORD_LENGTH_MASK;
            if (ret_type != NULL)
                *ret_type = (uint32_t)(header >> 32);
            return record + SHMRING_RECORD_HEADER_SIZE;
        }
    }
    return NULL;
}

/* Goes past the peeked message but keeps its memory: for reading a batch in place. */
SHMRING_HOT inline void shmring_spsc_hold(shmring_spsc_consumer *consumer)
{
    consumer->read_pos = consumer->next_pos;
}

/* Goes past the peeked message, if any, and gives back its memory and that of all held ones. */
SHMRING_HOT inline void shmring_spsc_release(shmring_spsc_consumer *consumer)
{
    shmring_spsc_hold(consumer);
    consumer->head_pos = consumer->next_pos;
    if ((int64_t)(consumer->head_pos - consumer->flush_at) >= 0)
        shmring_spsc_flush(consumer);
}

/*
 * Copies a message in and sends it. Returns 0; -EAGAIN: full; -EMSGSIZE: longer than
 * shmring_spsc_max_message(); -EBADMSG: poisoned.
 */
int shmring_spsc_send(shmring_spsc_producer *producer, const void *message, uint64_t length,
                      uint32_t type);

/*
 * Copies the next message out and releases it. Returns 0; -EAGAIN: none; -EMSGSIZE: it is longer
 * than buffer_size bytes (*ret_length says how long; it stays in the ring); -EBADMSG: poisoned.
 */
int shmring_spsc_recv(shmring_spsc_consumer *consumer, void *buffer, uint64_t buffer_size,
                      uint64_t *ret_length, uint32_t *ret_type);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: MIT */
#include "shmring/spsc.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* How much a consumer gives back at once, at most. */
static const uint64_t LAZY_BYTES = 16 << 10;

/* Where a ring lies. */
struct places {
    struct shmring_role *producer, *consumer;
    uint8_t *data;
};

/* The first half of attaching: do the positions make sense? What was checked is what is handed out:
 * a second look could see something else. */
static int make_side(const struct places *at, const shmring_geometry *geometry, uint32_t id,
                     shmring_spsc_side *ret_side, uint64_t *ret_head, uint64_t *ret_tail)
{
    /* One of the two stands still, because we hold its role, and the other keeps to it.
     * [spsc.A] pairs with [spsc.D] */
    uint64_t head = shmring_load64_acquire(&at->consumer->pos);
    /* [spsc.C] pairs with [spsc.B] */
    uint64_t tail = shmring_load64_acquire(&at->producer->pos);

    if (tail - head > geometry->capacity ||
        (geometry->element_size == 0 && (tail | head) % SHMRING_RECORD_ALIGN != 0))
        return -EBADMSG;
    *ret_head = head;
    *ret_tail = tail;
    *ret_side = (shmring_spsc_side){
        .own = id == SHMRING_SPSC_PRODUCER ? at->producer : at->consumer,
        .peer = id == SHMRING_SPSC_PRODUCER ? at->consumer : at->producer,
        .data = at->data,
        .capacity = geometry->capacity,
        .mask = geometry->capacity - 1,
        .max_message = geometry->max_message,
        .element_size = geometry->element_size,
        .peer_id = SHMRING_SPSC_PRODUCER + SHMRING_SPSC_CONSUMER - id,
        .member_fd = -1,
        .probe_fd = -1,
    };
    return 0;
}

/* Takes the lock of the role, if the memory is a file's. */
static int take_role(uint8_t *memory, const shmring_geometry *geometry, int fd, uint32_t id,
                     shmring_spsc_side *ret_side, uint64_t *ret_head, uint64_t *ret_tail)
{
    const struct places at = {
        .producer = (void *)(memory + geometry->producer_offset),
        .consumer = (void *)(memory + geometry->consumer_offset),
        .data = memory + geometry->data_offset,
    };

    if (geometry->kind != SHMRING_KIND_SPSC || geometry->read_only)
        return -EPROTONOSUPPORT;
    int member_fd = fd < 0 ? -1 : shmring_member_join(fd, id);

    if (fd >= 0 && member_fd < 0)
        return member_fd;
    int error = make_side(&at, geometry, id, ret_side, ret_head, ret_tail);

    if (error != 0) {
        shmring_member_leave(member_fd);
        return error;
    }
    ret_side->member_fd = ret_side->probe_fd = member_fd;
    return 0;
}

/* The second half: tells the other side that somebody is there. Until end_session nobody else
 * writes this role's page. */
static void open_session(shmring_spsc_side *side)
{
    /* relaxed: only the holder of the role writes it; the last one's stores came with the lock. */
    uint32_t session = shmring_load32_relaxed(&side->own->session);

    side->session = session % 2 == 0 ? session + 1 : session + 2;
    /* relaxed: nothing hangs on these two; the last holder may have died asleep. */
    shmring_store64_relaxed(&side->own->wake_at, 0);
    shmring_store32_relaxed(&side->own->pid, (uint32_t)getpid());
    /* [spsc.E] pairs with [spsc.F] */
    shmring_store32_release(&side->own->session, side->session);
}

static void end_session(shmring_spsc_side *side)
{
    if (side->session % 2 == 0)
        return;
    side->session++;
    /* [spsc.E] pairs with [spsc.F]: after the last publication. */
    shmring_store32_release(&side->own->session, side->session);
}

static void begin_producer(shmring_spsc_producer *ret_producer, shmring_spsc_side *side,
                           uint64_t head, uint64_t tail)
{
    open_session(side);
    *ret_producer = (shmring_spsc_producer){
        .side = *side,
        .tail_pos = tail,
        .limit = head + side->capacity,
    };
}

static void begin_consumer(shmring_spsc_consumer *ret_consumer, shmring_spsc_side *side,
                           uint64_t head, uint64_t tail)
{
    uint64_t lazy = side->element_size != 0 ? LAZY_BYTES / side->element_size : LAZY_BYTES;
    uint64_t eighth = side->capacity / 8;

    open_session(side);
    *ret_consumer = (shmring_spsc_consumer){
        .side = *side,
        .read_pos = head,
        .next_pos = head,
        .tail_seen = tail,
        .head_pos = head,
        .lazy = lazy < eighth ? lazy : eighth,
    };
    ret_consumer->flush_at = head + ret_consumer->lazy;
}

int shmring_spsc_take_producer(shmring_spsc_producer *producer, void *memory,
                               const shmring_geometry *geometry, int fd, bool elements)
{
    shmring_spsc_side side;
    uint64_t head, tail;

    if (geometry->kind == SHMRING_KIND_SPSC && (geometry->element_size != 0) != elements)
        return -EPROTOTYPE;
    int error = take_role(memory, geometry, fd, SHMRING_SPSC_PRODUCER, &side, &head, &tail);

    if (error != 0)
        return error;
    begin_producer(producer, &side, head, tail);
    return 0;
}

int shmring_spsc_take_consumer(shmring_spsc_consumer *consumer, void *memory,
                               const shmring_geometry *geometry, int fd, bool elements)
{
    shmring_spsc_side side;
    uint64_t head, tail;

    if (geometry->kind == SHMRING_KIND_SPSC && (geometry->element_size != 0) != elements)
        return -EPROTOTYPE;
    int error = take_role(memory, geometry, fd, SHMRING_SPSC_CONSUMER, &side, &head, &tail);

    if (error != 0)
        return error;
    begin_consumer(consumer, &side, head, tail);
    return 0;
}

int shmring_spsc_attach_producer(shmring_spsc_producer *producer, void *memory,
                                 const shmring_geometry *geometry, int fd)
{
    return shmring_spsc_take_producer(producer, memory, geometry, fd, false);
}

int shmring_spsc_attach_consumer(shmring_spsc_consumer *consumer, void *memory,
                                 const shmring_geometry *geometry, int fd)
{
    return shmring_spsc_take_consumer(consumer, memory, geometry, fd, false);
}

/* The first half of attaching on a link. The two sides' mappings have the same layout. */
static int make_lane_side(uint8_t *producer, uint8_t *consumer, const shmring_geometry *geometry,
                          uint32_t id, shmring_spsc_side *ret_side, uint64_t *ret_head,
                          uint64_t *ret_tail)
{
    const struct places at = {
        .producer = (void *)(producer + geometry->producer_offset),
        .consumer = (void *)(consumer + geometry->consumer_offset),
        .data = producer + geometry->data_offset,
    };

    if (geometry->kind != SHMRING_KIND_LANE || geometry->read_only)
        return -EPROTONOSUPPORT;
    return make_side(&at, geometry, id, ret_side, ret_head, ret_tail);
}

int shmring_spsc_attach_producer_lane(shmring_spsc_producer *producer, void *own, void *peer,
                                      const shmring_geometry *geometry, int lock_fd,
                                      uint32_t peer_id)
{
    shmring_spsc_side side;
    uint64_t head, tail;
    int error = make_lane_side(own, peer, geometry, SHMRING_SPSC_PRODUCER, &side, &head, &tail);

    if (error != 0)
        return error;
    side.probe_fd = lock_fd;
    side.peer_id = peer_id;
    begin_producer(producer, &side, head, tail);
    return 0;
}

int shmring_spsc_attach_consumer_lane(shmring_spsc_consumer *consumer, void *own, void *peer,
                                      const shmring_geometry *geometry, int lock_fd,
                                      uint32_t peer_id)
{
    shmring_spsc_side side;
    uint64_t head, tail;
    int error = make_lane_side(peer, own, geometry, SHMRING_SPSC_CONSUMER, &side, &head, &tail);

    if (error != 0)
        return error;
    side.probe_fd = lock_fd;
    side.peer_id = peer_id;
    begin_consumer(consumer, &side, head, tail);
    return 0;
}

void shmring_spsc_end_producer(shmring_spsc_producer *producer)
{
    shmring_spsc_publish(producer);
    end_session(&producer->side);
}

void shmring_spsc_end_consumer(shmring_spsc_consumer *consumer)
{
    shmring_spsc_flush(consumer);
    end_session(&consumer->side);
}

void shmring_spsc_detach_producer(shmring_spsc_producer *producer)
{
    if (producer->side.own == NULL)
        return;
    shmring_spsc_end_producer(producer);
    shmring_member_leave(producer->side.member_fd);
    memset(producer, 0, sizeof *producer);
}

void shmring_spsc_detach_consumer(shmring_spsc_consumer *consumer)
{
    if (consumer->side.own == NULL)
        return;
    shmring_spsc_end_consumer(consumer);
    shmring_member_leave(consumer->side.member_fd);
    memset(consumer, 0, sizeof *consumer);
}

int shmring_spsc_peer(const shmring_spsc_side *side, uint32_t *ret_session)
{
    /* Twice: the session may change between the look at it and the look at the lock. */
    for (int looks = 0; looks < 2; looks++) {
        /* [spsc.F] pairs with [spsc.E] */
        uint32_t session = shmring_load32_acquire(&side->peer->session);

        *ret_session = session;
        if (side->error != 0)
            return side->error;
        /* relaxed: only this side writes it. */
        if (session == 0 || session == shmring_load32_relaxed(&side->own->peer_ended))
            return -ENOTCONN;
        if (session % 2 == 0)
            return -EPIPE;
        if (side->probe_fd < 0)
            return 0;
        int held = shmring_member_probe(side->probe_fd, side->peer_id);

        if (held != 0) /* or the kernel does not say: no proof of a death */
            return 0;
        /* The lock is taken before the session opens and given back after it closed: a free lock
         * and an open session that has not changed are a death.
         * [spsc.F] pairs with [spsc.E] */
        if (shmring_load32_acquire(&side->peer->session) == session)
            return -EOWNERDEAD;
    }
    return 0;
}

void shmring_spsc_peer_ended(shmring_spsc_side *side, uint32_t session)
{
    /* relaxed: a note for this side and its successors, who come after the lock. */
    shmring_store32_relaxed(&side->own->peer_ended, session);
}

bool shmring_spsc_poison_producer(shmring_spsc_producer *producer)
{
    producer->side.error = -EBADMSG;
    producer->reserved = 0; /* committed, it would move the tail past the limit */
    producer->limit = producer->tail_pos;
    return false;
}

bool shmring_spsc_poison_consumer(shmring_spsc_consumer *consumer)
{
    consumer->side.error = -EBADMSG;
    consumer->tail_seen = consumer->read_pos;
    consumer->next_pos = consumer->read_pos;
    return false;
}

uint64_t shmring_spsc_used_guess(const shmring_spsc_side *side)
{
    /* relaxed: a guess, both. */
    uint64_t own = shmring_load64_relaxed(&side->own->pos);
    uint64_t peer = shmring_load64_relaxed(&side->peer->pos);
    /* One of the two is at most capacity, and is it. */
    uint64_t used = own - peer <= side->capacity ? own - peer : peer - own;

    return used <= side->capacity ? used : side->capacity;
}

int shmring_spsc_send(shmring_spsc_producer *producer, const void *message, uint64_t length,
                      uint32_t type)
{
    void *place = shmring_spsc_reserve(producer, length);

    if (place == NULL) {
        if (producer->side.error != 0)
            return producer->side.error;
        return length > shmring_spsc_max_message(&producer->side) ? -EMSGSIZE : -EAGAIN;
    }
    if (length != 0)
        memcpy(place, message, (size_t)length);
    shmring_spsc_commit(producer, length, type);
    return 0;
}

int shmring_spsc_recv(shmring_spsc_consumer *consumer, void *buffer, uint64_t buffer_size,
                      uint64_t *ret_length, uint32_t *ret_type)
{
    uint64_t length;
    uint32_t type;
    const void *message = shmring_spsc_peek(consumer, &length, &type);

    if (message == NULL)
        return consumer->side.error != 0 ? consumer->side.error : -EAGAIN;
    *ret_length = length;
    if (length > buffer_size)
        return -EMSGSIZE;
    if (length != 0)
        memcpy(buffer, message, (size_t)length);
    if (ret_type != NULL)
        *ret_type = type;
    shmring_spsc_release(consumer);
    return 0;
}

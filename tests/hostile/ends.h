/* SPDX-License-Identifier: MIT */
/*
 * Both ends of a channel or of a link in the hands of a victim: calls of any kind, and what must
 * hold after each of them whatever the other side writes. The error is one of those that channel.h
 * lists; a message or a place for one lies in the ring, and all of it can be touched; nothing is
 * written behind the caller's buffer, which borders on a page that nobody may touch; the private
 * positions of a handle are possible; -EBADMSG is for good.
 */
#ifndef SHMRING_TESTS_ENDS_H
#define SHMRING_TESTS_ENDS_H

#include "calls.h"

#include <sys/mman.h>

enum { ENDS_BUFFER = 8192 };

static struct ends {
    shmring_sender *sender;
    shmring_receiver *receiver;
    uint8_t *buffer_end; /* ENDS_BUFFER bytes before a guard */
    uint64_t random;
    uint64_t sum;        /* of what was read, so that it is */
    uint64_t ended, got; /* ends that were told, and messages */
    bool sleeps;         /* now and then for longer than the cap */
} ends;

static inline void ends_begin(uint64_t seed)
{
    uint8_t *place = mmap(NULL, ENDS_BUFFER + SHMRING_PAGE_SIZE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(place != MAP_FAILED);
    CHECK(mprotect(place + ENDS_BUFFER, SHMRING_PAGE_SIZE, PROT_NONE) == 0);
    ends.buffer_end = place + ENDS_BUFFER;
    ends.random = seed;
    calls_begin();
}

static inline bool ends_lies_in(const shmring_spsc_side *side, const void *place, uint64_t length)
{
    uint64_t at = (uint64_t)((const uint8_t *)place - side->data);

    return at % 8 == 0 && at <= side->capacity && length <= side->capacity - at;
}

static inline void ends_read(const void *place, uint64_t length)
{
    for (uint64_t i = 0; i < length; i += 8)
        ends.sum += ((const volatile uint8_t *)place)[i];
    ends.sum += length != 0 ? ((const volatile uint8_t *)place)[length - 1] : 0;
}

/* Mostly none at all. */
static inline int64_t ends_deadline(void)
{
    uint64_t random = test_random(&ends.random);

    if (random % 256 != 0)
        return SHMRING_NOW;
    if (ends.sleeps && random >> 8 & 1023)
        return shmring_deadline((int64_t)(random >> 32) % 300000);
    return shmring_deadline(ends.sleeps ? SHMRING_WAIT_CAP_NS * 5 / 4 : 20000);
}

static inline bool ends_documents(int error, bool receives)
{
    return error == 0 || error == -ETIMEDOUT || error == -ECANCELED || error == -EMSGSIZE ||
           error == -EOWNERDEAD || error == -EBADMSG || error == -ENOSYS || error == -EIDRM ||
           (error == -EPIPE && (receives || ends.sender->is_link));
}

static inline void ends_check(int error, bool receives, int before)
{
    const shmring_spsc_consumer *consumer = &ends.receiver->consumer;
    const shmring_spsc_producer *producer = &ends.sender->producer;
    int after = receives ? consumer->side.error : producer->side.error;

    CHECK(ends_documents(error, receives));
    CHECK(after == 0 || after == -EBADMSG);
    CHECK(before == 0 || after == before);
    CHECK(before == 0 || error == before || error == -EMSGSIZE);
    CHECK(producer->limit - producer->tail_pos <= producer->side.capacity);
    CHECK(consumer->tail_seen - consumer->read_pos <= consumer->side.capacity);
    CHECK(consumer->next_pos - consumer->head_pos <= consumer->side.capacity);
    ends.ended += error == -EPIPE || error == -EOWNERDEAD;
}

static inline void ends_recv(uint64_t size, int64_t deadline)
{
    int before = ends.receiver->consumer.side.error;
    uint64_t length = 0;
    uint32_t type;

    call_begin("recv", deadline);
    int error = call_end(shmring_receiver_recv(ends.receiver, ends.buffer_end - size, size, &length,
                                               &type, deadline));

    CHECK(error != 0 || length <= size);
    ends.got += error == 0;
    ends_check(error, true, before);
}

static inline void ends_peek(bool release, int64_t deadline)
{
    int before = ends.receiver->consumer.side.error;
    const void *message;
    uint64_t length;

    call_begin("peek", deadline);
    int error = call_end(shmring_receiver_peek(ends.receiver, deadline, &message, &length, NULL));

    if (error == 0) {
        CHECK(ends_lies_in(&ends.receiver->consumer.side, message, length));
        ends_read(message, length);
        ends.got++;
    }
    if (error == 0 && release) {
        call_begin("release", SHMRING_NOW);
        shmring_receiver_release(ends.receiver);
        call_end(0);
    }
    ends_check(error, true, before);
}

static inline void ends_send(uint64_t length, int64_t deadline)
{
    int before = ends.sender->producer.side.error;

    call_begin("send", deadline);
    int error = call_end(shmring_sender_send(ends.sender, ends.buffer_end - length, length,
                                             (uint32_t)length, deadline));

    ends_check(error, false, before);
}

static inline void ends_reserve(uint64_t length, bool commit, int64_t deadline)
{
    int before = ends.sender->producer.side.error;
    void *place;

    call_begin("reserve", deadline);
    int error = call_end(shmring_sender_reserve(ends.sender, length, deadline, &place));

    if (error == 0) {
        CHECK(ends_lies_in(&ends.sender->producer.side, place, length));
        memset(place, 1, length);
    }
    if (error == 0 && commit) {
        call_begin("commit", SHMRING_NOW);
        CHECK(call_end(shmring_sender_commit(ends.sender, length / 2, 7)));
    }
    ends_check(error, false, before);
}

static inline void ends_poll(int64_t deadline)
{
    shmring_poll_item item = {.channel = ends.receiver};

    call_begin("poll", deadline);
    int ready = call_end(shmring_poll(&item, 1, deadline));

    CHECK(ready == 1 || ready == -ETIMEDOUT || ready == -ENOSYS);
}

static inline void ends_look(void)
{
    shmring_stats stats;

    call_begin("stats", SHMRING_NOW);
    shmring_sender_stats(ends.sender, &stats);
    shmring_receiver_stats(ends.receiver, &stats);
    call_end(0);
    CHECK(stats.used_guess <= stats.capacity);
}

/* Most calls are of those that move messages. */
static inline void ends_call(void)
{
    uint64_t random = test_random(&ends.random);
    uint64_t size = random >> 8 & 7 ? random >> 16 & 127 : random >> 16 & (ENDS_BUFFER - 1);
    int64_t deadline = ends_deadline();

    switch (random % 32) {
    case 0:
        ends_poll(deadline);
        break;
    case 1:
        ends_look();
        break;
    case 2:
        call_begin("flush", SHMRING_NOW);
        shmring_receiver_flush(ends.receiver);
        call_end(0);
        break;
    case 3:
        call_begin("cancel", SHMRING_NOW);
        shmring_sender_cancel(ends.sender);
        shmring_receiver_cancel(ends.receiver);
        call_end(0);
        ends_peek(true, deadline);
        shmring_sender_resume(ends.sender);
        shmring_receiver_resume(ends.receiver);
        break;
    case 4:
        ends_reserve(size, random >> 32 & 1, deadline);
        break;
    default:
        if (random % 32 < 14)
            ends_recv(size, deadline);
        else if (random % 32 < 22)
            ends_peek(random >> 32 & 7, deadline);
        else
            ends_send(size, deadline);
    }
}

/* The direction is poisoned; it stays so for the calls that come. */
static inline bool ends_is_over(void)
{
    return ends.receiver->consumer.side.error != 0 || ends.sender->producer.side.error != 0;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Claim: whenever the producer, the consumer or both of an SPSC ring die, between any two verbs of
 * a call, with the other in the middle of one or not, also while a successor takes over: what was
 * published arrives, in order and whole; what was given back at the last flush does not come again;
 * nothing else arrives; and both roles go on, with all of the ring.
 *
 * A life: both sides make calls at random, at times one within a call of the other. Before each
 * verb an image is taken: there one or both die, successors attach, the ring is emptied, filled and
 * emptied. Then all is as before the image, and the life goes on.
 *
 * usage: crash_spsc [SEED [IMAGES]]
 */
#include "shmring/spsc.h"

#include "image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DATA_MAX = 256,
    CALLS = 80, /* of a life */
    BOTH = 1 << SHMRING_SPSC_PRODUCER | 1 << SHMRING_SPSC_CONSUMER,
};

static struct {
    struct shmring_role roles[2];
    _Alignas(8) uint8_t data[DATA_MAX];
} memory;

/* All that the test knows; numbers of messages. */
static struct {
    uint64_t written;  /* staged or sent */
    uint64_t sent;     /* published */
    uint64_t sending;  /* likewise, after the call that is under way */
    uint64_t next;     /* what the consumer peeks */
    uint64_t released; /* before this, all are; or will be after the call that is under way */
    uint64_t flushed;  /* given back for good */
    uint32_t busy;     /* bit: that role is within a call */
    uint32_t dead;     /* bit: has died, and has no successor */
    shmring_spsc_producer producer;
    shmring_spsc_consumer consumer;
} it;

static shmring_geometry geometry;
static int level; /* of images */
static uint64_t images, again, calls;

/* No lock is needed, for each role is given once. */
int shmring_member_join(int fd, uint32_t id)
{
    (void)fd;
    (void)id;
    return -1;
}

void shmring_member_leave(int lock_fd)
{
    (void)lock_fd;
}

int shmring_member_probe(int fd, uint32_t id)
{
    (void)fd;
    (void)id;
    return 0;
}

static void check(bool holds, const char *what)
{
    if (!holds)
        explore_fail("%s: written %llu, sent %llu or %llu, next %llu, released %llu, flushed %llu",
                     what, (unsigned long long)it.written, (unsigned long long)it.sent,
                     (unsigned long long)it.sending, (unsigned long long)it.next,
                     (unsigned long long)it.released, (unsigned long long)it.flushed);
}

static uint64_t length_of(uint64_t number)
{
    return number * 7 % 29;
}

static bool stage(void)
{
    uint64_t length = length_of(it.written);
    void *place = shmring_spsc_reserve(&it.producer, length);

    check(shmring_spsc_error(&it.producer.side) == 0, "the producer is poisoned");
    if (place == NULL)
        return false;
    memset(place, (int)(it.written & 0xff), length);
    check(shmring_spsc_stage(&it.producer, length, (uint32_t)it.written), "not staged");
    it.written++;
    return true;
}

static void publish(void)
{
    it.sending = it.written;
    shmring_spsc_publish(&it.producer);
    it.sent = it.sending;
}

static void attach_producer(void)
{
    check(shmring_spsc_attach_producer(&it.producer, &memory, &geometry, -1) == 0, "no producer");
    it.dead &= ~(1u << SHMRING_SPSC_PRODUCER);
}

static void attach_consumer(void)
{
    check(shmring_spsc_attach_consumer(&it.consumer, &memory, &geometry, -1) == 0, "no consumer");
    it.dead &= ~(1u << SHMRING_SPSC_CONSUMER);
}

/* The number of the next message, which is whole; or false: there is none. */
static bool peek(uint64_t *ret_number)
{
    uint8_t want[32];
    uint64_t length;
    uint32_t type;
    const void *message = shmring_spsc_peek(&it.consumer, &length, &type);

    check(shmring_spsc_error(&it.consumer.side) == 0, "the consumer is poisoned");
    if (message == NULL)
        return false;
    memset(want, (int)(type & 0xff), sizeof want);
    check(length == length_of(type) && memcmp(message, want, length) == 0, "not whole");
    *ret_number = type;
    return true;
}

static void release(void)
{
    it.released = ++it.next;
    shmring_spsc_release(&it.consumer);
}

static bool take_one(void)
{
    uint64_t number;

    if (!peek(&number))
        return false;
    check(number == it.next, "not the next");
    release();
    return true;
}

static void flush(void)
{
    uint64_t released = it.released;

    shmring_spsc_flush(&it.consumer);
    it.flushed = released;
}

/* Gets again what its predecessor had not given back. */
static void succeed_consumer(void)
{
    uint64_t number = it.released;

    attach_consumer();
    peek(&number);
    check(number >= it.flushed, "given back, and there again");
    check(number <= it.released, "skipped");
    it.next = it.released = number;
}

static void fill(void)
{
    while (stage())
        publish();
    publish();
    /* Less than a skip and the next message. */
    check(shmring_spsc_used_guess(&it.producer.side) + 80 > geometry.capacity, "room is lost");
}

/* All that comes after a crash. */
static void go_on(void)
{
    it.busy = 1 << SHMRING_SPSC_CONSUMER;
    if ((it.dead >> SHMRING_SPSC_CONSUMER & 1) != 0)
        succeed_consumer();
    while (take_one())
        continue;
    check(it.next == it.sent || it.next == it.sending, "not all that was sent");
    flush();
    it.busy = 1 << SHMRING_SPSC_PRODUCER;
    if ((it.dead >> SHMRING_SPSC_PRODUCER & 1) != 0) {
        it.written = it.sent = it.sending = it.next;
        attach_producer();
    }
    fill();
    it.busy = 1 << SHMRING_SPSC_CONSUMER;
    while (take_one())
        continue;
    check(it.next == it.written, "not all that was sent, in the end");
}

static void crash(uint32_t dying)
{
    image_save(level++);
    images++;
    it.dead |= dying;
    go_on();
    image_restore(--level);
}

static void act(void);

static void step(void)
{
    if (level < IMAGE_LEVELS && (level == 0 || image_random(16) == 0)) {
        again += (uint64_t)level;
        crash(it.busy | (image_random(2) == 0 ? BOTH : image_random(BOTH + 1)));
    }
    if (level == 0 && it.busy != BOTH && image_random(6) == 0)
        act();
}

static void produce(void)
{
    uint32_t what = image_random(8);

    if (what == 0) {
        it.sending = it.written;
        shmring_spsc_detach_producer(&it.producer);
        it.sent = it.sending;
        attach_producer();
    } else {
        stage();
    }
    if (what > 2)
        publish();
}

static void consume(void)
{
    uint64_t number;

    switch (image_random(8)) {
    case 0: /* who comes then gets again what was held */
        shmring_spsc_detach_consumer(&it.consumer);
        it.next = it.flushed = it.released;
        attach_consumer();
        break;
    case 1:
        flush();
        break;
    case 2:
        if (peek(&number)) {
            it.next++;
            shmring_spsc_hold(&it.consumer);
        }
        break;
    default:
        take_one();
    }
}

/* A call of one side, perhaps within one of the other. */
static void act(void)
{
    const uint32_t busy = it.busy;
    bool produces = busy == 0 ? image_random(2) == 0 : busy == 1 << SHMRING_SPSC_CONSUMER;

    calls++;
    it.busy |= 1u << (produces ? SHMRING_SPSC_PRODUCER : SHMRING_SPSC_CONSUMER);
    if (produces)
        produce();
    else
        consume();
    it.busy = busy;
}

static void live(uint64_t seed)
{
    enum { USED = 2 * SHMRING_LINE_SIZE }; /* of a role; nobody sleeps */

    image_begin(seed, step);
    memset(&memory, 0, sizeof memory);
    memset(&it, 0, sizeof it);
    geometry = (shmring_geometry){
        .kind = SHMRING_KIND_SPSC,
        .capacity = image_random(2) == 0 ? DATA_MAX / 2 : DATA_MAX,
        .producer_offset = 0,
        .consumer_offset = sizeof memory.roles[0],
        .data_offset = sizeof memory.roles,
    };
    geometry.max_message = geometry.capacity / 2 - SHMRING_RECORD_HEADER_SIZE;
    for (int role = 0; role < 2; role++)
        explore_keep(EXPLORE_SHARED, &memory.roles[role], USED);
    explore_keep(EXPLORE_SHARED, memory.data, sizeof memory.data);
    explore_keep(EXPLORE_SHARED, &it, sizeof it);
    level = IMAGE_LEVELS;
    attach_producer();
    attach_consumer();
    level = 0;
    for (int i = 0; i < CALLS; i++)
        act();
    level = IMAGE_LEVELS;
    publish();
    go_on();
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    const uint64_t want = argc > 2 ? strtoull(argv[2], NULL, 0) : 200000;
    uint64_t lives = 0;

    printf("seed %#llx\n", (unsigned long long)seed);
    fflush(stdout);
    for (; images < want; lives++)
        live(seed++);
    printf("%llu crash images, %llu of them of what comes after a crash, in %llu lives with %llu "
           "calls\n",
           (unsigned long long)images, (unsigned long long)again, (unsigned long long)lives,
           (unsigned long long)calls);
    return 0;
}

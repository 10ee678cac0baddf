/* SPDX-License-Identifier: MIT */
/*
 * Strings of calls against a list of what was sent: messages of one producer and one consumer, who
 * come, leave and die. Claims: what is published arrives once, whole and in order; nothing else
 * does; full and empty are exact; what a consumer had given back does not come again, what it had
 * not released does; the other side's end is told, once.
 *
 * Input: capacity, flags, then three bytes a call. Elements instead of messages: ops_array.c.
 */
#include "common/kernel.h"

#include <shmring/spsc.h>
#include <string.h>

enum {
    CALLS_MAX = 200,
    MESSAGE_MAX = 8192 / 2 - SHMRING_RECORD_HEADER_SIZE,
};

/* Of a role: what became of its last holder. */
enum fate { NEVER, HERE, LEFT, DIED };

static fuzz_region regions[2];
static uint8_t *buffer; /* ends at a page that nobody may touch */

/* What was sent, by number; and up to where each side has come, as numbers too. */
static struct {
    fuzz_region *region;
    int fd;
    shmring_spsc_producer producer;
    shmring_spsc_consumer consumer;
    enum fate fates[2]; /* by member id */
    bool told[2];       /* its end, to the other side */
    struct message {
        uint64_t from, to; /* positions, without a skip before it */
        uint64_t length;
        uint32_t type;
    } messages[CALLS_MAX];
    uint32_t staged, published, read, released, flushed;
    bool peeked;
    uint64_t tail, reserved; /* the producer's position; bytes, 0: no reservation */
} run;

static shmring_word64 *position(uint32_t role)
{
    const shmring_geometry *geometry = &run.region->geometry;
    struct shmring_role *page =
        (void *)(run.region->base + (role == SHMRING_SPSC_PRODUCER ? geometry->producer_offset
                                                                   : geometry->consumer_offset));

    return &page->pos;
}

static uint64_t shared(uint32_t role)
{
    return shmring_load64_acquire(position(role));
}

static uint8_t letter(uint32_t number)
{
    return (uint8_t)(number * 37 + 11);
}

static void check_message(const uint8_t *message, uint64_t length, uint32_t type, uint32_t number)
{
    fuzz_expect(length == run.messages[number].length && type == run.messages[number].type,
                "a message has the length and the type that it was sent with");
    for (uint64_t i = 0; i < length; i++)
        fuzz_expect(message[i] == letter(number), "a message arrives whole");
}

/* How much room is there, for a record that must not wrap? */
static bool has_room(uint64_t length, uint64_t *ret_skip)
{
    uint64_t capacity = run.region->geometry.capacity, size = shmring_spsc_record_size(length);
    uint64_t to_end = capacity - run.tail % capacity;

    *ret_skip = to_end < size ? to_end : 0;
    return *ret_skip + size <= capacity - (run.tail - shared(SHMRING_SPSC_CONSUMER));
}

static void reserve(uint64_t length)
{
    uint64_t skip;
    bool fits = length <= run.region->geometry.max_message && has_room(length, &skip);
    uint8_t *place = shmring_spsc_reserve(&run.producer, length);

    fuzz_expect((place != NULL) == fits, "full is exact");
    if (place == NULL)
        return;
    fuzz_expect(region_holds(run.region, place, length), "a reservation is in the ring");
    run.tail += skip;
    run.reserved = shmring_spsc_record_size(length);
    /* With the padding: a message may be longer than what was asked for, into that. */
    memset(place, letter(run.staged), (size_t)run.reserved - SHMRING_RECORD_HEADER_SIZE);
}

static void note_sent(uint64_t length, uint32_t type)
{
    struct message *message = &run.messages[run.staged++];

    message->from = run.tail;
    message->length = length;
    message->type = type;
    run.tail += shmring_spsc_record_size(length);
    message->to = run.tail;
    run.reserved = 0;
}

/* By number: as much as was reserved, or less, or more. */
static void stage(uint16_t number, bool publishes)
{
    uint64_t most = run.reserved - SHMRING_RECORD_HEADER_SIZE;
    uint64_t length = run.reserved == 0 ? number : number % 4 == 0 ? most : number % (most + 9);
    bool fits = run.reserved != 0 && length <= most;
    bool done = publishes ? shmring_spsc_commit(&run.producer, length, number)
                          : shmring_spsc_stage(&run.producer, length, number);

    fuzz_expect(done == fits, "what was reserved can be sent, and no more");
    if (done)
        note_sent(length, number);
    if (done && publishes)
        run.published = run.staged;
}

static void send(uint64_t length, uint32_t type)
{
    uint64_t skip = 0;
    bool can_be = length <= run.region->geometry.max_message;
    bool fits = can_be && has_room(length, &skip);

    memset(buffer, letter(run.staged), can_be ? (size_t)length : 0);
    int error = shmring_spsc_send(&run.producer, buffer, length, type);

    fuzz_expect(error == (fits ? 0 : can_be ? -EAGAIN : -EMSGSIZE), "send is refused if it must");
    if (error != 0)
        return;
    run.tail += skip;
    note_sent(length, type);
    run.published = run.staged;
}

static void call_producer(uint8_t what, uint16_t number)
{
    uint64_t length = number >> 1;

    if (number % 2 == 0)
        length = number % 64 == 0 ? UINT64_MAX - (number >> 6) : number >> 7;
    switch (what % 8) {
    case 0:
    case 1:
        reserve(length);
        break;
    case 2:
        stage(number, true);
        break;
    case 3:
        stage(number, false);
        break;
    case 4:
        shmring_spsc_publish(&run.producer);
        run.published = run.staged;
        break;
    case 5:
        shmring_spsc_abort(&run.producer);
        run.reserved = 0;
        break;
    default:
        send(length, number);
    }
}

/* Peek finds nothing: what was released is given back. */
static void found_none(void)
{
    fuzz_expect(run.read == run.published, "empty is exact");
    run.flushed = run.released;
    if (run.released == run.read)
        fuzz_expect(shared(SHMRING_SPSC_CONSUMER) == shared(SHMRING_SPSC_PRODUCER),
                    "who finds nothing gives all back");
}

static void peek(void)
{
    uint64_t length = UINT64_MAX;
    uint32_t type;
    const void *message = shmring_spsc_peek(&run.consumer, &length, &type);

    if (message == NULL) {
        fuzz_expect(!run.peeked && length == UINT64_MAX, "a peeked message stays");
        found_none();
        return;
    }
    fuzz_expect(run.read < run.published, "nothing arrives that was not published");
    check_message(message, length, type, run.read);
    run.peeked = true;
}

static void receive(uint64_t size)
{
    uint64_t length;
    uint32_t type;
    uint8_t *into = buffer + MESSAGE_MAX - size;
    int error = shmring_spsc_recv(&run.consumer, into, size, &length, &type);

    if (error == -EAGAIN) {
        found_none();
        return;
    }
    fuzz_expect(run.read < run.published, "nothing arrives that was not published");
    if (error == -EMSGSIZE) {
        fuzz_expect(length == run.messages[run.read].length && length > size, "too long for that");
        run.peeked = true;
        return;
    }
    fuzz_expect(error == 0, "recv says 0, -EAGAIN or -EMSGSIZE");
    check_message(into, length, type, run.read);
    run.released = ++run.read;
    run.peeked = false;
}

static void call_consumer(uint8_t what, uint16_t number)
{
    switch (what % 8) {
    case 0:
    case 1:
        peek();
        break;
    case 2:
        shmring_spsc_hold(&run.consumer);
        run.read += run.peeked;
        run.peeked = false;
        break;
    case 3:
    case 4:
        shmring_spsc_release(&run.consumer);
        run.read += run.peeked;
        run.released = run.read;
        run.peeked = false;
        break;
    case 5:
        shmring_spsc_flush(&run.consumer);
        run.flushed = run.released;
        break;
    default:
        receive(number % (MESSAGE_MAX + 1));
    }
    uint64_t head = shared(SHMRING_SPSC_CONSUMER);

    for (uint32_t i = run.released; i < run.published; i++)
        fuzz_expect((int64_t)(head - run.messages[i].from) <= 0, "what is held stays");
}

static void attach(uint32_t role)
{
    bool produces = role == SHMRING_SPSC_PRODUCER, busy = run.fates[role] == HERE;
    const shmring_geometry *geometry = &run.region->geometry;
    shmring_spsc_producer producer;
    shmring_spsc_consumer consumer;
    int error = produces
                    ? shmring_spsc_attach_producer(&producer, run.region->base, geometry, run.fd)
                    : shmring_spsc_attach_consumer(&consumer, run.region->base, geometry, run.fd);

    fuzz_expect(error == (busy ? -EBUSY : 0), "a role has one holder");
    if (error != 0)
        return;
    run.fates[role] = HERE;
    run.told[role] = false;
    if (produces) {
        run.producer = producer;
        run.staged = run.published;
        run.tail = shared(role);
        run.reserved = 0;
        return;
    }
    run.consumer = consumer;
    uint64_t head = shared(role);

    for (run.read = 0; run.read < run.published; run.read++)
        if ((int64_t)(run.messages[run.read].from - head) >= 0)
            break;
    fuzz_expect(run.read >= run.flushed, "what was given back does not come again");
    fuzz_expect(run.read <= run.released, "what was not released comes again");
    run.released = run.flushed = run.read;
    run.peeked = false;
}

static void detach(uint32_t role)
{
    if (role == SHMRING_SPSC_PRODUCER) {
        shmring_spsc_detach_producer(&run.producer);
        run.published = run.staged;
    } else {
        shmring_spsc_detach_consumer(&run.consumer);
        run.flushed = run.released;
    }
    run.fates[role] = LEFT;
}

static void ask_for_peer(uint32_t role, bool tells)
{
    const shmring_spsc_side *side =
        role == SHMRING_SPSC_PRODUCER ? &run.producer.side : &run.consumer.side;
    uint32_t other = 1 - role, session;
    int want = 0, is = shmring_spsc_peer(side, &session);

    if (run.fates[other] == NEVER || (run.fates[other] != HERE && run.told[other]))
        want = -ENOTCONN;
    else if (run.fates[other] != HERE)
        want = run.fates[other] == LEFT ? -EPIPE : -EOWNERDEAD;
    fuzz_expect(is == want, "what has become of the other side is told");
    fuzz_expect(shmring_spsc_peer_left(side) ==
                    (want == -EPIPE || run.fates[other] == NEVER ? want == -EPIPE : false),
                "that it left is seen without the kernel");
    fuzz_expect(shmring_spsc_used_guess(side) ==
                    shared(SHMRING_SPSC_PRODUCER) - shared(SHMRING_SPSC_CONSUMER),
                "alone, a guess is right");
    if (tells && want != 0 && want != -ENOTCONN) {
        shmring_spsc_peer_ended((shmring_spsc_side *)side, session);
        run.told[other] = true;
    }
}

static void call(fuzz_input *calls)
{
    uint8_t what = fuzz_byte(calls);
    uint16_t number = (uint16_t)fuzz_number(calls, 2);
    uint32_t role = what % 2;

    what /= 2;
    if (run.fates[role] != HERE) {
        attach(role);
    } else if (what % 8 != 7) {
        if (role == SHMRING_SPSC_PRODUCER)
            call_producer(what, number);
        else
            call_consumer(what, number);
    } else if (what / 8 % 4 == 0) {
        detach(role);
    } else if (what / 8 % 4 == 1) {
        kernel_die(role == SHMRING_SPSC_PRODUCER ? run.producer.side.member_fd
                                                 : run.consumer.side.member_fd,
                   NULL);
        run.fates[role] = DIED;
    } else if (what / 8 % 4 == 2) {
        ask_for_peer(role, number % 2 != 0);
    } else {
        attach(role); /* there is one */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, data + size};
    uint8_t which = fuzz_byte(&input) % 2, flags = fuzz_byte(&input);
    int calls = 0;

    memset(&run, 0, sizeof run);
    run.region = &regions[which];
    if (buffer == NULL)
        buffer = region_buffer(MESSAGE_MAX, true);
    region_make(run.region, SHMRING_KIND_SPSC, 0, which == 0 ? 4096 : 8192, 0, -1);
    region_clear(run.region, 0);
    if (flags % 2 != 0) { /* near the wrap of the positions */
        shmring_store64_release(position(SHMRING_SPSC_PRODUCER), (uint64_t)-4096);
        shmring_store64_release(position(SHMRING_SPSC_CONSUMER), (uint64_t)-4096);
    }
    kernel_begin(run.region, NULL, NULL, &run.fd);
    attach(SHMRING_SPSC_PRODUCER);
    attach(SHMRING_SPSC_CONSUMER);
    for (; fuzz_left(&input) != 0 && calls < CALLS_MAX; calls++)
        call(&input);
    for (uint32_t role = 0; role < 2; role++)
        if (run.fates[role] == HERE)
            detach(role);
    fuzz_expect(kernel_descriptors() == 1, "nothing is left open");
    return 0;
}

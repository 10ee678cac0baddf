/* SPDX-License-Identifier: MIT */
/*
 * A producer and a consumer on a ring in which the other side writes what it likes, between calls
 * and during them (common/hostile.h). Claims: nothing outside the ring is touched, and nothing
 * inside that is not the caller's; each call ends within a number of looks that is known
 * beforehand; errors are the documented ones; poison is for good; outputs are left alone on
 * failure.
 *
 * Input: shape, flags, calls (a number, then three bytes each), script.
 */
#include "common/hostile.h"
#include "common/kernel.h"
#include "common/spsc_progress.h"

#include <shmring/spsc_array.h>
#include <string.h>

enum {
    /* spsc.h: wait-free. What each call looks at, at most. */
    LOOKS_RESERVE = 1,
    LOOKS_PEEK = 4,
    LOOKS_PEER = 6,
    LOOKS_ATTACH = 4,
    BUFFER = 4096,
    CALLS_MAX = 64,
    BYTES_PER_CALL = 3,
    UNTOUCHED = 0x5a,
};

static const struct shape {
    uint32_t element_size;
    uint64_t capacity;
} shapes[] = {{0, 4096}, {0, 8192}, {24, 8}, {1, 4096}, {4096, 2}, {8, 512}, {0, 131072}, {40, 64}};

enum { SHAPES = sizeof shapes / sizeof *shapes };

static fuzz_region regions[SHAPES];
static uint8_t *buffer; /* ends at a page that nobody may touch */

static const int send_errors[] = {EAGAIN, EMSGSIZE, EBADMSG, 0},
                 attach_errors[] = {EBADMSG, EBUSY,  ENOTSUP, EBADF,  EACCES,
                                    EMFILE,  ENFILE, ENOMEM,  ENOLCK, 0},
                 peer_errors[] = {ENOTCONN, EPIPE, EOWNERDEAD, EBADMSG, EINVAL, 0};

static struct {
    const fuzz_region *region;
    bool elements;
    int fd;
    bool producing, consuming; /* attached */
    shmring_array_producer producer;
    shmring_array_consumer consumer;
    uint64_t reserved; /* bytes, the last time; messages only */
} run;

static shmring_spsc_producer *producer(void)
{
    return &run.producer.spsc;
}

static shmring_spsc_consumer *consumer(void)
{
    return &run.consumer.spsc;
}

static struct shmring_role *role(bool produces)
{
    const shmring_geometry *geometry = &run.region->geometry;

    return (void *)(run.region->base +
                    (produces ? geometry->producer_offset : geometry->consumer_offset));
}

/* The next call is the producer's (the consumer's), and looks so often. */
static void begin_call(bool produces, uint64_t looks, const char *call)
{
    const shmring_geometry *geometry = &run.region->geometry;
    uint64_t data_size = geometry->total_size - geometry->data_offset;

    hostile_expect_looks(looks, call);
    hostile_expect_stores(role(produces), sizeof(struct shmring_role),
                          run.region->base + geometry->data_offset, produces ? data_size : 0);
}

static void fill(void *place, uint64_t length)
{
    fuzz_expect(region_holds(run.region, place, length), "a reservation is in the ring");
    memset(place, 1, (size_t)length);
    hostile_note_written(place, length);
}

/* Poison: the call that brought it has failed, as will all that come after it. */
static void check_poison(const shmring_spsc_side *side, int before, bool gave_something)
{
    int error = shmring_spsc_error(side);

    fuzz_expect(error == 0 || error == -EBADMSG, "shmring_spsc_error is 0 or -EBADMSG");
    fuzz_expect(before == 0 || error == before, "poison is for good");
    fuzz_expect(error == 0 || !gave_something, "a poisoned handle finds nothing");
}

static void attach(bool produces)
{
    uint8_t untouched[sizeof run.producer + sizeof run.consumer];
    const shmring_geometry *geometry = &run.region->geometry;
    bool *attached = produces ? &run.producing : &run.consuming;
    void *handle = produces ? (void *)&run.producer : (void *)&run.consumer;
    size_t size = produces ? sizeof run.producer : sizeof run.consumer;
    int error;

    if (*attached)
        return;
    begin_call(produces, LOOKS_ATTACH, "looks of shmring_spsc_attach");
    memset(untouched, UNTOUCHED, sizeof untouched);
    memset(handle, UNTOUCHED, size);
    if (produces)
        error = shmring_spsc_take_producer(producer(), run.region->base, geometry, run.fd,
                                           run.elements);
    else
        error = shmring_spsc_take_consumer(consumer(), run.region->base, geometry, run.fd,
                                           run.elements);
    fuzz_expect_documented(error, attach_errors, "errors of shmring_spsc_attach");
    *attached = error == 0;
    fuzz_expect(error == 0 || memcmp(untouched, handle, size) == 0, "written on success only");
}

static void detach(bool produces)
{
    begin_call(produces, 0, "looks of shmring_spsc_detach");
    if (produces && run.producing)
        shmring_spsc_detach_producer(producer());
    else if (!produces && run.consuming)
        shmring_spsc_detach_consumer(consumer());
    *(produces ? &run.producing : &run.consuming) = false;
}

/* What both sides have. */
static void call_side(bool produces, uint8_t what)
{
    shmring_spsc_side *side = produces ? &producer()->side : &consumer()->side;
    uint32_t session = 0;
    int error;

    switch (what % 6) {
    case 0:
        begin_call(produces, LOOKS_PEER, "looks of shmring_spsc_peer");
        error = shmring_spsc_peer(side, &session);
        fuzz_expect_documented(error, peer_errors, "errors of shmring_spsc_peer");
        if (error == -EPIPE || error == -EOWNERDEAD) {
            begin_call(produces, 0, "looks of shmring_spsc_peer_ended");
            shmring_spsc_peer_ended(side, session);
        }
        break;
    case 1:
        begin_call(produces, 2, "looks of shmring_spsc_peer_left");
        shmring_spsc_peer_left(side);
        break;
    case 2:
        begin_call(produces, 2, "looks of shmring_spsc_used_guess");
        fuzz_expect(shmring_spsc_used_guess(side) <= side->capacity, "no more used than there is");
        break;
    case 3:
        begin_call(produces, 0, "looks of shmring_spsc_end");
        if (produces)
            shmring_spsc_end_producer(producer());
        else
            shmring_spsc_end_consumer(consumer());
        break;
    default:
        detach(produces);
        attach(produces);
    }
}

static void check_place(const uint8_t *place, uint64_t length)
{
    fuzz_expect((uintptr_t)place % 8 == 0, "a message is aligned");
    fuzz_expect(region_holds(run.region, place - SHMRING_RECORD_HEADER_SIZE,
                             length + SHMRING_RECORD_HEADER_SIZE),
                "a message is in the ring");
}

/* Lengths of all sizes, more of those at which something happens. */
static uint64_t length_of(uint16_t number)
{
    uint64_t most = run.region->geometry.max_message;

    if (number % 8 == 0)
        return most - (uint64_t)(number >> 3) % 32 + 8;
    if (number % 8 == 1)
        return UINT64_C(1) << (number >> 3) % 64;
    return number >> 3;
}

static void call_producer(uint8_t what, uint16_t number)
{
    int before = producer()->side.error, error;
    uint64_t length = length_of(number);
    bool looks = what % 8 < 2 || what % 8 > 5; /* reserve, send */
    void *place = NULL;

    begin_call(true, looks ? LOOKS_RESERVE : 0, "looks of a producer's call");
    switch (what % 8) {
    case 0:
    case 1:
        place = shmring_spsc_reserve(producer(), length);
        if (place != NULL) {
            fuzz_expect(length <= shmring_spsc_max_message(&producer()->side), "what fits");
            check_place(place, length);
            fill(place, length);
            run.reserved = length;
        }
        break;
    case 2:
        shmring_spsc_commit(producer(), what % 16 == 2 ? run.reserved : length, number);
        return;
    case 3:
        shmring_spsc_stage(producer(), what % 16 == 3 ? run.reserved : length, number);
        return;
    case 4:
        shmring_spsc_publish(producer());
        return;
    case 5:
        shmring_spsc_abort(producer());
        return;
    default:
        length = length > BUFFER && length <= run.region->geometry.max_message ? BUFFER : length;
        /* What it writes is in the ring: checked by pages, for it says not where. */
        hostile_note_written(run.region->base + run.region->geometry.data_offset,
                             run.region->geometry.total_size - run.region->geometry.data_offset);
        error = shmring_spsc_send(producer(), buffer, length, number);
        fuzz_expect_documented(error, send_errors, "errors of shmring_spsc_send");
        fuzz_expect(before == 0 || error == before, "a poisoned handle says so");
        check_poison(&producer()->side, before, error == 0);
        return;
    }
    check_poison(&producer()->side, before, place != NULL);
}

static void peek(void)
{
    uint64_t length = UINT64_MAX;
    int before = consumer()->side.error;
    uint32_t type = UNTOUCHED;

    begin_call(false, LOOKS_PEEK, "looks of shmring_spsc_peek");
    const void *place = shmring_spsc_peek(consumer(), &length, &type);

    if (place != NULL) {
        check_place(place, length);
        fuzz_expect((int64_t)(consumer()->tail_seen - consumer()->next_pos) >= 0, "published");
        region_read(place, length);
    } else {
        fuzz_expect(length == UINT64_MAX && type == UNTOUCHED, "outputs are left alone");
    }
    check_poison(&consumer()->side, before, place != NULL);
}

static void receive(uint16_t number)
{
    uint64_t size = number % (BUFFER + 1), length = UINT64_MAX;
    int before = consumer()->side.error;
    uint32_t type;

    begin_call(false, LOOKS_PEEK, "looks of shmring_spsc_recv");
    int error = shmring_spsc_recv(consumer(), buffer + BUFFER - size, size, &length, &type);

    fuzz_expect_documented(error, send_errors, "errors of shmring_spsc_recv");
    fuzz_expect(error != 0 || length <= size, "it fits");
    fuzz_expect(error != -EMSGSIZE || length > size, "it does not");
    fuzz_expect(before == 0 || error == before, "a poisoned handle says so");
    check_poison(&consumer()->side, before, error == 0);
}

static void call_consumer(uint8_t what, uint16_t number)
{
    begin_call(false, 0, "looks of hold, release and flush");
    switch (what % 8) {
    case 0:
    case 1:
    case 2:
        peek();
        break;
    case 3:
        shmring_spsc_hold(consumer());
        break;
    case 4:
        shmring_spsc_release(consumer());
        break;
    case 5:
        shmring_spsc_flush(consumer());
        break;
    default:
        receive(number);
    }
}

static void call_array_producer(uint8_t what, uint16_t number)
{
    uint64_t count = number % 8 == 0 ? UINT64_MAX >> number % 64 : number >> 3, got = 0;
    int before = producer()->side.error;
    void *place = NULL;

    if (what % 2 == 0) {
        begin_call(true, LOOKS_RESERVE, "looks of shmring_array_reserve");
        place = shmring_array_reserve(&run.producer, count, &got);
        fuzz_expect(got <= count && (place == NULL) == (got == 0), "some, or none");
        if (place != NULL)
            fill(place, got * run.region->geometry.element_size);
        check_poison(&producer()->side, before, place != NULL);
    } else {
        begin_call(true, 0, "looks of shmring_array_commit");
        shmring_array_commit(&run.producer, what % 4 == 1 ? producer()->reserved : count);
    }
}

static void call_array_consumer(uint8_t what, uint16_t number)
{
    uint64_t count = number % 8 == 0 ? UINT64_MAX >> number % 64 : number >> 3, got = 0;
    int before = consumer()->side.error;

    if (what % 2 == 0) {
        begin_call(false, 1, "looks of shmring_array_peek");
        const void *place = shmring_array_peek(&run.consumer, count, &got);

        fuzz_expect(got <= count && (place == NULL) == (got == 0), "some, or none");
        if (place != NULL) {
            fuzz_expect(region_holds(run.region, place, got * run.region->geometry.element_size),
                        "elements are in the ring");
            region_read(place, got * run.region->geometry.element_size);
        }
        check_poison(&consumer()->side, before, place != NULL);
    } else {
        begin_call(false, 0, "looks of shmring_array_release");
        shmring_array_release(&run.consumer, count);
    }
}

static void call(fuzz_input *calls)
{
    uint8_t what = fuzz_byte(calls);
    uint16_t number = (uint16_t)fuzz_number(calls, 2);
    bool produces = what % 2 == 0;
    struct spsc_progress before;

    what /= 2;
    spsc_progress_note(&before, producer(), consumer());
    if (!(produces ? run.producing : run.consuming)) {
        attach(produces);
        return;
    }
    if (what % 8 == 7)
        call_side(produces, what / 8);
    else if (run.elements && produces)
        call_array_producer(what, number);
    else if (run.elements)
        call_array_consumer(what, number);
    else if (produces)
        call_producer(what, number);
    else
        call_consumer(what, number);
    if (what % 8 != 7)
        spsc_progress_check(&before, producer(), consumer());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, data + size};
    const struct shape *shape = &shapes[fuzz_byte(&input) % SHAPES];
    fuzz_region *region = &regions[shape - shapes];
    uint8_t flags = fuzz_byte(&input);
    fuzz_input calls = fuzz_part(&input, fuzz_byte(&input) % CALLS_MAX * BYTES_PER_CALL);
    bool is_honest = fuzz_left(&input) == 0;
    int fd;

    if (buffer == NULL)
        buffer = region_buffer(BUFFER, true);
    if (region->base == NULL) {
        region_make(region, SHMRING_KIND_SPSC, shape->element_size, shape->capacity, 0, -1);
        region_hide_header(region);
    }
    memset(&run, 0, sizeof run);
    run.region = region;
    run.elements = shape->element_size != 0;
    hostile_begin(region, input, (flags & 1) != 0 ? HOSTILE_PATIENCE : 0);
    kernel_begin(region, NULL, hostile_choice, &fd);
    run.fd = (flags & 2) != 0 ? fd : -1;
    if ((flags & 4) != 0) { /* near the wrap of the positions */
        hostile_set64(region->geometry.producer_offset, (uint64_t)-64);
        hostile_set64(region->geometry.consumer_offset, (uint64_t)-64);
    }
    attach(true);
    attach(false);
    fuzz_expect(!is_honest || (run.producing && run.consuming), "a ring can be attached to");
    while (fuzz_left(&calls) != 0)
        call(&calls);
    detach(true);
    detach(false);
    fuzz_expect(kernel_descriptors() == 1 && kernel_pages() == 0, "nothing is left open");
    return 0;
}

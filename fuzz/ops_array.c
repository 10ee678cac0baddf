/* SPDX-License-Identifier: MIT */
/*
 * Strings of calls on a ring of elements, against counters: each element holds its number. Claims:
 * elements arrive once and in order, as many as were committed; runs are as long as room, the end
 * of the data and the caller allow; what was given back does not come again, what was not released
 * does.
 *
 * Input: shape, flags, then three bytes a call.
 */
#include "common/kernel.h"

#include <shmring/spsc_array.h>
#include <string.h>

static const struct shape {
    uint32_t element_size;
    uint64_t capacity;
} shapes[] = {{4, 2}, {4, 64}, {24, 8}, {1500, 4}, {13, 16}};

enum {
    SHAPES = sizeof shapes / sizeof *shapes,
    CALLS_MAX = 200,
};

static fuzz_region regions[SHAPES];

static struct {
    fuzz_region *region;
    int fd;
    bool producing, consuming;
    shmring_array_producer producer;
    shmring_array_consumer consumer;
    uint64_t tail, read, flushed; /* elements; given back: known to be, at least */
    uint64_t reserved, peeked;
} run;

static uint64_t shared_head(void)
{
    const struct shmring_role *role =
        (const void *)(run.region->base + run.region->geometry.consumer_offset);

    return shmring_load64_acquire(&role->pos);
}

static uint64_t least(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

/* Each byte of an element says its number. */
static uint8_t letter(uint64_t number)
{
    return (uint8_t)(number * 29 + 5);
}

static void reserve(uint64_t count)
{
    uint64_t size = run.region->geometry.element_size, capacity = run.region->geometry.capacity;
    uint64_t room = capacity - (run.tail - shared_head()), got = 0;
    uint64_t want = least(count, least(room, capacity - run.tail % capacity));
    uint8_t *place = shmring_array_reserve(&run.producer, count, &got);

    fuzz_expect(got == want && (place != NULL) == (want != 0), "a run is as long as it may be");
    if (place == NULL)
        return;
    fuzz_expect(region_holds(run.region, place, got * size), "a reservation is in the ring");
    for (uint64_t i = 0; i < got; i++)
        memset(place + i * size, letter(run.tail + i), size);
    run.reserved = got;
}

static void commit(uint64_t count)
{
    bool done = shmring_array_commit(&run.producer, count);

    fuzz_expect(done == (count <= run.reserved), "what was reserved can be sent, and no more");
    run.tail += done ? count : 0;
    run.reserved = done ? 0 : run.reserved;
}

static void peek(uint64_t count)
{
    uint64_t size = run.region->geometry.element_size, capacity = run.region->geometry.capacity;
    uint64_t got = 0,
             most = least(count, least(run.tail - run.read, capacity - run.read % capacity));
    const uint8_t *place = shmring_array_peek(&run.consumer, count, &got);

    fuzz_expect((place != NULL) == (most != 0) && got <= most, "empty is exact");
    fuzz_expect(place == NULL || region_holds(run.region, place, got * size), "in the ring");
    for (uint64_t i = 0; i < got * size; i++)
        fuzz_expect(place[i] == letter(run.read + i / size), "elements arrive whole, in order");
    if (run.tail == run.read)
        run.flushed = run.read;
    run.peeked = place != NULL ? got : run.peeked;
}

static void release(uint64_t count)
{
    bool done = shmring_array_release(&run.consumer, count);

    fuzz_expect(done == (count <= run.peeked), "what was peeked can be given back, and no more");
    run.read += done ? count : 0;
    run.peeked = done ? 0 : run.peeked;
}

static void attach(bool produces)
{
    const shmring_geometry *geometry = &run.region->geometry;
    int error =
        produces ? shmring_array_attach_producer(&run.producer, run.region->base, geometry, run.fd)
                 : shmring_array_attach_consumer(&run.consumer, run.region->base, geometry, run.fd);

    fuzz_expect(error == 0, "a role that is free can be had");
    *(produces ? &run.producing : &run.consuming) = true;
    if (produces) {
        run.reserved = 0;
        return;
    }
    fuzz_expect(shared_head() >= run.flushed, "what was given back does not come again");
    fuzz_expect(shared_head() <= run.read, "what was not released comes again");
    run.read = run.flushed = shared_head();
    run.peeked = 0;
}

static void end(bool produces, bool dies)
{
    const shmring_spsc_side *side = produces ? &run.producer.spsc.side : &run.consumer.spsc.side;

    *(produces ? &run.producing : &run.consuming) = false;
    if (dies) {
        kernel_die(side->member_fd, NULL);
    } else if (produces) {
        shmring_array_detach_producer(&run.producer);
    } else {
        shmring_array_detach_consumer(&run.consumer);
        run.flushed = run.read;
    }
}

static void call(fuzz_input *calls)
{
    uint8_t what = fuzz_byte(calls);
    uint16_t number = (uint16_t)fuzz_number(calls, 2);
    uint64_t count = number % 16 == 0 ? UINT64_MAX - (number >> 8) : number >> 4 & 63;
    bool produces = what % 2 == 0;

    what /= 2;
    if (!(produces ? run.producing : run.consuming))
        attach(produces);
    else if (what % 16 == 15)
        end(produces, what & 16);
    else if (produces && what % 2 == 0)
        reserve(count);
    else if (produces)
        commit(number % 16 == 1 ? run.reserved : count);
    else if (what % 2 == 0)
        peek(count);
    else
        release(number % 16 == 1 ? run.peeked : count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, data + size};
    uint8_t which = fuzz_byte(&input) % SHAPES;
    int calls = 0;

    memset(&run, 0, sizeof run);
    run.region = &regions[which];
    region_make(run.region, SHMRING_KIND_SPSC, shapes[which].element_size, shapes[which].capacity,
                0, -1);
    region_clear(run.region, 0);
    kernel_begin(run.region, NULL, NULL, &run.fd);
    attach(true);
    attach(false);
    for (; fuzz_left(&input) != 0 && calls < CALLS_MAX; calls++)
        call(&input);
    if (run.producing)
        end(true, false);
    if (run.consuming)
        end(false, false);
    fuzz_expect(kernel_descriptors() == 1, "nothing is left open");
    return 0;
}

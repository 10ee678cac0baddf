/* SPDX-License-Identifier: MIT */
/*
 * Rings into which a thread writes all the time while they are used: with the real atomic.h, and so
 * with what compilers and processors make of it, which the hostile targets do not see. Claims:
 * nothing outside the ring or the caller's buffer is touched; errors are the documented ones;
 * poison is for good. Not the same at each run of an input. Not for ThreadSanitizer: it races.
 *
 * Input: kind, a seed of what is written (four bytes), then three bytes a call; the calls are done
 * ROUNDS times.
 */
#include "common/region.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <shmring/shmring.h>
#include <string.h>

enum {
    CALLS_MAX = 64,
    ROUNDS = 8,
    BUFFER = 2048,
    SLOTS = 8,
    SLOT_SIZE = 56,
    IDLE_SPINS = 4096,
};

static fuzz_region channel, queue;
static uint8_t *buffer_end; /* at a page that nobody may touch */

/* 0: leave the ring alone; else a seed, and in bit 0 which ring. */
static shmring_word64 orders;

static const int ring_errors[] = {EAGAIN, EMSGSIZE, EBADMSG, ESTALE, EOWNERDEAD, 0};

/* splitmix64 */
static uint64_t random_next(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void scribble_on_channel(uint64_t dice, uint64_t value)
{
    const shmring_geometry *geometry = &channel.geometry;
    struct shmring_role *producer = (void *)(channel.base + geometry->producer_offset);
    struct shmring_role *consumer = (void *)(channel.base + geometry->consumer_offset);
    shmring_word64 *data = (void *)(channel.base + geometry->data_offset);
    uint64_t near = value >> 8 & 0x3ff8; /* mostly what could be */

    switch (dice % 8) {
    case 0:
        shmring_store64_release(&producer->pos, value % 16 != 0 ? near : value);
        break;
    case 1:
        shmring_store64_release(&consumer->pos, value % 16 != 0 ? near : value);
        break;
    case 2:
        shmring_store32_release(&producer->session, (uint32_t)(value & 7));
        break;
    default:
        shmring_store64_relaxed(&data[dice >> 8 & 511],
                                value % 4 != 0 ? value & UINT64_C(0x3800001ff) : value);
    }
}

static void scribble_on_queue(uint64_t dice, uint64_t value)
{
    const shmring_geometry *geometry = &queue.geometry;
    struct shmring_mpmc_control *control = (void *)(queue.base + geometry->control_offset);
    struct shmring_member_record *records = (void *)(queue.base + geometry->members_offset);
    struct shmring_mpmc_entry *entries = (void *)(queue.base + geometry->entries_offset);
    uint64_t near = value % 4 != 0 ? value >> 8 & 0x77fff : value;
    uint64_t label = (value >> 40 & 3) << 32 | (value & 1) << 31 | (value >> 8 & 0x7f);

    if (dice % 16 < 8)
        shmring_store64_relaxed(&entries[dice % 16].word, near);
    else if (dice % 16 < 12)
        shmring_store64_relaxed(&entries[dice >> 8 & 7].label, value % 16 != 0 ? label : value);
    else if (dice % 16 == 12)
        shmring_store64_relaxed(&control->tail_hint, value % 4 != 0 ? value >> 8 & 0x3f : value);
    else if (dice % 16 == 13)
        shmring_store64_relaxed(&control->head_hint, value % 4 != 0 ? value >> 8 & 0x3f : value);
    else if (dice % 16 == 14)
        shmring_store32_relaxed(&control->orphan_epoch, (uint32_t)value);
    else
        shmring_store32_relaxed(&records[value >> 8 & 7].session, (uint32_t)value & 3);
}

static void *scribble(void *unused)
{
    uint64_t order = 0, random = 0;

    for (int idle = 0;;) {
        uint64_t now = shmring_load64_acquire(&orders);

        if (now != order)
            random = now;
        order = now;
        if (order == 0) {
            shmring_cpu_pause();
            if (++idle % IDLE_SPINS == 0)
                sched_yield();
            continue;
        }
        uint64_t dice = random_next(&random);

        if (order % 2 == 0)
            scribble_on_channel(dice, random_next(&random));
        else
            scribble_on_queue(dice, random_next(&random));
    }
    return unused;
}

static void check(int before, int after, bool gave_something)
{
    fuzz_expect(after == 0 || after == -EBADMSG, "poison is -EBADMSG");
    fuzz_expect(before == 0 || (after == before && !gave_something), "poison is for good");
}

static void call_producer(shmring_spsc_producer *producer, uint8_t what, uint16_t number)
{
    int before = producer->side.error, error = -EAGAIN;
    uint64_t length = number % BUFFER;
    void *place = NULL;

    switch (what) {
    case 0:
        place = shmring_spsc_reserve(producer, length);
        if (place == NULL)
            break;
        fuzz_expect(region_holds(&channel, place, length), "a reservation is in the ring");
        memset(place, 1, length);
        break;
    case 1:
        shmring_spsc_commit(producer, length, number);
        return;
    default:
        error = shmring_spsc_send(producer, buffer_end - length, length, number);
        fuzz_expect_documented(error, ring_errors, "errors of shmring_spsc_send");
    }
    check(before, producer->side.error, place != NULL || error == 0);
}

static void call_consumer(shmring_spsc_consumer *consumer, uint8_t what, uint16_t number)
{
    int before = consumer->side.error, error = -EAGAIN;
    uint64_t length, size = number % (BUFFER + 1);
    const void *message = NULL;

    switch (what) {
    case 0:
        message = shmring_spsc_peek(consumer, &length, NULL);
        if (message == NULL)
            break;
        fuzz_expect(region_holds(&channel, message, length), "a message is in the ring");
        region_read(message, length);
        break;
    case 1:
        shmring_spsc_release(consumer);
        return;
    case 2:
        shmring_spsc_hold(consumer);
        return;
    default:
        error = shmring_spsc_recv(consumer, buffer_end - size, size, &length, NULL);
        fuzz_expect_documented(error, ring_errors, "errors of shmring_spsc_recv");
        fuzz_expect(error != 0 || length <= size, "it fits");
    }
    check(before, consumer->side.error, message != NULL || error == 0);
}

static void use_channel(fuzz_input calls)
{
    shmring_spsc_producer producer;
    shmring_spsc_consumer consumer;
    bool producing =
        shmring_spsc_attach_producer(&producer, channel.base, &channel.geometry, -1) == 0;
    bool consuming =
        shmring_spsc_attach_consumer(&consumer, channel.base, &channel.geometry, -1) == 0;

    while (fuzz_left(&calls) != 0) {
        uint8_t what = fuzz_byte(&calls);
        uint16_t number = (uint16_t)fuzz_number(&calls, 2);

        if (what % 2 == 0 && producing)
            call_producer(&producer, what / 2 % 4, number);
        else if (what % 2 != 0 && consuming)
            call_consumer(&consumer, what / 2 % 4, number);
    }
    if (producing)
        shmring_spsc_detach_producer(&producer);
    if (consuming)
        shmring_spsc_detach_consumer(&consumer);
}

static void touch(const shmring_mpmc_slot *slot, uint32_t length)
{
    fuzz_expect(slot->idx < SLOTS && length <= SLOT_SIZE &&
                    region_holds(&queue, slot->data, SLOT_SIZE),
                "a slot is in the ring");
    memset(slot->data, 1, length);
}

static void call_queue_producer(shmring_mpmc_producer *producer, shmring_mpmc_slot *kept,
                                uint8_t what, uint16_t number)
{
    uint32_t length = number % (SLOT_SIZE + 4);
    int before = producer->side.error, error = -EAGAIN;

    switch (what) {
    case 0:
        if (shmring_mpmc_claim(producer, kept)) {
            touch(kept, SLOT_SIZE);
            error = 0;
        }
        break;
    case 1:
        error = shmring_mpmc_commit(producer, kept, length, number & 3);
        fuzz_expect_documented(error, ring_errors, "errors of shmring_mpmc_commit");
        return;
    case 2:
        error = shmring_mpmc_abort(producer, kept);
        fuzz_expect_documented(error, ring_errors, "errors of shmring_mpmc_abort");
        return;
    default:
        error = shmring_mpmc_send(producer, buffer_end - length, length, number & 3);
        fuzz_expect_documented(error, ring_errors, "errors of shmring_mpmc_send");
        error = error == -EMSGSIZE ? -EAGAIN : error;
    }
    check(before, producer->side.error, error == 0);
}

static void call_queue_consumer(shmring_mpmc_consumer *consumer, shmring_mpmc_slot *kept,
                                uint8_t what, uint16_t number)
{
    uint32_t size = number % (SLOT_SIZE + 4);
    int before = consumer->side.error, error = -EAGAIN;
    shmring_mpmc_slot slot;

    switch (what) {
    case 0:
    case 1:
        if (what == 0 ? shmring_mpmc_take(consumer, kept)
                      : shmring_mpmc_take_by(consumer, (enum shmring_mpmc_wish)(number % 5),
                                             number >> 8 & 3, kept)) {
            touch(kept, kept->length);
            error = 0;
        }
        break;
    case 2:
        error = shmring_mpmc_release(consumer, kept);
        fuzz_expect_documented(error, ring_errors, "errors of shmring_mpmc_release");
        return;
    default:
        error = shmring_mpmc_recv(consumer, buffer_end - size, size, &slot);
        fuzz_expect_documented(error, ring_errors, "errors of shmring_mpmc_recv");
        fuzz_expect(error != 0 || slot.length <= size, "it fits");
    }
    check(before, consumer->side.error, error == 0);
}

static void use_queue(fuzz_input calls)
{
    shmring_mpmc_producer producer = {0};
    shmring_mpmc_consumer consumer = {0};
    shmring_mpmc_slot claimed = {0}, taken = {0};
    bool producing = shmring_mpmc_attach_producer(&producer, queue.base, &queue.geometry, -1) == 0;
    bool consuming = shmring_mpmc_attach_consumer(&consumer, queue.base, &queue.geometry, -1) == 0;

    while (fuzz_left(&calls) != 0) {
        uint8_t what = fuzz_byte(&calls);
        uint16_t number = (uint16_t)fuzz_number(&calls, 2);

        if (what % 2 == 0 && producing)
            call_queue_producer(&producer, &claimed, what / 2 % 4, number);
        else if (what % 2 != 0 && consuming)
            call_queue_consumer(&consumer, &taken, what / 2 % 4, number);
    }
    shmring_mpmc_detach_producer(&producer);
    shmring_mpmc_detach_consumer(&consumer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, data + size};
    bool many = fuzz_byte(&input) % 2 != 0;
    uint64_t seed = fuzz_number(&input, 4);
    fuzz_input calls = fuzz_part(&input, CALLS_MAX * 3);
    pthread_t thread;

    if (buffer_end == NULL) {
        region_make(&channel, SHMRING_KIND_SPSC, 0, 4096, 0, -1);
        region_make(&queue, SHMRING_KIND_MPMC, SLOT_SIZE, SLOTS, SHMRING_OPTION_REDELIVER, -1);
        buffer_end = region_buffer(BUFFER, true) + BUFFER;
        fuzz_expect(pthread_create(&thread, NULL, scribble, NULL) == 0, "a thread");
    }
    region_clear(many ? &queue : &channel, SLOTS);
    shmring_store64_release(&orders, seed << 2 | 2 | many);
    for (int round = 0; round < ROUNDS; round++) {
        if (many)
            use_queue(calls);
        else
            use_channel(calls);
    }
    shmring_store64_release(&orders, 0);
    return 0;
}

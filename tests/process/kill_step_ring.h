/* SPDX-License-Identifier: MIT */
/* The ring of kill_step: the states it is put into, those who stay alive in it, and the ledger of
 * what was sent and received, which is not in the ring. */
#ifndef SHMRING_TESTS_KILL_STEP_RING_H
#define SHMRING_TESTS_KILL_STEP_RING_H

#include "kill_message.h"

#include <sys/mman.h>

enum {
    SLOTS_MAX = 8,
    STRIDE_MAX = 64,
    CONTROL_USED = 3 * SHMRING_LINE_SIZE,
    IDS = 9,           /* more than are ever in use, with 0 */
    NUMBERS = 256,     /* messages of one run; those from 0 on are the survivor's */
    FROM_VICTIM = 192, /* the message that the victim sends */
    FROM_HOLDER = 193,
    FROM_NOBODY = 194, /* written by the third, which dies before it commits */
};

enum state { EMPTY, ONE, WRAP, FULL_LESS_1, FULL, HELD, CARRY, ORPHAN, STATES };

static const char *const state_names[STATES] = {"empty",  "one",  "wrap",  "full-1",
                                                "full",   "held", "carry", "orphan"};

enum sent { NOT_SENT, PERHAPS, SURELY };

/* All that changes in the process while a ring is used, to be put back with the ring's memory. */
struct world {
    shmring_mpmc_producer producer, holder_producer;
    shmring_mpmc_consumer consumer, holder_consumer;
    shmring_mpmc_slot writing, reading; /* what the holders hold, if held */
    bool held;
    uint8_t sent[NUMBERS];
    uint8_t got[NUMBERS];
    uint64_t next; /* number to be sent by the survivor */
    int64_t last;  /* received from the survivor, in order */
};

struct image {
    uint8_t control[CONTROL_USED];
    struct shmring_member_record records[IDS];
    struct shmring_mpmc_entry entries[SLOTS_MAX];
    uint8_t data[SLOTS_MAX * STRIDE_MAX];
};

static struct world world, saved_world;
static struct image saved_image;
static shmring_segment segment;
static shmring_geometry geometry;

/* Copies the parts of the segment that ever change into image, or back. */
static void copy_image(struct image *image, bool back)
{
    uint8_t *base = segment.base;
    const struct {
        void *image;
        uint64_t offset, size;
    } parts[] = {
        {image->control, geometry.control_offset, sizeof image->control},
        {image->records, geometry.members_offset, sizeof image->records},
        {image->entries, geometry.entries_offset, geometry.capacity * sizeof *image->entries},
        {image->data, geometry.data_offset, geometry.capacity * geometry.slot_stride},
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        memcpy(back ? base + parts[i].offset : parts[i].image,
               back ? parts[i].image : base + parts[i].offset, parts[i].size);
}

static void save(void)
{
    saved_world = world;
    copy_image(&saved_image, false);
}

static void restore(void)
{
    world = saved_world;
    copy_image(&saved_image, true);
}

static bool redelivers(void)
{
    return (geometry.options & SHMRING_OPTION_REDELIVER) != 0;
}

static uint64_t word_at(uint64_t idx)
{
    /* relaxed: whoever could write it is stopped or dead, or the test itself. */
    return shmring_load64_relaxed(shmring_mpmc_word(&world.producer.side, idx));
}

static enum shmring_slot_state state_at(uint64_t idx)
{
    /* relaxed: as above. */
    return shmring_slot_state(
        word_at(idx), shmring_load64_relaxed(shmring_mpmc_label(&world.producer.side, idx)));
}

static uint64_t number_at(uint64_t idx)
{
    return small_number((uint8_t *)segment.base + geometry.data_offset +
                        idx * geometry.slot_stride);
}

/* Is that id in the table, and its lock free? */
static bool is_dead(uint32_t id)
{
    uint32_t session = shmring_load32_acquire(&world.producer.side.records[id].session);

    return session % 2 != 0 && shmring_member_probe(segment.fd, id) == 0;
}

static int count_dead(void)
{
    int dead = 0;

    for (uint32_t id = 1; id < IDS; id++)
        dead += is_dead(id);
    return dead;
}

/* Slots in that state of members; of the dead only, if so. */
static unsigned count_held(enum shmring_slot_state state, bool dead_only)
{
    unsigned held = 0;

    for (uint64_t idx = 0; idx < geometry.capacity; idx++) {
        uint32_t owner = shmring_slot_owner(word_at(idx));

        held += owner != 0 && state_at(idx) == state && (!dead_only || is_dead(owner));
    }
    return held;
}

/* A delivery: of something that was sent, and again only if marked so. */
static void note_got(uint64_t number, bool redelivered)
{
    CHECK(number < NUMBERS);
    CHECK(world.sent[number] != NOT_SENT);
    CHECK(!redelivered || redelivers());
    CHECK(world.got[number] == 0 || redelivered);
    world.got[number]++;
}

/* The survivor takes and releases all there is, in bounded time. Returns how many. */
static unsigned take_all(void)
{
    shmring_mpmc_slot slot;
    unsigned taken = 0;

    for (; shmring_mpmc_take(&world.consumer, &slot); taken++) {
        uint64_t number = small_read(slot.data, slot.length, slot.type);

        CHECK(taken <= geometry.capacity);
        note_got(number, slot.redelivered);
        if (number < FROM_VICTIM && !slot.redelivered) {
            CHECK((int64_t)number > world.last);
            world.last = (int64_t)number;
        }
        CHECK_EQ(shmring_mpmc_release(&world.consumer, &slot), 0);
    }
    CHECK_EQ(shmring_mpmc_error(&world.consumer.side), 0);
    return taken;
}

/* The survivor sends one. Returns its number, -1 if the ring is full. */
static int64_t send_one(void)
{
    uint64_t number = world.next;
    shmring_mpmc_slot slot;

    CHECK(number < FROM_VICTIM);
    if (!shmring_mpmc_claim(&world.producer, &slot)) {
        CHECK_EQ(shmring_mpmc_error(&world.producer.side), 0);
        return -1;
    }
    small_write(slot.data, number);
    CHECK_EQ(shmring_mpmc_commit(&world.producer, &slot, small_length(number),
                                 small_type(number)), 0);
    world.sent[number] = SURELY;
    world.next++;
    return (int64_t)number;
}

static void pass_through(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        CHECK(send_one() >= 0);
        CHECK_EQ(take_all(), 1);
    }
}

/* Two members that live hold a slot each. */
static void hold(void)
{
    CHECK(shmring_mpmc_claim(&world.holder_producer, &world.writing));
    CHECK(send_one() >= 0);
    CHECK(shmring_mpmc_take(&world.holder_consumer, &world.reading));
    world.sent[FROM_HOLDER] = PERHAPS;
    note_got(small_number(world.reading.data), false);
    world.last = (int64_t)small_number(world.reading.data);
    world.held = true;
}

/* They let go of them: both are still theirs, wherever they have been carried. */
static void let_go_writing(void)
{
    small_write(world.writing.data, FROM_HOLDER);
    CHECK_EQ(shmring_mpmc_commit(&world.holder_producer, &world.writing,
                                 small_length(FROM_HOLDER), small_type(FROM_HOLDER)), 0);
    world.sent[FROM_HOLDER] = SURELY;
}

static void let_go_reading(void)
{
    small_read(world.reading.data, world.reading.length, world.reading.type);
    CHECK_EQ(shmring_mpmc_release(&world.holder_consumer, &world.reading), 0);
    world.held = false;
}

/* The message of a consumer that left with it, which nobody has looked for yet: an older one stood
 * in the way when it left. */
static void make_orphan(void)
{
    shmring_mpmc_consumer leaver;
    shmring_mpmc_slot slot;

    CHECK(send_one() >= 0);
    int64_t second = send_one();

    CHECK(second >= 0);
    CHECK_EQ(shmring_mpmc_attach_consumer(&leaver, segment.base, &geometry, segment.fd), 0);
    CHECK(shmring_mpmc_take_by(&leaver, SHMRING_TAKE_EQUAL, small_type((uint64_t)second), &slot));
    CHECK_EQ(small_number(slot.data), second);
    note_got((uint64_t)second, false);
    shmring_mpmc_detach_consumer(&leaver);
    CHECK(shmring_mpmc_take(&world.consumer, &slot));
    note_got(small_number(slot.data), slot.redelivered);
    CHECK_EQ(shmring_mpmc_release(&world.consumer, &slot), 0);
    world.last = second;
}

static void join_all(void)
{
    void *base = segment.base;

    memset(&world, 0, sizeof world);
    memset(&saved_image, 0, sizeof saved_image);
    copy_image(&saved_image, true); /* a new ring */
    world.last = -1;
    CHECK_EQ(shmring_mpmc_attach_producer(&world.producer, base, &geometry, segment.fd), 0);
    CHECK_EQ(shmring_mpmc_attach_consumer(&world.consumer, base, &geometry, segment.fd), 0);
    CHECK_EQ(shmring_mpmc_attach_producer(&world.holder_producer, base, &geometry, segment.fd), 0);
    CHECK_EQ(shmring_mpmc_attach_consumer(&world.holder_consumer, base, &geometry, segment.fd), 0);
}

static void leave_all(void)
{
    restore();
    shmring_mpmc_detach_producer(&world.producer);
    shmring_mpmc_detach_consumer(&world.consumer);
    shmring_mpmc_detach_producer(&world.holder_producer);
    shmring_mpmc_detach_consumer(&world.holder_consumer);
}

/* A ring in that state, phase positions further on than a new one. */
static void build(enum state state, uint64_t phase, bool fill_held)
{
    uint64_t slots = geometry.capacity, fill = 0;

    join_all();
    if (state == WRAP)
        phase += slots - 1 - phase % slots;
    pass_through(phase);
    if (state == HELD || state == CARRY)
        hold();
    if (state == CARRY)
        pass_through(slots - 2);
    if (state == ORPHAN)
        make_orphan();
    if (state == ONE || (state == HELD && slots > 2 && fill_held))
        fill = 1;
    else if (state == WRAP)
        fill = 2;
    else if (state == FULL || state == FULL_LESS_1)
        fill = slots - (state == FULL_LESS_1);
    for (uint64_t i = 0; i < fill; i++)
        CHECK(send_one() >= 0);
}

/* Both roles of the survivor make progress, for more than two laps, unless all slots are held. */
static void survivors_go_on(void)
{
    uint64_t held = count_held(SHMRING_SLOT_WRITING, false) +
                    count_held(SHMRING_SLOT_READING, false);

    take_all();
    for (uint64_t i = 0; i < 2 * geometry.capacity + 2; i++) {
        int64_t number = send_one();
        unsigned taken = take_all();

        if (held == geometry.capacity)
            CHECK(number < 0 && taken == 0);
        else if (number < 0)
            CHECK(taken != 0); /* it was full of what was just delivered again */
        else
            CHECK_EQ(world.got[number], 1);
    }
}

/* Every slot is there: so many messages fit, no more, and come out in order. */
static void all_slots_are_there(void)
{
    shmring_mpmc_slot slots[SLOTS_MAX + 1];
    uint64_t first = world.next;

    CHECK_EQ(take_all(), 0);
    for (uint64_t i = 0; i < geometry.capacity; i++)
        CHECK(shmring_mpmc_claim(&world.producer, &slots[i]));
    CHECK(!shmring_mpmc_claim(&world.producer, &slots[geometry.capacity]));
    for (uint64_t i = 0; i < geometry.capacity; i++, world.next++) {
        small_write(slots[i].data, world.next);
        CHECK_EQ(shmring_mpmc_commit(&world.producer, &slots[i], small_length(world.next),
                                     small_type(world.next)), 0);
        world.sent[world.next] = SURELY;
    }
    CHECK_EQ(send_one(), -1);
    CHECK_EQ(shmring_mpmc_used_guess(&world.producer.side), (long long)geometry.capacity);
    CHECK_EQ(take_all(), (long long)geometry.capacity); /* in order, or it says so */
    CHECK_EQ(world.last, (long long)(first + geometry.capacity - 1));
    for (uint64_t idx = 0; idx < geometry.capacity; idx++)
        CHECK_EQ(state_at(idx), SHMRING_SLOT_FREE);
    CHECK_EQ(shmring_mpmc_error(&world.producer.side), 0);
}

#endif

/* SPDX-License-Identifier: MIT */
#include "ring_state.h"

#include <stdio.h>
#include <string.h>

static struct {
    struct shmring_mpmc_control control;
    struct shmring_member_record records[MEMBERS_MAX];
    struct shmring_mpmc_entry entries[RING_SLOTS_MAX];
    uint64_t messages[RING_SLOTS_MAX];
} memory;

static shmring_geometry geometry;
static bool in_place;
/* Else they are no steps, for no session ends while its member looks: fewer states. */
static bool sessions_matter;
struct ring_seat ring_seats[SPEC_SEATS];
struct ring_seen ring_seen;

uint32_t ring_type(uint32_t value)
{
    static const uint8_t types[SPEC_VALUES + 1] = {0, 1, 2, 1, 3, 2, 1, 2};

    return types[value];
}

shmring_mpmc_side *ring_side(int seat)
{
    return ring_seats[seat].role == SHMRING_ROLE_PRODUCER ? &ring_seats[seat].producer.side
                                                          : &ring_seats[seat].consumer.side;
}

shmring_mpmc_producer *ring_producer(int seat)
{
    return &ring_seats[seat].producer;
}

shmring_mpmc_consumer *ring_consumer(int seat)
{
    return &ring_seats[seat].consumer;
}

static uint64_t mix_open(uint64_t hash, const shmring_mpmc_consumer *consumer)
{
    hash = explore_mix(hash, (uint64_t)consumer->orphans_seen << 32 | consumer->open_count);
    for (uint32_t i = 0; i < consumer->open_count; i++)
        hash = explore_mix(
            explore_mix(hash, consumer->open[i].pos * 2 + consumer->open[i].was_writing),
            consumer->open[i].word);
    return hash;
}

void ring_called(int me)
{
    struct ring_seat *seat = &ring_seats[me];
    const shmring_mpmc_side *side = ring_side(me);
    /* Threads make too few calls to come from one of the two to the other by themselves. */
    uint32_t bets = side->streak >= SHMRING_MPMC_STREAK;
    uint64_t hash = explore_mix(++seat->calls, seat->value);

    hash = explore_mix(hash, seat->producer.tail_pos);
    hash = explore_mix(hash, seat->consumer.head_pos);
    hash = explore_mix(hash, (uint64_t)bets << 32 | (uint32_t)side->error);
    hash = explore_mix(hash, seat->slot.word << 4 | seat->slot.idx);
    if (bets)
        hash = explore_mix(hash, seat->producer.claimed ^ seat->consumer.taken);
    hash = explore_mix(hash, (uint64_t)side->member.id << 32 | side->member.session);
    explore_forget(mix_open(hash, &seat->consumer));
}

static void plan(uint64_t slots, bool redeliver)
{
    geometry = (shmring_geometry){
        .kind = SHMRING_KIND_MPMC,
        .element_size = RING_SLOT_SIZE,
        .capacity = slots,
        .options = redeliver ? SHMRING_OPTION_REDELIVER : 0,
        .control_offset = 0,
        .members_offset = (uint64_t)((char *)memory.records - (char *)&memory),
        .entries_offset = (uint64_t)((char *)memory.entries - (char *)&memory),
        .data_offset = (uint64_t)((char *)memory.messages - (char *)&memory),
        .slot_stride = RING_SLOT_SIZE,
    };
}

static void keep(void)
{
    explore_keep(EXPLORE_SHARED, &memory.control.tail_hint, 8);
    explore_keep(EXPLORE_SHARED, &memory.control.head_hint, 16);
    explore_keep(EXPLORE_COUNTED, &memory.control.dropped, 16);
    explore_keep(EXPLORE_SHARED, memory.messages, geometry.capacity * sizeof memory.messages[0]);
    explore_keep(EXPLORE_SHARED, memory.entries, geometry.capacity * sizeof memory.entries[0]);
    for (uint32_t id = 0; id < MEMBERS_MAX; id++) {
        explore_keep(sessions_matter ? EXPLORE_SHARED : EXPLORE_COUNTED,
                     &memory.records[id].session, 8);
        explore_keep(EXPLORE_PRIVATE, &memory.records[id].held_since, 8);
    }
    explore_keep(EXPLORE_PRIVATE, ring_seats, sizeof ring_seats);
    explore_keep(EXPLORE_SHARED, &ring_seen, sizeof ring_seen);
}

void ring_in_place(void)
{
    in_place = true;
}

void ring_sessions_matter(void)
{
    sessions_matter = true;
}

void ring_make(uint64_t slots, uint64_t first_pos, bool redeliver)
{
    memset(&memory, 0, sizeof memory);
    memset(ring_seats, 0, sizeof ring_seats);
    memset(&ring_seen, 0, sizeof ring_seen);
    plan(slots, redeliver);
    members_begin();
    spec_begin(in_place, redeliver);
    keep();
    for (uint64_t idx = 0; idx < slots; idx++)
        memory.entries[idx].word.raw = (first_pos + slots - 1 - idx) / slots << 16;
}

void ring_join(int me, enum shmring_member_role role)
{
    struct ring_seat *seat = &ring_seats[me];
    uint8_t *at = (uint8_t *)&memory;
    int error = role == SHMRING_ROLE_PRODUCER
                    ? shmring_mpmc_attach_producer(&seat->producer, at, &geometry, 3)
                    : shmring_mpmc_attach_consumer(&seat->consumer, at, &geometry, 3);

    if (error != 0)
        explore_fail("seat %d: attach says %d", me, error);
    seat->role = role;
    ring_called(me);
}

void ring_bet(int me)
{
    struct ring_seat *seat = &ring_seats[me];
    shmring_mpmc_side *side = ring_side(me);

    /* As a streak of walks would leave it. */
    side->streak = SHMRING_MPMC_STREAK - 1;
    seat->producer.claimed =
        shmring_mpmc_word_at(side, seat->producer.tail_pos, SHMRING_WORD_CLAIMED);
    seat->consumer.taken = shmring_mpmc_word_at(side, seat->consumer.head_pos, SHMRING_WORD_TAKEN);
    shmring_mpmc_guessed(side, true);
}

uint64_t ring_word(uint64_t idx)
{
    return memory.entries[idx].word.raw;
}

static uint64_t lap_of(uint64_t word)
{
    return word >> 16;
}

static enum shmring_slot_state state_of(uint64_t idx)
{
    return shmring_slot_state(ring_word(idx), memory.entries[idx].label.raw);
}

/* The next position that was never used; checks that they are used in order. */
static uint64_t frontier(void)
{
    uint64_t slots = geometry.capacity, first = UINT64_MAX, last = 0;

    for (uint64_t idx = 0; idx < slots; idx++) {
        uint64_t pos = lap_of(ring_word(idx)) * slots + idx;

        first = pos < first ? pos : first;
        last = pos > last ? pos : last;
    }
    if (last - first >= slots)
        explore_fail("position %llu was used before %llu", (unsigned long long)(last - slots),
                     (unsigned long long)first);
    return first;
}

bool ring_is_full(void)
{
    uint64_t slots = geometry.capacity, free = 0;

    for (uint64_t idx = 0; idx < slots; idx++)
        free += state_of(idx) == SHMRING_SLOT_FREE || state_of(idx) == SHMRING_SLOT_UNDEAD;
    return free == 0 || state_of(frontier() & (slots - 1)) == SHMRING_SLOT_READY;
}

/* No hint may be ahead of what it promises. */
static void check_hints(void)
{
    if (memory.control.tail_hint.raw > frontier())
        explore_fail("the tail hint is ahead of a position that is not used");
    for (uint64_t idx = 0; idx < geometry.capacity; idx++) {
        uint64_t word = ring_word(idx);
        enum shmring_slot_state state = state_of(idx);
        uint64_t pos = (lap_of(word) - 1) * geometry.capacity + idx;

        if ((state == SHMRING_SLOT_WRITING || state == SHMRING_SLOT_READY) &&
            memory.control.head_hint.raw > pos)
            explore_fail("the head hint is ahead of position %llu, which is not closed",
                         (unsigned long long)pos);
    }
}

void ring_stepped(void)
{
    bool full = ring_is_full();

    check_hints();
    for (int me = 0; me < SPEC_SEATS; me++)
        if (ring_seen.claiming[me] == 1 && full)
            ring_seen.claiming[me] = 2;
}

const char *ring_name_of(const void *where)
{
    static char name[32];

    if (where == &memory.control.tail_hint)
        return "tail_hint";
    if (where == &memory.control.head_hint)
        return "head_hint";
    if (where == &memory.control.orphan_epoch)
        return "orphan_epoch";
    for (int i = 0; i < RING_SLOTS_MAX; i++) {
        bool is_word = where == &memory.entries[i].word;

        if (!is_word && where != &memory.entries[i].label)
            continue;
        snprintf(name, sizeof name, is_word ? "word[%d]" : "label[%d]", i);
        return name;
    }
    for (int i = 0; i < MEMBERS_MAX; i++) {
        if (where != &memory.records[i].session)
            continue;
        snprintf(name, sizeof name, "session[%d]", i);
        return name;
    }
    return "";
}

void ring_died(int seat)
{
    ring_seats[seat].dead = true;
    members_lose((uint64_t)seat + 1);
    ring_take_for_dead(seat);
    spec_died(seat, (geometry.options & SHMRING_OPTION_REDELIVER) != 0);
    ring_seen.claiming[seat] = 0;
}

void ring_take_for_dead(int seat)
{
    members_lose_id(ring_side(seat)->member.id);
    for (uint64_t idx = 0; idx < geometry.capacity; idx++)
        if (ring_seen.owner[idx] == seat + 1)
            ring_seen.owner[idx] = 0;
}

bool ring_is_buried(int seat)
{
    const shmring_member *member = &ring_side(seat)->member;

    return memory.records[member->id].session.raw != member->session;
}

bool ring_has_lost_slot(int seat)
{
    const shmring_mpmc_slot *slot = &ring_seats[seat].slot;

    return ((ring_word(slot->idx) ^ slot->word) & SHMRING_WORD_WHO_MASK) != 0;
}

void ring_set_entry(uint64_t idx, uint64_t word, uint64_t label)
{
    memory.entries[idx].word.raw = word;
    memory.entries[idx].label.raw = label;
}

/* A consumer that has been there all the time, or else a new one; it must find what came back. */
static int find_consumer(void)
{
    bool unburied = false;
    int consumer = RING_HELPER;

    for (int seat = 0; seat < RING_HELPER; seat++) {
        bool absent = ring_seats[seat].role == 0;
        bool dead = ring_seats[seat].dead;

        unburied |= !absent && dead && !ring_is_buried(seat);
        if (!absent && !dead && ring_seats[seat].role == SHMRING_ROLE_CONSUMER)
            consumer = seat;
    }
    if (unburied || consumer == RING_HELPER)
        ring_join(RING_HELPER, SHMRING_ROLE_CONSUMER);
    return consumer;
}

void ring_finish(void)
{
    shmring_mpmc_slot slot;
    int consumer = find_consumer();

    while (ring_recv(consumer) != 0)
        ring_stepped();
    if (!spec_may_be_empty())
        explore_fail("a message is lost");
    memset(&ring_seats[RING_HELPER], 0, sizeof ring_seats[RING_HELPER]);
    ring_join(RING_HELPER, SHMRING_ROLE_PRODUCER);
    for (uint64_t i = 0; i < geometry.capacity; i++)
        if (!shmring_mpmc_claim(&ring_seats[RING_HELPER].producer, &slot))
            explore_fail("a slot is lost: only %d left", (int)i);
    if (shmring_mpmc_claim(&ring_seats[RING_HELPER].producer, &slot))
        explore_fail("a slot too many");
}

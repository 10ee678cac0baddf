/* SPDX-License-Identifier: MIT */
/* Values that fit, or just do not: what is written into each field. */
#include "scribbler_parts.h"

enum {
    RECORD_MAX = 64,
    FEW_MEMBERS = 16,
    NEXT = 64,         /* words after the place where somebody is */
    RUN_FACTOR = 4096, /* for some milliseconds */
    VICTIMS = 2,       /* the first ids are those of members that use the ring */
};

/* What a check may forget. */
static uint64_t edge(struct scribbler_state *s, uint64_t near, uint64_t span)
{
    switch (dice(s) % 10) {
    case 0:
        return near - 8;
    case 1:
        return near + 4;
    case 2:
        return near + span;
    case 3:
        return near + span + 8;
    case 4:
        return near - span;
    case 5:
        return near + (UINT64_C(1) << 32);
    case 6:
        return near ^ UINT64_C(1) << 63;
    case 7:
        return UINT64_MAX - 7;
    case 8:
        return 0;
    default:
        return dice(s);
    }
}

/* The header is mostly put right again: else nobody could open the ring any more. */
static void smart_header(struct scribbler_state *s)
{
    uint64_t at = below(s, sizeof(struct shmring_header) / 8);

    put_at(s, at, dice(s) % 128 == 0 ? edge(s, s->copies[0][at], 4096) : s->copies[0][at]);
}

/* The bells, and whoever says that it sleeps. */
static void smart_sleep(struct scribbler_state *s, struct shmring_bell_words *bell,
                        shmring_word64 *wake_at, uint64_t near)
{
    uint64_t random = dice(s);

    if (random % 4 == 0)
        put32(s, &bell->wakes, (uint32_t)(random >> 32));
    else if (random % 4 == 1)
        put32(s, &bell->sysv_id, (uint32_t)(random >> 32));
    else
        put64(s, wake_at, random % 8 == 2 ? random : random % 8 == 3 ? 0 : near + random % 512);
}

static struct shmring_role *role_at(const uint8_t *base, uint64_t offset)
{
    return (struct shmring_role *)(uintptr_t)(base + offset);
}

/* A session goes up and down again; most stores leave it open. */
static void smart_session(struct scribbler_state *s, struct shmring_role *role)
{
    uint64_t random = dice(s);
    /* relaxed: all here is. */
    uint32_t session = shmring_load32_relaxed(&role->session);

    if (random % 64 == 0)
        put32(s, &role->session, (uint32_t)(random >> 32));
    else if (random % 64 == 1)
        put32(s, &role->session, session + 1);
    else if (random % 64 < 32)
        put32(s, &role->session, session | 1);
    else if (random % 64 < 48)
        put32(s, &role->peer_ended, session ^ (uint32_t)(random >> 32 & 3));
    else
        put32(s, &role->pid, (uint32_t)(random >> 32));
}

/* A header that fits to the end of the data, mostly; records of 8 bytes can never be too long. */
static void smart_record(struct scribbler_state *s)
{
    const shmring_geometry *geometry = s->it->geometry;
    uint64_t random = dice(s), at = below(s, geometry->capacity / 8) * 8;
    uint64_t to_end = geometry->capacity - at, type = random & UINT64_C(0xf0000000000);
    uint64_t length = random % 2 == 0 ? 0 : random >> 8 & (RECORD_MAX - 1);
    shmring_word64 *header = word_of(s, (geometry->data_offset + at) / 8);

    if (length + 8 > to_end)
        length = to_end - 8;
    if (random >> 20 & 0x7ff)
        put64(s, header, type | length);
    else if (random >> 31 & 1)
        put64(s, header, (edge(s, to_end - 8, geometry->capacity) & UINT32_MAX) | type);
    else if (random >> 32 & 1)
        put64(s, header, type | (to_end - 8) | SHMRING_RECORD_SKIP);
    else
        put64(s, header, edge(s, geometry->max_message, 8) | SHMRING_RECORD_SKIP);
}

/* Both ends of a ring of two, or of the two halves of a link that one side writes. */
static void smart_spsc(struct scribbler_state *s)
{
    const shmring_geometry *geometry = s->it->geometry;
    const uint8_t *others = s->it->others != NULL ? s->it->others : s->base;
    struct shmring_role *producer = role_at(s->base, geometry->producer_offset);
    struct shmring_role *consumer = role_at(s->base, geometry->consumer_offset);
    /* relaxed: all here is. What the other side has done with what is written here, */
    uint64_t read = shmring_load64_relaxed(&role_at(others, geometry->consumer_offset)->pos);
    uint64_t written = shmring_load64_relaxed(&role_at(others, geometry->producer_offset)->pos);
    /* relaxed: and what was said so far. */
    uint64_t tail = shmring_load64_relaxed(&producer->pos);
    uint64_t head = shmring_load64_relaxed(&consumer->pos), random = dice(s);
    uint64_t step = 8 * (1 + (random >> 32 & 31));
    bool bad = (random >> 40 & 255) == 0;

    if (random % 16 < 10) {
        smart_record(s);
    } else if (random % 16 < 12) {
        if (tail - read > geometry->capacity)
            tail = read; /* from the last bad one to a good one */
        else if (tail + step - read <= geometry->capacity)
            tail += step;
        put64(s, &producer->pos, bad ? edge(s, tail, geometry->capacity) : tail);
    } else if (random % 16 < 14) {
        head = written - (head + step) > geometry->capacity ? written : head + step;
        put64(s, &consumer->pos, bad ? edge(s, head, geometry->capacity) : head);
    } else if (random % 16 == 14) {
        smart_sleep(s, random >> 9 & 1 ? &producer->bell : &consumer->bell,
                    random >> 10 & 1 ? &producer->wake_at : &consumer->wake_at,
                    random >> 11 & 1 ? written : read);
    } else if (random >> 12 & 1) {
        smart_header(s);
    } else {
        smart_session(s, random >> 9 & 1 ? producer : consumer);
    }
}

/* Another word that a slot may have where everybody is about the tail, or nearly. */
static uint64_t smart_word(struct scribbler_state *s, uint64_t tail)
{
    static const uint64_t kinds[] = {SHMRING_WORD_FREE, SHMRING_WORD_CLAIMED, SHMRING_WORD_TAKEN};
    uint64_t random = dice(s);
    uint64_t lap = (tail / s->it->geometry->capacity + 1) * SHMRING_WORD_ONE_LAP;
    uint64_t kind = kinds[(random >> 32) % 3];
    uint64_t owner =
        random % 32 == 0 ? random >> 40 & SHMRING_WORD_OWNER_MASK : 1 + (random >> 40) % VICTIMS;

    if ((random >> 8 & 511) == 0)
        lap = edge(s, lap, SHMRING_WORD_ONE_LAP) & SHMRING_WORD_LAP_MASK;
    else if (random >> 17 & 1)
        lap -= SHMRING_WORD_ONE_LAP;
    if ((random >> 20 & 1023) == 0)
        return dice(s);
    if (kind == SHMRING_WORD_FREE)
        return lap;
    return lap | kind | ((random >> 24 & 7) != 0 ? owner : SHMRING_WORD_REDELIVERED);
}

static uint64_t smart_label(struct scribbler_state *s)
{
    const shmring_geometry *geometry = s->it->geometry;
    uint64_t random = dice(s), length = random >> 8 & 63, filled = random << 31 & 1ULL << 31;

    if (length > geometry->element_size)
        length = geometry->element_size;
    if ((random >> 16 & 1023) == 0)
        length = edge(s, geometry->element_size, geometry->slot_stride) & SHMRING_LABEL_LENGTH_MASK;
    return (random >> 40 & 3) << 32 | filled | length;
}

static void smart_member(struct scribbler_state *s)
{
    const shmring_geometry *geometry = s->it->geometry;
    uint64_t random = dice(s);
    uint64_t id = random % 4096 == 0 ? random >> 32 & SHMRING_MEMBER_MAX
                                     : VICTIMS + 1 + (random >> 32) % FEW_MEMBERS;
    struct shmring_member_record *record =
        (struct shmring_member_record *)(void *)(s->base + geometry->members_offset) +
        (random % 4096 == 1 ? 1 + (random >> 32) % VICTIMS : id);

    if (random >> 12 & 1)
        put32(s, &record->session, (uint32_t)(random >> 48 & 15));
    else if (random >> 13 & 1)
        put32(s, &record->role, (uint32_t)(random >> 48 & 3));
    else if (random >> 14 & 1)
        put64(s, &record->held_since, random);
    else
        put32(s, &record->died, (uint32_t)(random >> 48 & 15));
}

static void smart_mpmc(struct scribbler_state *s)
{
    const shmring_geometry *geometry = s->it->geometry;
    struct shmring_mpmc_control *control = (void *)(s->base + geometry->control_offset);
    struct shmring_mpmc_entry *entry =
        (struct shmring_mpmc_entry *)(void *)(s->base + geometry->entries_offset) +
        below(s, geometry->capacity);
    uint64_t random = dice(s), near = random >> 40 & 15;
    struct shmring_event *event = random >> 8 & 1 ? &control->messages : &control->room;
    shmring_word64 *hint = random >> 9 & 1 ? &control->tail_hint : &control->head_hint;
    shmring_word32 *const counts[] = {control->joined, control->left, control->died};

    /* relaxed: all here is. */
    if (random % 16 < 7) {
        put_at(s, s->words - 1 - below(s, s->words - geometry->data_offset / 8), random);
    } else if (random % 16 < 10) {
        put64(s, &entry->word, smart_word(s, shmring_load64_relaxed(&control->tail_hint)));
    } else if (random % 16 < 12) {
        put64(s, &entry->label, smart_label(s));
    } else if (random % 16 == 12) {
        put64(s, hint,
              random >> 10 & 1023 ? shmring_load64_relaxed(hint) + near % 4 - 1
                                  : edge(s, near, geometry->capacity));
        put32(s, &control->orphan_epoch, (uint32_t)(random >> 50));
    } else if (random % 16 == 13) {
        smart_sleep(s, &event->bell, &event->wake_at, near);
    } else if (random % 16 == 14) {
        smart_member(s);
    } else if (random >> 16 & 1) {
        smart_header(s);
    } else {
        put32(s, &counts[(random >> 10) % 3][random >> 20 & 1 ? 1 : 2], (uint32_t)near);
    }
}

/* The headers that somebody is about to look at, all of them, in turn good and too long, as fast as
 * it goes: who loads one twice may see both. The last ones are good. */
static void change_headers(struct scribbler_state *s, uint64_t read, uint64_t bad, uint32_t count)
{
    const shmring_geometry *geometry = s->it->geometry;

    while (count-- > 0) {
        uint64_t at = (read + 8 * (count % NEXT)) & (geometry->capacity - 8);
        uint64_t length = bad != 0 ? bad : geometry->capacity - at;

        put64(s, word_of(s, (geometry->data_offset + at) / 8), count / NEXT % 2 == 0 ? 0 : length);
    }
}

static void change_spsc(struct scribbler_state *s, uint32_t count)
{
    const shmring_geometry *geometry = s->it->geometry;
    const uint8_t *others = s->it->others != NULL ? s->it->others : s->base;
    struct shmring_role *producer = role_at(s->base, geometry->producer_offset);
    /* relaxed: all here is. */
    uint64_t read = shmring_load64_relaxed(&role_at(others, geometry->consumer_offset)->pos);
    uint64_t tail = shmring_load64_relaxed(&producer->pos), random = dice(s);
    uint64_t bad = edge(s, tail, geometry->capacity);

    if (random % 8 != 0)
        change_headers(s, read, random >> 8 & 1 ? random >> 9 & 0x7ff : 0, count);
    else
        while (count-- > 0)
            put64(s, &producer->pos, count % 2 == 0 ? tail : bad);
}

/* All slots are used, lap after lap, faster than anybody walks over them. */
static void run_away(struct scribbler_state *s, uint64_t count)
{
    const shmring_geometry *geometry = s->it->geometry;
    struct shmring_mpmc_entry *entries = (void *)(s->base + geometry->entries_offset);
    /* relaxed: all here is. */
    uint64_t lap = shmring_load64_relaxed(&entries->word) & SHMRING_WORD_LAP_MASK;

    for (uint64_t i = 0; i < count; i++) {
        lap += i % geometry->capacity == 0 ? SHMRING_WORD_ONE_LAP : 0;
        put64(s, &entries[i % geometry->capacity].word, lap);
    }
}

/* One label, which in the end is as it was: so others come far enough to meet it. */
static void change_mpmc(struct scribbler_state *s, uint32_t count)
{
    const shmring_geometry *geometry = s->it->geometry;
    struct shmring_mpmc_entry *entries = (void *)(s->base + geometry->entries_offset);
    shmring_word64 *label = &entries[below(s, geometry->capacity)].label;
    uint64_t random = dice(s), size = geometry->element_size;
    uint64_t bad = random >> 8 & 1 ? size : size + 1 + (random >> 9 & 0xfff);
    /* relaxed: all here is. */
    uint64_t good = shmring_load64_relaxed(label);

    if (random % 64 == 1) {
        run_away(s, count * (uint64_t)RUN_FACTOR);
        return;
    }
    while (count-- > 0)
        put64(s, label, count % 2 == 0 ? good : SHMRING_LABEL_FILLED | bad);
}

void scribble_to_and_fro(struct scribbler_state *s, uint32_t count)
{
    if (s->it->geometry->kind == SHMRING_KIND_MPMC)
        change_mpmc(s, count);
    else
        change_spsc(s, count);
}

void scribble_what_could_be(struct scribbler_state *s, uint32_t count)
{
    while (count-- > 0)
        if (s->it->geometry->kind == SHMRING_KIND_MPMC)
            smart_mpmc(s);
        else
            smart_spsc(s);
}

void scribble_right(struct scribbler_state *s)
{
    const shmring_geometry *geometry = s->it->geometry;
    const uint8_t *others = s->it->others;

    if (others == NULL) {
        for (uint64_t i = 0; i < s->words; i++)
            put_at(s, i, s->copies[0][i]);
        return;
    }
    struct shmring_role *producer = role_at(s->base, geometry->producer_offset);
    struct shmring_role *consumer = role_at(s->base, geometry->consumer_offset);
    const struct shmring_role *reader = role_at(others, geometry->consumer_offset);
    const struct shmring_role *writer = role_at(others, geometry->producer_offset);

    for (uint64_t at = 0; at < geometry->capacity; at += 8)
        put64(s, word_of(s, (geometry->data_offset + at) / 8), 0);
    /* relaxed: all here is. */
    put64(s, &producer->pos, shmring_load64_relaxed(&reader->pos));
    put64(s, &consumer->pos, shmring_load64_relaxed(&writer->pos));
    put32(s, &producer->session, 1);
    put32(s, &consumer->session, 1);
}

/* SPDX-License-Identifier: MIT */
#include "hostile.h"

#include <shmring/atomic.h>
#include <string.h>

/* What the other side does shows in what the library does: coverage of this file says nothing. */
#if defined(__clang__)
#pragma clang attribute push(__attribute__((no_sanitize("coverage", "undefined"))),                \
                             apply_to = function)
#endif

/* What is done to a word. */
enum deed {
    LEAVE,
    ADD,      /* a signed byte, times 8: positions */
    ADD_HIGH, /* a signed byte, above the low 16 bits: laps */
    FLIP,     /* one bit */
    SET,      /* eight bytes */
    LOW,      /* two bytes: kind, owner and flags of a slot; of a label, the length */
    EDGE,     /* a number at which something may overflow */
    AGAIN,    /* what was seen or stored in the ring before, here or elsewhere */
};

enum {
    PAGES_MAX = 64,
    SEEN = 16,
    /* Of the members only the first are hostile: a walk over all 4095 would use up the script. */
    MEMBERS = 8,
};

static const uint64_t edges[16] = {
    0,
    1,
    UINT64_MAX,
    UINT64_C(1) << 63,
    (UINT64_C(1) << 63) - 1,
    UINT64_C(1) << 32,
    UINT32_MAX,
    UINT64_C(1) << 31,
    (UINT64_C(1) << 31) - 1,
    UINT64_C(1) << 30,
    UINT64_C(0x80000008),
    UINT64_C(0x8000000000000000) + 4096,
    UINT64_MAX - 7,
    UINT64_C(0xffff800000000000),
    UINT64_C(0x0000800000000000),
    4096,
};

static struct {
    uint8_t *base;
    size_t size;
    uint64_t calm_from, calm_size; /* the records that are left alone */
    fuzz_input script;
    const uint8_t *script_start;
    uint64_t patience;
    uint8_t peace; /* looks until the next byte of the script */
    uint64_t looks, looks_max;
    const char *call;
    uint64_t seen[SEEN];
    unsigned seen_count;
    uint64_t written; /* pages, by bit: to be cleared */
    uint64_t may_store[2], may_store_size[2];
} hostile;

void hostile_begin(const fuzz_region *region, fuzz_input script, uint64_t patience)
{
    if (hostile.base != NULL) {
        for (uint64_t page = 0; page < PAGES_MAX; page++)
            if ((hostile.written >> page & 1) != 0)
                memset(hostile.base + page * SHMRING_PAGE_SIZE, 0, SHMRING_PAGE_SIZE);
    }
    memset(&hostile, 0, sizeof hostile);
    hostile.base = region->base;
    hostile.size = (size_t)region->geometry.total_size;
    fuzz_expect(hostile.size <= (size_t)PAGES_MAX * SHMRING_PAGE_SIZE, "the ring is small");
    if (region->geometry.kind == SHMRING_KIND_MPMC) {
        uint64_t skipped = MEMBERS * sizeof(struct shmring_member_record);

        hostile.calm_from = region->geometry.members_offset + skipped;
        hostile.calm_size = region->geometry.entries_offset - hostile.calm_from;
    }
    hostile.script = script;
    hostile.script_start = script.at;
    hostile.patience = fuzz_left(&script) != 0 ? patience : 0;
    hostile.looks_max = UINT64_MAX;
    hostile_expect_stores(hostile.base, hostile.size, hostile.base, 0);
}

void hostile_expect_looks(uint64_t at_most, const char *call)
{
    hostile.looks_max = hostile.looks + at_most;
    hostile.call = call;
}

void hostile_expect_stores(const void *from, size_t size, const void *from_too, size_t size_too)
{
    hostile.may_store[0] = (uintptr_t)from - (uintptr_t)hostile.base;
    hostile.may_store_size[0] = size;
    hostile.may_store[1] = (uintptr_t)from_too - (uintptr_t)hostile.base;
    hostile.may_store_size[1] = size_too;
}

/* Is there anything left to do for the other side? */
static bool is_alive(void)
{
    if (fuzz_left(&hostile.script) != 0)
        return true;
    if (hostile.looks >= hostile.patience)
        return false;
    hostile.script.at = hostile.script_start;
    return true;
}

/* The next byte, if it is due; else 0. */
static uint8_t next_order(void)
{
    if (hostile.peace != 0) {
        hostile.peace--;
        return 0;
    }
    if (!is_alive())
        return 0;
    uint8_t order = fuzz_byte(&hostile.script);

    if (order == 0)
        hostile.script_start = hostile.script.at;
    hostile.peace = order >> 3;
    return order & 7;
}

uint8_t hostile_choice(void)
{
    return next_order();
}

static uint64_t disturbed(uint64_t is, enum deed deed)
{
    int8_t by;

    switch (deed) {
    case ADD:
        by = (int8_t)fuzz_byte(&hostile.script);
        return is + (uint64_t)((int64_t)by * 8);
    case ADD_HIGH:
        by = (int8_t)fuzz_byte(&hostile.script);
        return is + (uint64_t)((int64_t)by * 65536);
    case FLIP:
        return is ^ UINT64_C(1) << fuzz_byte(&hostile.script) % 64;
    case SET:
        return fuzz_number(&hostile.script, 8);
    case LOW:
        return (is & ~UINT64_C(0xffff)) | fuzz_number(&hostile.script, 2);
    case EDGE:
        return edges[fuzz_byte(&hostile.script) % 16];
    case AGAIN:
        return hostile.seen[fuzz_byte(&hostile.script) % SEEN];
    default:
        return is;
    }
}

static void remember(uint64_t value)
{
    hostile.seen[hostile.seen_count++ % SEEN] = value;
}

void hostile_note_written(const void *place, uint64_t length)
{
    uint64_t at = (uintptr_t)place - (uintptr_t)hostile.base;

    if (length == 0)
        return;
    for (uint64_t page = at / SHMRING_PAGE_SIZE; page <= (at + length - 1) / SHMRING_PAGE_SIZE;
         page++)
        hostile.written |= UINT64_C(1) << page;
}

/* Before a look at a word: the other side's turn. */
static void look(const void *word, size_t size)
{
    uint64_t at = (uintptr_t)word - (uintptr_t)hostile.base, value = 0;

    if (at >= hostile.size)
        return;
    if (++hostile.looks > hostile.looks_max)
        fuzz_fail(hostile.call, (long long)hostile.looks);
    if (at - hostile.calm_from < hostile.calm_size)
        return;
    enum deed deed = (enum deed)next_order();

    memcpy(&value, word, size);
    if (deed != LEAVE) {
        value = disturbed(value, deed);
        memcpy(hostile.base + at, &value, size);
        hostile_note_written(word, size);
    }
    remember(value);
}

/* Before the library stores. */
static void store(const void *word, size_t size, uint64_t value)
{
    uint64_t at = (uintptr_t)word - (uintptr_t)hostile.base;

    if (at >= hostile.size)
        return;
    fuzz_expect(at - hostile.may_store[0] < hostile.may_store_size[0] ||
                    at - hostile.may_store[1] < hostile.may_store_size[1],
                "each side writes only what is its own");
    hostile_note_written(word, size);
    remember(value);
}

void hostile_set64(uint64_t offset, uint64_t value)
{
    memcpy(hostile.base + offset, &value, sizeof value);
    hostile_note_written(hostile.base + offset, sizeof value);
}

void hostile_set32(uint64_t offset, uint32_t value)
{
    memcpy(hostile.base + offset, &value, sizeof value);
    hostile_note_written(hostile.base + offset, sizeof value);
}

uint32_t hostile_load32(const shmring_word32 *word)
{
    look(word, sizeof *word);
    return word->raw;
}

uint64_t hostile_load64(const shmring_word64 *word)
{
    look(word, sizeof *word);
    return word->raw;
}

void hostile_store32(shmring_word32 *word, uint32_t value)
{
    store(word, sizeof *word, value);
    word->raw = value;
}

void hostile_store64(shmring_word64 *word, uint64_t value)
{
    store(word, sizeof *word, value);
    word->raw = value;
}

bool hostile_cas32(shmring_word32 *word, uint32_t *expected, uint32_t desired)
{
    uint32_t is = hostile_load32(word);
    bool swaps = is == *expected;

    *expected = is;
    if (swaps)
        hostile_store32(word, desired);
    return swaps;
}

bool hostile_cas64(shmring_word64 *word, uint64_t *expected, uint64_t desired)
{
    uint64_t is = hostile_load64(word);
    bool swaps = is == *expected;

    *expected = is;
    if (swaps)
        hostile_store64(word, desired);
    return swaps;
}

void hostile_add32(shmring_word32 *word, uint32_t value)
{
    hostile_store32(word, word->raw + value);
}

void hostile_add64(shmring_word64 *word, uint64_t value)
{
    hostile_store64(word, word->raw + value);
}

#if defined(__clang__)
#pragma clang attribute pop
#endif

/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include "clock.h"

#include <string.h>

enum {
    ROUND_TRIPS = 4000,
    MIDDLE = ROUND_TRIPS / 2,
    TICKS_MAX = 1 << 16, /* more, some 25 us, is as far away as can be */
};

/* The middle one. Not by qsort(), which may allocate: an interrupt leaves this at any point. */
static uint64_t middle_of(const uint64_t *ticks)
{
    static uint32_t counts[TICKS_MAX];
    uint64_t middle = 0;
    uint32_t seen = 0;

    memset(counts, 0, sizeof counts);
    for (int i = 0; i < ROUND_TRIPS; i++)
        counts[ticks[i] < TICKS_MAX ? ticks[i] : TICKS_MAX - 1]++;
    while ((seen += counts[middle]) <= MIDDLE)
        middle++;
    return middle;
}

/* No pause: the line itself is the measure. */
static inline void await(const shmring_word64 *line, uint64_t value)
{
    while (shmring_load64_acquire(line) != value)
        continue;
}

uint32_t probe_ask(struct probe *probe)
{
    static uint64_t ticks[ROUND_TRIPS];
    uint64_t last = stamp();

    for (uint64_t i = 0; i < ROUND_TRIPS; i++) {
        shmring_store64_release(&probe->line, 2 * i + 1);
        await(&probe->line, 2 * i + 2);
        uint64_t now = stamp();

        ticks[i] = now - last;
        last = now;
    }
    return (uint32_t)((double)middle_of(ticks) * stamp_ns + 0.5);
}

void probe_answer(struct probe *probe)
{
    for (uint64_t i = 0; i < ROUND_TRIPS; i++) {
        await(&probe->line, 2 * i + 1);
        shmring_store64_release(&probe->line, 2 * i + 2);
    }
}

static enum place place_at(uint32_t ns, const struct place_limits *limits)
{
    if (ns < limits->smt_below)
        return PLACE_SMT;
    return ns < limits->l3_below ? PLACE_L3 : PLACE_CROSS_L3;
}

enum place place_of(uint32_t before_ns, uint32_t after_ns, const struct place_limits *limits)
{
    enum place before = place_at(before_ns, limits);

    return before == place_at(after_ns, limits) ? before : PLACE_MIXED;
}

const char *place_name(enum place place)
{
    static const char *const names[PLACE_COUNT] = {"same-core", "smt", "l3", "cross-l3", "mixed"};

    return names[place];
}

/* SPDX-License-Identifier: MIT */
/*
 * Times without a take. Each consumer notes its own, from some length on. The crowd stood still
 * where gaps of all consumers overlap; so it takes no clock that they would have to share.
 */
#include "crowd/crowd.h"

#include <string.h>

/* The log is full: forgets the short ones, and what is short doubles, until half of it is free. */
static void thin_out(struct crowd_member *self)
{
    do {
        uint32_t kept = 0;

        self->gap_min *= 2;
        for (uint32_t i = 0; i < self->gap_count; i++)
            if (self->gaps[i].end - self->gaps[i].begin >= self->gap_min)
                self->gaps[kept++] = self->gaps[i];
        self->gap_count = kept;
    } while (self->gap_count > CROWD_GAPS_MAX / 2);
}

__attribute__((noinline)) void crowd_note_gap(struct crowd_member *self, uint64_t now)
{
    if (self->gap_count == CROWD_GAPS_MAX)
        thin_out(self);
    if (now - self->last >= self->gap_min)
        self->gaps[self->gap_count++] = (struct crowd_gap){self->last, now};
}

static uint64_t longest(const struct crowd_gap *gaps, uint32_t count, uint64_t begin, uint64_t end)
{
    uint64_t longest = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t from = gaps[i].begin > begin ? gaps[i].begin : begin;
        uint64_t to = gaps[i].end < end ? gaps[i].end : end;

        if (to > from && to - from > longest)
            longest = to - from;
    }
    return longest;
}

static uint64_t least_noted(const struct crowd *crowd)
{
    uint64_t least = 0;

    for (uint32_t i = 0; i < crowd->consumers; i++)
        if (crowd->members[crowd->producers + i].gap_min > least)
            least = crowd->members[crowd->producers + i].gap_min;
    return least;
}

uint64_t crowd_own_gap(const struct crowd *crowd, uint64_t begin, uint64_t end)
{
    uint64_t result = least_noted(crowd);

    for (uint32_t i = 0; i < crowd->consumers; i++) {
        const struct crowd_member *member = &crowd->members[crowd->producers + i];
        uint64_t own = longest(member->gaps, member->gap_count, begin, end);

        result = own > result ? own : result;
    }
    return result;
}

/* What lies in common and in a gap of the member, in order; into ret_common. There are at most as
 * many overlaps as gaps on both sides. */
static uint32_t overlap(const struct crowd_gap *common, uint32_t count,
                        const struct crowd_member *member, struct crowd_gap *ret_common)
{
    uint32_t at = 0, own = 0, found = 0;

    while (at < count && own < member->gap_count && found < 2 * CROWD_GAPS_MAX) {
        const struct crowd_gap *left = &common[at], *right = &member->gaps[own];
        uint64_t begin = left->begin > right->begin ? left->begin : right->begin;
        uint64_t end = left->end < right->end ? left->end : right->end;

        if (end > begin && end - begin >= member->gap_min)
            ret_common[found++] = (struct crowd_gap){begin, end};
        if (left->end < right->end)
            at++;
        else
            own++;
    }
    return found;
}

uint64_t crowd_common_gap(const struct crowd *crowd, uint64_t begin, uint64_t end)
{
    static struct crowd_gap lists[2][2 * CROWD_GAPS_MAX];
    const struct crowd_member *first = &crowd->members[crowd->producers];
    uint32_t count = first->gap_count, which = 0;
    uint64_t least = least_noted(crowd);

    memcpy(lists[0], first->gaps, count * sizeof first->gaps[0]);
    for (uint32_t i = 1; i < crowd->consumers; i++, which = !which)
        count = overlap(lists[which], count, &first[i], lists[!which]);
    uint64_t result = longest(lists[which], count, begin, end);

    return result > least ? result : least;
}

/* SPDX-License-Identifier: MIT */
/* What a scribbler consists of: all of it runs in one thread. */
#ifndef SHMRING_TESTS_SCRIBBLER_PARTS_H
#define SHMRING_TESTS_SCRIBBLER_PARTS_H

#include "scribbler.h"

enum { SCRIBBLER_COPIES = 4 };

struct scribbler_state {
    const struct scribbler *it;
    uint8_t *base;
    uint64_t random, stores, control, futexes;
    uint64_t words;                     /* of the ring */
    uint64_t *copies[SCRIBBLER_COPIES]; /* of it; the first is how it began */
};

/* So many values that could be, each into a field that it could be in. */
void scribble_what_could_be(struct scribbler_state *s, uint32_t count);

/* What was good and what was not, in turn, into what somebody is about to look at. */
void scribble_to_and_fro(struct scribbler_state *s, uint32_t count);

/* All as if nothing had been: a ring as it began, or an end that has come as far as the other. */
void scribble_right(struct scribbler_state *s);

/* splitmix64 */
static inline uint64_t dice(struct scribbler_state *s)
{
    uint64_t z = s->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint64_t below(struct scribbler_state *s, uint64_t limit)
{
    return (dice(s) >> 32) * limit >> 32;
}

static inline void put64(struct scribbler_state *s, shmring_word64 *word, uint64_t value)
{
    shmring_store64_relaxed(word, value);
    s->stores++;
    s->control++;
}

static inline void put32(struct scribbler_state *s, shmring_word32 *word, uint32_t value)
{
    shmring_store32_relaxed(word, value);
    s->stores++;
    s->control++;
}

static inline shmring_word64 *word_of(const struct scribbler_state *s, uint64_t index)
{
    return (shmring_word64 *)(void *)s->base + index;
}

/* Where the messages of a ring of many lie, nobody judges by anything. */
static inline void put_at(struct scribbler_state *s, uint64_t index, uint64_t value)
{
    const shmring_geometry *geometry = s->it->geometry;

    put64(s, word_of(s, index), value);
    s->control -= geometry->kind == SHMRING_KIND_MPMC && index >= geometry->data_offset / 8;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What a ring of many is, if one call comes after the other: slots, each at a position, in a state.
 * Of the text in mpmc.h only what it says that it does; no hints, no bets, no words.
 */
#ifndef SHMRING_FUZZ_MPMC_MODEL_H
#define SHMRING_FUZZ_MPMC_MODEL_H

#include "fuzz.h"

#include <shmring/mpmc.h>

enum { MODEL_SLOTS_MAX = 32 };

enum model_state { MODEL_FREE, MODEL_WRITING, MODEL_READY, MODEL_READING, MODEL_ORPHAN };

struct model_slot {
    enum model_state state;
    uint64_t pos;
    uint32_t owner; /* a number that no other member ever has */
    uint32_t number, length, type;
    bool redelivered;
};

struct model {
    uint32_t count;
    bool redeliver;
    uint64_t frontier; /* the next position */
    struct model_slot slots[MODEL_SLOTS_MAX];
    uint64_t dropped, redelivered;
};

void model_begin(struct model *model, uint32_t slots, bool redeliver);

/* The slot that the member gets, or NULL: full. */
struct model_slot *model_claim(struct model *model, uint32_t owner);

/* Is the message in the slot one that a take with that wish may get? There must be none better. */
bool model_may_take(const struct model *model, const struct model_slot *slot,
                    enum shmring_mpmc_wish wish, uint32_t type);

/* Is there none that it may get? */
bool model_finds_none(const struct model *model, enum shmring_mpmc_wish wish, uint32_t type);

void model_take(struct model *model, struct model_slot *slot, uint32_t owner);

/* The member is gone: what it held. */
void model_lose(struct model *model, uint32_t owner);

uint64_t model_ready(const struct model *model);

#endif

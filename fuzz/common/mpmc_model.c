/* SPDX-License-Identifier: MIT */
#include "mpmc_model.h"

#include <string.h>

void model_begin(struct model *model, uint32_t slots, bool redeliver)
{
    memset(model, 0, sizeof *model);
    model->count = slots;
    model->redeliver = redeliver;
    model->frontier = slots; /* one lap later than in the ring, so that all have a position */
    for (uint32_t i = 0; i < slots; i++)
        model->slots[i].pos = i;
}

static bool is_any_free(const struct model *model)
{
    for (uint32_t i = 0; i < model->count; i++)
        if (model->slots[i].state == MODEL_FREE)
            return true;
    return false;
}

/* The frontier moves over what is held, which goes to the tail. An orphan is a message again. */
struct model_slot *model_claim(struct model *model, uint32_t owner)
{
    for (uint32_t carried = 0;;) {
        struct model_slot *slot = &model->slots[model->frontier % model->count];

        if (slot->state == MODEL_READY)
            return NULL;
        if (slot->state != MODEL_FREE && carried == model->count) {
            if (!is_any_free(model))
                return NULL;
            carried = 0;
        }
        slot->pos = model->frontier++;
        if (slot->state == MODEL_FREE) {
            slot->state = MODEL_WRITING;
            slot->owner = owner;
            slot->redelivered = false;
            return slot;
        }
        carried++;
        if (slot->state == MODEL_ORPHAN) {
            slot->state = MODEL_READY;
            slot->redelivered = true;
            model->redelivered++;
        }
    }
}

static bool is_wanted(const struct model_slot *slot, enum shmring_mpmc_wish wish, uint32_t type)
{
    switch (wish) {
    case SHMRING_TAKE_EQUAL:
        return slot->type == type;
    case SHMRING_TAKE_EXCEPT:
        return slot->type != type;
    case SHMRING_TAKE_LOWEST:
        return slot->type <= type;
    case SHMRING_TAKE_HIGHEST:
        return slot->type >= type;
    default:
        return true;
    }
}

/* Both are wanted. Of orphans of one type it does not matter which. */
static bool is_better(const struct model_slot *one, const struct model_slot *other,
                      enum shmring_mpmc_wish wish)
{
    if (wish == SHMRING_TAKE_LOWEST && one->type != other->type)
        return one->type < other->type;
    if (wish == SHMRING_TAKE_HIGHEST && one->type != other->type)
        return one->type > other->type;
    return one->state == MODEL_READY && one->pos < other->pos;
}

/* Messages come before orphans. */
static enum model_state what_comes(const struct model *model, enum shmring_mpmc_wish wish,
                                   uint32_t type)
{
    enum model_state found = MODEL_FREE;

    for (uint32_t i = 0; i < model->count; i++) {
        const struct model_slot *slot = &model->slots[i];

        if (slot->state == MODEL_READY && is_wanted(slot, wish, type))
            return MODEL_READY;
        if (slot->state == MODEL_ORPHAN && is_wanted(slot, wish, type))
            found = MODEL_ORPHAN;
    }
    return found;
}

bool model_may_take(const struct model *model, const struct model_slot *slot,
                    enum shmring_mpmc_wish wish, uint32_t type)
{
    enum model_state state = what_comes(model, wish, type);

    if (state == MODEL_FREE || slot->state != state || !is_wanted(slot, wish, type))
        return false;
    for (uint32_t i = 0; i < model->count; i++)
        if (model->slots[i].state == state && is_wanted(&model->slots[i], wish, type) &&
            is_better(&model->slots[i], slot, wish))
            return false;
    return true;
}

bool model_finds_none(const struct model *model, enum shmring_mpmc_wish wish, uint32_t type)
{
    return what_comes(model, wish, type) == MODEL_FREE;
}

void model_take(struct model *model, struct model_slot *slot, uint32_t owner)
{
    if (slot->state == MODEL_ORPHAN) {
        slot->redelivered = true;
        model->redelivered++;
    }
    slot->state = MODEL_READING;
    slot->owner = owner;
}

void model_lose(struct model *model, uint32_t owner)
{
    for (uint32_t i = 0; i < model->count; i++) {
        struct model_slot *slot = &model->slots[i];

        if (slot->owner != owner)
            continue;
        if (slot->state == MODEL_WRITING) {
            slot->state = MODEL_FREE;
        } else if (slot->state == MODEL_READING) {
            slot->state = model->redeliver ? MODEL_ORPHAN : MODEL_FREE;
            model->dropped += !model->redeliver;
        }
    }
}

uint64_t model_ready(const struct model *model)
{
    uint64_t ready = 0;

    for (uint32_t i = 0; i < model->count; i++)
        ready += model->slots[i].state == MODEL_READY;
    return ready;
}

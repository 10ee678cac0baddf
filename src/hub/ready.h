/* SPDX-License-Identifier: MIT */
/*
 * The channels that await a turn: one bit each. Who clears a bit has the turn. Lock-free, and a
 * thread that is stopped at any point keeps nobody from any channel but the one it has.
 */
#ifndef SHMRING_HUB_READY_H
#define SHMRING_HUB_READY_H

#include "shmring/atomic.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct hub_ready {
    shmring_word64 *words;
    uint32_t word_count;
} hub_ready;

/* For slots 0 to count - 1. 0, or -ENOMEM. */
int hub_ready_open(hub_ready *ret_ready, uint32_t count);
void hub_ready_close(hub_ready *ready);

/* By who has the turn, or has queued a channel that was idle. */
void hub_ready_set(const hub_ready *ready, uint32_t slot);

/* Takes the next turn from slot from on: the slot, or -1. */
int hub_ready_take(const hub_ready *ready, uint32_t from);

/* Does any channel await a turn? */
bool hub_ready_any(const hub_ready *ready);

#endif

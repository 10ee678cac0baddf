/* SPDX-License-Identifier: MIT */
#ifndef SHMRING_TESTS_MODEL_MEMBER_H
#define SHMRING_TESTS_MODEL_MEMBER_H

#include "shmring/member.h"

enum {
    MEMBERS_MAX = 10,
    MEMBERS_NOBODY = 15, /* who runs outside of all threads */
};

/* All places free, given to explore_keep(). */
void members_begin(void);

/* Takes all locks from a holder (the thread's number + 1), or that of an id. */
void members_lose(uint64_t holder);
void members_lose_id(uint32_t id);

#endif

/* SPDX-License-Identifier: MIT */
/* What ring.c and ring_calls.c share. */
#ifndef SHMRING_TESTS_MODEL_RING_STATE_H
#define SHMRING_TESTS_MODEL_RING_STATE_H

#include "member.h"
#include "ring.h"

enum {
    RING_SLOT_SIZE = 8,
};

struct ring_seat {
    enum shmring_member_role role;
    shmring_mpmc_producer producer;
    shmring_mpmc_consumer consumer;
    shmring_mpmc_slot slot;
    uint32_t value; /* of slot */
    bool dead;
    uint32_t calls; /* so far: where the thread is */
};

/* What the checks know. */
struct ring_seen {
    uint8_t owner[RING_SLOTS_MAX]; /* seat + 1 */
    uint8_t claiming[SPEC_SEATS];  /* has it been full since? 1 no, 2 yes */
};

extern struct ring_seat ring_seats[SPEC_SEATS];
extern struct ring_seen ring_seen;

bool ring_is_full(void);

/* The end of a call: all that the thread knows is in its seat. The next call is the same whatever
 * this one said. */
void ring_called(int seat);

#endif

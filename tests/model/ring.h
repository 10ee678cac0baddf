/* SPDX-License-Identifier: MIT */
/*
 * A claim ring under the explorer: its memory, its members, and its operations, each of which tells
 * spec.h and checks what can be checked on the way:
 *   - a slot has one owner at a time, and its message, length and type are what was sent
 *   - positions are used in order
 *   - a claim that fails had a moment in which the ring was full
 * A member sits in a seat; threads have the seats of their numbers.
 */
#ifndef SHMRING_TESTS_MODEL_RING_H
#define SHMRING_TESTS_MODEL_RING_H

#include "explore.h"
#include "spec.h"

#include "shmring/mpmc.h"

enum {
    RING_SLOTS_MAX = 64,
    RING_HELPER = SPEC_SEATS - 1, /* a seat for what is done before and after */
    RING_HOLDER = SPEC_SEATS - 2,
};

/* Makes a ring of that many slots, whose first message goes to that position. */
void ring_make(uint64_t slots, uint64_t first_pos, bool redeliver);

/* Before ring_make(): consumers look at more than the oldest message (spec.h). */
void ring_in_place(void);

/* Before ring_make(): a member may be taken for dead while it lives. */
void ring_sessions_matter(void);

/* That member's next call is on the fast path. */
void ring_bet(int seat);

/* Joins as the producer or the consumer of that seat. */
void ring_join(int seat, enum shmring_member_role role);

/* False: the ring is full. */
bool ring_claim(int seat, uint32_t value);
int ring_commit(int seat); /* 0 or -ESTALE */
void ring_abort(int seat);
bool ring_send(int seat, uint32_t value);

/* The message, with SPEC_REDELIVERED; 0: none. */
uint32_t ring_take(int seat);
uint32_t ring_take_by(int seat, enum shmring_mpmc_wish wish, uint32_t type);
void ring_release(int seat);
uint32_t ring_recv(int seat);
/* As shmring_mpmc_recv(). A message v has v bytes. */
int ring_recv_into(int seat, uint32_t buffer_size);

/* Buries the dead. */
void ring_recover(int seat);

/* The type of message v. */
uint32_t ring_type(uint32_t value);

/* For explore_program. */
void ring_died(int seat);
void ring_stepped(void);
const char *ring_name_of(const void *where);

/* That seat, which may be at work, is taken for dead by the others from now on. */
void ring_take_for_dead(int seat);
bool ring_is_buried(int seat);
bool ring_has_lost_slot(int seat);

/* Takes all that is there, sees that it is all that was sent, that the ring has all its slots, and
 * that the hints are true. Nobody holds anything any more. */
void ring_finish(void);

/* For what is against the rules. */
void ring_set_entry(uint64_t idx, uint64_t word, uint64_t label);
uint64_t ring_word(uint64_t idx);

shmring_mpmc_side *ring_side(int seat);
shmring_mpmc_producer *ring_producer(int seat);
shmring_mpmc_consumer *ring_consumer(int seat);

#endif

/* SPDX-License-Identifier: MIT */
/* How the members on the other side of a queue come and go, and whether they left something.
 * Private to the library. */
#ifndef SHMRING_QUEUE_ENDS_H
#define SHMRING_QUEUE_ENDS_H

#include "shmring/queue.h"

/* Is there, to all appearances, a message (besides those that nobody wanted so far)? If it says no,
 * there was none; if it says yes, a take may find none. */
bool queue_has_message_guess(const shmring_mpmc_consumer *consumer);

/* How many of that role were found dead so far: to be asked before one attaches, which buries those
 * who nobody has found yet. */
uint32_t queue_ends_died(const void *memory, const shmring_geometry *geometry,
                         enum shmring_member_role role);

/* From here on: what was before is no news, unless some were found dead since died was asked
 * for. */
void queue_ends_begin(shmring_queue_ends *ends, const shmring_mpmc_side *side,
                      enum shmring_member_role role, uint32_t died);

/* The end of those that were there before may still be told. */
void queue_ends_expect(shmring_queue_ends *ends);

/* Is any member of that role alive? 1, also if one has just come or gone; 0, and how many are dead
 * that nobody has found yet; or -errno as from shmring_member_probe(). Calls the kernel once for
 * each of those. */
int queue_ends_is_attended(const shmring_mpmc_side *side, enum shmring_member_role role,
                           uint32_t *ret_unburied);

/* Has one of them left since? */
bool queue_ends_has_news(const shmring_queue_ends *ends, const shmring_mpmc_side *side,
                         enum shmring_member_role role);

/*
 * Buries the dead, and looks for the living. Returns 0: one is alive, or nobody came since the last
 * end was told; -EPIPE, -EOWNERDEAD (one that was not told of has died): how they came to their
 * end; or as from shmring_mpmc_recover(). *ret_now: what is told by queue_ends_told(). *ret_buried:
 * others may find something now.
 */
int queue_ends_look(shmring_queue_ends *ends, shmring_mpmc_side *side,
                    enum shmring_member_role role, shmring_queue_ends *ret_now, bool *ret_buried);

/* The dead have left messages, or room: those who sleep for them are woken. */
void queue_ends_wake(const shmring_eventcount *messages, const shmring_eventcount *room);

void queue_ends_told(shmring_queue_ends *ends, const shmring_queue_ends *now);

#endif

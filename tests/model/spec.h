/* SPDX-License-Identifier: MIT */
/*
 * What a ring of messages has to look like from outside: a queue, whose operations each happen at
 * one moment between their call and their return (linearizability). A send is one operation, from
 * claim to commit.
 *
 * Kept is the set of all that could be so: each possibility is the content of the queue, and for
 * each operation that has not returned, whether it has happened yet. A return that fits none of
 * them is a failure.
 */
#ifndef SHMRING_TESTS_MODEL_SPEC_H
#define SHMRING_TESTS_MODEL_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#ifndef SPEC_MAX
#define SPEC_MAX 96 /* possibilities at a time */
#endif

enum {
    SPEC_SEATS = 8,
    SPEC_VALUES = 7,      /* messages are 1 to SPEC_VALUES; 0 is none */
    SPEC_REDELIVERED = 8, /* added to a message that came back from the dead */
    SPEC_UNSENT = 16,     /* added inside, to a place that has no message yet */
};

/*
 * Clears it, and gives it to explore_keep(). in_place: who looks at more than the oldest message
 * sees that a message has its place in the queue from claim, and shows there from commit. So a send
 * is two operations then; between them its place may go to the tail (it was carried).
 * deaths: what the dead held may come back: as the newest message, or to a take that finds nothing.
 */
void spec_begin(bool in_place, bool deaths);

void spec_send_called(int seat, uint32_t value);
void spec_claim_returned(int seat);
void spec_commit_called(int seat);
void spec_send_returned(int seat, bool sent);
/* wanted: bit v says that message v is wanted; rank: which is best, of equals the oldest, or NULL,
 * for the oldest. One above limit (without SPEC_REDELIVERED) is the answer, but stays. */
void spec_take_called(int seat, uint32_t wanted, const uint8_t *rank, uint32_t limit);
void spec_take_returned(int seat, uint32_t value);
void spec_release_called(int seat);
void spec_release_returned(int seat);

/* Whoever sits there does no more. What it holds may come back from now on, if comes_back. */
void spec_died(int seat, bool comes_back);

/* How many possibilities there are; more than SPEC_MAX: failed. */
uint64_t spec_count(void);

/* Can all that was sent have been taken, and all that had to come back? */
bool spec_may_be_empty(void);

#endif

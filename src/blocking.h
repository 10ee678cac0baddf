/* SPDX-License-Identifier: MIT */
/* The one loop in which all calls wait that may. Private to the library. */
#ifndef SHMRING_BLOCKING_H
#define SHMRING_BLOCKING_H

#include "shmring/wait.h"

/* What the loop has to know of a call. call is what the caller of blocking_wait() passes. *ret_done
 * is false before, and to be set when what was looked for was there, and the call has it. */
struct blocking_call {
    /* 0, or why there is no sense in waiting any more. */
    int (*error)(void *call);
    /* Looks at the ring: is there what the call wants? It may take it at once. (Not called by who
     * has slept: that is up to sleep.) */
    bool (*attempt)(void *call);
    /* At low cost: may there be an end of the other side, that end() would tell? */
    bool (*has_news)(void *call);
    /* 0, or how the other side came to its end. Calls the kernel. */
    int (*end)(void *call, bool *ret_done);
    /* Arms, looks again whether there is something, sleeps until the deadline or the cap, looks
     * again. Returns 0; -ETIMEDOUT, also if it has not slept and it is time; or as from
     * shmring_wait_sleep(). */
    int (*sleep)(void *call, int64_t deadline, bool *ret_done);
};

/*
 * Until an attempt succeeds; the caller has made one in vain. watched, or NULL: the word that will
 * change when there is something. Returns 0; -ETIMEDOUT, -EINTR, -ECANCELED; or as from error(),
 * end(), sleep().
 */
int blocking_wait(const struct blocking_call *ops, void *call, shmring_pace *pace,
                  const shmring_word64 *watched, int64_t deadline);

/* A call with SHMRING_NOW was in vain: is it time to ask for the other side's life? */
bool blocking_poll_asks(shmring_pace *pace);

/* The next such call asks. */
void blocking_ask_next(shmring_pace *pace);

/* And by the clock: is it time to ask? If so, the next time is some milliseconds later, whichever
 * calls with that pace come then: none of them need last that long. */
bool blocking_is_due(shmring_pace *pace, int64_t now);

/* For who polls the descriptor, and calls with SHMRING_NOW each time that this is over: such calls
 * are too few to be counted, and go by the clock. */
void blocking_poll_by_clock(shmring_pace *pace);

/* Lets those that wait with pace give up, from now on. They still have to be woken. */
void blocking_cancel(shmring_pace *pace);
void blocking_resume(shmring_pace *pace);
bool blocking_is_cancelled(const shmring_pace *pace);

#endif

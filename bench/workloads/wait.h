/* SPDX-License-Identifier: MIT */
/* Waiting in the loops: the same for all transports. */
#ifndef BENCH_WORKLOADS_WAIT_H
#define BENCH_WORKLOADS_WAIT_H

#include "shmring/wait.h"
#include "transport.h"

#include <sched.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zeroed, in C and in C++. */
BENCH_INLINE shmring_spin spin_start(void)
{
    shmring_spin spin;

    memset(&spin, 0, sizeof spin);
    return spin;
}

/* Tries in vain between two looks at the clock: of a ring as in the library, of system calls fewer,
 * because each takes as long as looking. */
enum {
    RING_TRIES_PER_LOOK = 64,
    KERNEL_TRIES_PER_LOOK = 4,
};

enum {
    YIELD_EVERY = 16, /* tries in vain in a row, if there are more who spin than processors */
    BENCH_LOSS_NS = 50000000, /* what takes longer than this was lost, where that can be */
};

/* How one side waits. An adaptive one as the calls of channel.h do. */
struct waiting {
    shmring_spin spin;
    /* Adaptive: how long to spin; when this wait began, as far as the clock was looked at, else 0;
     * has it taken too long to spin on? */
    int64_t window;
    int64_t began;
    bool sleeps;
    bool yields;          /* who it waits for may need this processor */
    int64_t silent_since; /* where messages may be lost: when this wait began, or 0 */
};

BENCH_INLINE struct waiting wait_start(void)
{
    struct waiting waiting;

    memset(&waiting, 0, sizeof waiting);
    return waiting;
}

/* What the handles of channel.h and queue.h call it. */
static inline enum shmring_wait_policy wait_policy(enum policy policy)
{
    if (policy == POLICY_SPIN)
        return SHMRING_WAIT_SPIN;
    return policy == POLICY_ADAPTIVE ? SHMRING_WAIT_ADAPTIVE : SHMRING_WAIT_BLOCK;
}

static inline void wait_look(struct waiting *waiting)
{
    int64_t now = shmring_clock();

    if (waiting->began == 0)
        waiting->began = now;
    waiting->sleeps = now - waiting->began >= waiting->window;
}

/* seq: the number of the message that is waited for. */
BENCH_INLINE void wait_once(const struct ops *ops, void *side, uint32_t size,
                            struct waiting *waiting, uint64_t seq)
{
    if (ops->sleep != NULL && (ops->tries_per_look == 0 || waiting->sleeps)) {
        ops->sleep(side, size);
        return;
    }
    shmring_spin_miss(&waiting->spin, seq);
    if (waiting->yields && waiting->spin.misses % YIELD_EVERY == 0)
        sched_yield();
    if (ops->tries_per_look != 0 && waiting->spin.misses % ops->tries_per_look == 0)
        wait_look(waiting);
}

/* It is over. What does the next one learn from that? */
BENCH_INLINE void wait_end(const struct ops *ops, struct waiting *waiting)
{
    if (ops->tries_per_look != 0) {
        int64_t waited = waiting->began != 0 ? shmring_clock() - waiting->began : 0;

        waiting->window = shmring_spin_window(waiting->window, waited);
        waiting->began = 0;
        waiting->sleeps = false;
    }
    shmring_spin_hit(&waiting->spin);
}

/* Has this wait taken so long that what it waits for was lost? */
static inline bool wait_is_vain(struct waiting *waiting)
{
    int64_t now = shmring_clock();

    if (waiting->silent_since == 0)
        waiting->silent_since = now;
    return now - waiting->silent_since >= BENCH_LOSS_NS;
}

BENCH_INLINE void wait_publish(const struct ops *ops, void *side, uint32_t size,
                               struct waiting *waiting, uint64_t seq)
{
    if (__builtin_expect(ops->publish(side, size), true))
        return;
    do
        wait_once(ops, side, size, waiting, seq);
    while (!ops->publish(side, size));
    wait_end(ops, waiting);
}

BENCH_INLINE void *wait_reserve(const struct ops *ops, void *side, uint32_t size,
                                struct waiting *waiting, uint64_t seq)
{
    void *place = ops->reserve(side, size);

    if (__builtin_expect(place != NULL, true))
        return place;
    /* What is staged is what the other side waits for. */
    wait_publish(ops, side, size, waiting, seq);
    while ((place = ops->reserve(side, size)) == NULL)
        wait_once(ops, side, size, waiting, seq);
    wait_end(ops, waiting);
    return place;
}

/* NULL: it was lost, where that can be. */
BENCH_INLINE const void *wait_next(const struct ops *ops, void *side, uint32_t size,
                                   struct waiting *waiting, uint64_t seq)
{
    const void *message = ops->next(side, size);

    if (__builtin_expect(message != NULL, true))
        return message;
    do {
        wait_once(ops, side, size, waiting, seq);
        message = ops->next(side, size);
    } while (message == NULL && !(ops->loses && wait_is_vain(waiting)));
    waiting->silent_since = 0;
    wait_end(ops, waiting);
    return message;
}

#ifdef __cplusplus
}
#endif

#endif

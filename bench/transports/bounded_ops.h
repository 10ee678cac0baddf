/* SPDX-License-Identifier: MIT */
/*
 * The operations of a bounded buffer, once for each file that includes this: not a header but a
 * part of that file, which has defined before
 *
 *   struct side                            that begins with a struct bounded
 *   bool guard_enter(side, count, waits)   counts one down, where there is one; false: it would
 *                                          have to wait, or was interrupted
 *   void guard_leave(side, count)          counts one up
 */
BENCH_INLINE uint8_t *bounded_slot(struct side *side, uint32_t size)
{
    return side->bounded.memory->slots + (size_t)side->bounded.next * size;
}

BENCH_INLINE bool bounded_enter(struct side *side, enum bounded_count count, bool waits)
{
    if (!side->bounded.inside)
        side->bounded.inside = guard_enter(side, count, waits);
    return side->bounded.inside;
}

BENCH_INLINE void bounded_leave(struct side *side, enum bounded_count count)
{
    struct bounded *bounded = &side->bounded;

    bounded->next = bounded->next + 1 < bounded->slots ? bounded->next + 1 : 0;
    bounded->inside = false;
    guard_leave(side, count);
}

BENCH_INLINE void *bounded_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (!bounded_enter(side, BOUNDED_FREE, side->bounded.waits))
        return NULL;
    return bounded_slot(side, size);
}

BENCH_INLINE void bounded_stage(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->bounded.staged = true;
}

BENCH_INLINE bool bounded_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    if (side->bounded.staged) {
        side->bounded.staged = false;
        bounded_leave(side, BOUNDED_FILLED);
    }
    return true;
}

BENCH_INLINE const void *bounded_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (!bounded_enter(side, BOUNDED_FILLED, side->bounded.waits))
        return NULL;
    return bounded_slot(side, size);
}

BENCH_INLINE void bounded_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    bounded_leave(side, BOUNDED_FREE);
}

/* The next try finds it done. */
static void bounded_sleep(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    bool produces = side->bounded.role == ROLE_PRODUCER;

    (void)size;
    bounded_enter(side, produces ? BOUNDED_FREE : BOUNDED_FILLED, true);
}

/* For spin, too: do the calls wait? */
static const struct ops block_ops = {
    .reserve = bounded_reserve,
    .stage = bounded_stage,
    .publish = bounded_publish,
    .next = bounded_next,
    .done = bounded_done,
};
static const struct ops adaptive_ops = {
    .reserve = bounded_reserve,
    .stage = bounded_stage,
    .publish = bounded_publish,
    .next = bounded_next,
    .done = bounded_done,
    .sleep = bounded_sleep,
    .tries_per_look = KERNEL_TRIES_PER_LOOK,
};

#include "workloads/adaptive_loops.h"
#include "workloads/block_loops.h"

static const struct loops *const by_policy[POLICY_COUNT] = {[POLICY_SPIN] = &block_loops,
                                                            [POLICY_ADAPTIVE] = &adaptive_loops,
                                                            [POLICY_BLOCK] = &block_loops};

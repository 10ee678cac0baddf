/* SPDX-License-Identifier: MIT */
/*
 * The operations of a mechanism that copies, once for each file that includes this: not a header
 * but a part of that file, which has defined before
 *
 *   struct side                         that begins with a struct copying
 *   bool side_send(side, size, waits)   sends the message in the buffer, or receives one into it;
 *   bool side_receive(...)              false: it would have to wait, or was interrupted, or has
 *                                       done a part; the next call goes on
 *   COPYING_LOSES                       may a message be lost?
 */
BENCH_INLINE void *copying_reserve(void *opaque, uint32_t size)
{
    struct copying *copying = (struct copying *)opaque;

    (void)size;
    return copying->buffer;
}

BENCH_INLINE void copying_stage(void *opaque, uint32_t size)
{
    struct copying *copying = (struct copying *)opaque;

    (void)size;
    copying->staged = true;
}

BENCH_INLINE bool copying_send(struct side *side, uint32_t size, bool waits)
{
    if (side->copying.staged && side_send(side, size, waits))
        side->copying.staged = false;
    return !side->copying.staged;
}

BENCH_INLINE bool copying_receive(struct side *side, uint32_t size, bool waits)
{
    if (!side->copying.have)
        side->copying.have = side_receive(side, size, waits);
    return side->copying.have;
}

BENCH_INLINE bool copying_publish(void *opaque, uint32_t size)
{
    struct side *side = (struct side *)opaque;

    return copying_send(side, size, side->copying.waits);
}

BENCH_INLINE const void *copying_next(void *opaque, uint32_t size)
{
    struct side *side = (struct side *)opaque;

    return copying_receive(side, size, side->copying.waits) ? side->copying.buffer : NULL;
}

BENCH_INLINE void copying_done(void *opaque, uint32_t size)
{
    struct copying *copying = (struct copying *)opaque;

    (void)size;
    copying->have = false;
}

/* The next try finds it done. */
static void copying_sleep(void *opaque, uint32_t size)
{
    struct side *side = (struct side *)opaque;

    if (side->copying.staged)
        copying_send(side, size, true);
    else
        copying_receive(side, size, true);
}

/* For spin, too: do the calls wait? In this form for C++ too. */
static const struct ops block_ops = {
    copying_reserve, copying_stage, copying_publish, copying_next, copying_done, NULL, 0,
    COPYING_LOSES};
static const struct ops adaptive_ops = {copying_reserve,       copying_stage, copying_publish,
                                        copying_next,          copying_done,  copying_sleep,
                                        KERNEL_TRIES_PER_LOOK, COPYING_LOSES};

#include "workloads/adaptive_loops.h"
#include "workloads/block_loops.h"

/* SPDX-License-Identifier: MIT */
/*
 * Floor of streams: whole lines of 64 bytes, written and read in full, in a ring that does nothing
 * else: no records, no checks, no roles. The index is published every so many lines, and what was
 * read is given back as lazily as our ring does it.
 */
#include "transport.h"
#include "workloads/loops.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    LINE = 64,
    LINES = BENCH_RING_BYTES / LINE,
    LAZY_LINES = (16 << 10) / LINE,
};

struct lines {
    _Alignas(128) shmring_word64 tail;
    _Alignas(128) shmring_word64 head;
    _Alignas(4096) uint8_t data[LINES][LINE];
};

struct side {
    struct lines *shared;
    uint64_t pos;       /* own position */
    uint64_t seen;      /* last sight of the other side's */
    uint64_t published; /* of the own one */
};

BENCH_INLINE void *line_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    if (side->pos - side->seen == LINES) {
        side->seen = shmring_load64_acquire(&side->shared->head);
        if (side->pos - side->seen == LINES)
            return NULL;
    }
    return side->shared->data[side->pos % LINES];
}

BENCH_INLINE void line_stage(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->pos++;
}

BENCH_INLINE bool line_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    shmring_store64_release(&side->shared->tail, side->pos);
    return true;
}

BENCH_INLINE const void *line_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    if (side->pos == side->seen) {
        side->seen = shmring_load64_acquire(&side->shared->tail);
        if (side->pos == side->seen) {
            if (side->published != side->pos)
                shmring_store64_release(&side->shared->head, side->published = side->pos);
            return NULL;
        }
    }
    return side->shared->data[side->pos % LINES];
}

BENCH_INLINE void line_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->pos++;
    if (side->pos - side->published >= LAZY_LINES)
        shmring_store64_release(&side->shared->head, side->published = side->pos);
}

static const struct ops ops = {
    .reserve = line_reserve,
    .stage = line_stage,
    .publish = line_publish,
    .next = line_next,
    .done = line_done,
};

/* Only lines: the sizes of the other transports are not instantiated. */
static void produce(void *side, struct run *run)
{
    stream_produce_batched(&ops, side, run, LINE);
}

static void consume(void *side, struct run *run)
{
    stream_consume_sized(&ops, side, run, LINE);
}

static const struct loops loops = {.produce = produce, .consume = consume};

static void *line_open(const struct shape *shape)
{
    struct side *side = bench_alloc(sizeof *side);

    (void)shape;
    if (side == NULL)
        return NULL;
    side->shared = bench_share(sizeof *side->shared);
    if (side->shared != NULL)
        return side;
    free(side);
    return NULL;
}

static void line_close(void *opaque)
{
    struct side *side = opaque;

    munmap(side->shared, sizeof *side->shared);
    free(side);
}

static void line_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size, "%d lines of %d bytes, index published every 16 (or as /bN)",
             (int)LINES, (int)LINE);
}

static const struct loops *const by_policy[POLICY_COUNT] = {[POLICY_SPIN] = &loops};

const struct transport transport_line_stream = {
    .name = "line_stream",
    .note = "floor: 64-byte lines through a bare ring",
    .is_floor = true,
    .loops = by_policy,
    .batches = {16, 64},
    .open = line_open,
    .close = line_close,
    .settings = line_settings,
};

/* SPDX-License-Identifier: MIT */
/*
 * The bounded queue for many of D. Vyukov, as a reference: an array of cells, each a sequence
 * number and a message, and two counters that are advanced by compare-and-swap. Whoever advanced
 * one owns the cell until it stores its sequence; who comes to that cell before finds the queue
 * full or empty. So the messages are written and read in place here as in our ring, and one that
 * dies in between stops all. The cells are as he has them: nothing between them, nor in them.
 */
#include "transport.h"
#include "workloads/crowd_loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    CELL_BYTES_MAX = sizeof(shmring_word64) + 64,
    MASK = BENCH_CROWD_SLOTS - 1,
};

struct queue {
    __attribute__((aligned(128))) shmring_word64 tail;
    __attribute__((aligned(128))) shmring_word64 head;
    __attribute__((aligned(4096))) uint8_t cells[BENCH_CROWD_SLOTS * CELL_BYTES_MAX];
};

struct side {
    struct queue *queue;
    shmring_word64 *cell; /* that is ours */
    uint64_t pos;         /* its */
};

BENCH_INLINE shmring_word64 *cell_at(struct queue *queue, uint64_t pos, uint32_t size)
{
    size_t cell_bytes = sizeof(shmring_word64) + size;

    return (shmring_word64 *)(void *)(queue->cells + (pos & MASK) * cell_bytes);
}

/* Owns the next cell at a counter, once its sequence is its position + ready. */
BENCH_INLINE void *own(struct side *side, shmring_word64 *counter, uint64_t ready, uint32_t size)
{
    /* relaxed: the sequence tells whether it is still so. */
    uint64_t pos = shmring_load64_relaxed(counter);

    for (;;) {
        shmring_word64 *cell = cell_at(side->queue, pos, size);
        /* Pairs with the release of who had the cell before. */
        int64_t ahead = (int64_t)(shmring_load64_acquire(cell) - (pos + ready));

        if (ahead < 0)
            return NULL;
        if (ahead > 0) {
            pos = shmring_load64_relaxed(counter);
            continue;
        }
        if (!shmring_cas64_acquire(counter, &pos, pos + 1))
            continue; /* pos is the counter now */
        side->cell = cell;
        side->pos = pos;
        return (uint8_t *)cell + sizeof *cell;
    }
}

BENCH_INLINE void *queue_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    return own(side, &side->queue->tail, 0, size);
}

BENCH_INLINE void queue_stage(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
}

BENCH_INLINE bool queue_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    shmring_store64_release(side->cell, side->pos + 1);
    return true;
}

BENCH_INLINE const void *queue_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    return own(side, &side->queue->head, 1, size);
}

BENCH_INLINE void queue_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    shmring_store64_release(side->cell, side->pos + BENCH_CROWD_SLOTS);
}

static const struct ops crowd_ops = {
    .reserve = queue_reserve,
    .stage = queue_stage,
    .publish = queue_publish,
    .next = queue_next,
    .done = queue_done,
};

#include "workloads/crowd_loops.h"

static void *queue_open(const struct shape *shape)
{
    struct queue *queue = bench_share(sizeof *queue);

    if (queue == NULL)
        return NULL;
    for (uint64_t pos = 0; pos < BENCH_CROWD_SLOTS; pos++)
        shmring_store64_relaxed(cell_at(queue, pos, shape->size), pos);
    return queue;
}

static void queue_close(void *opaque)
{
    munmap(opaque, sizeof(struct queue));
}

static void *queue_join(void *opaque, enum role role)
{
    struct side *side = bench_alloc(sizeof *side);

    (void)role;
    if (side != NULL)
        side->queue = opaque;
    return side;
}

static void queue_leave(void *opaque, enum role role)
{
    (void)role;
    free(opaque);
}

static void queue_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "%d cells of sequence and message without padding, written and read in place",
             (int)BENCH_CROWD_SLOTS);
}

static const struct crowd_kind queue_crowd = {
    .loops = &crowd_loops, .fifo = true, .join = queue_join, .leave = queue_leave};

const struct transport transport_vyukov = {
    .name = "vyukov",
    .note = "D. Vyukov's bounded MPMC queue, as a reference; one member that dies stops all",
    .crowd = &queue_crowd,
    .open = queue_open,
    .close = queue_close,
    .settings = queue_settings,
};

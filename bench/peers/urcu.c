/* SPDX-License-Identifier: MIT */
/*
 * Two linked queues of userspace RCU, for threads. Both link what the caller provides, and have no
 * limit; so each producer has a pool of cells here, and finds the queue full if its next cell is
 * still in use.
 *
 *   wfcq   the wait-free concurrent queue: consumers take turns under its lock, and a cell may be
 *          used again at once
 *   lfq    the lock-free queue: each operation is a read-side critical section, and a cell may be
 *          used again only after a grace period, which call_rcu() waits for. So its pools must be
 *          larger, and what is measured is also how fast a thread of the library gives cells back.
 */
#include "transport.h"
#include "workloads/crowd_loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <urcu/rculfqueue.h>
#include <urcu/urcu-memb.h>
#include <urcu/wfcqueue.h>

enum {
    LFQ_CELLS = 16 * BENCH_CROWD_SLOTS,
};

struct cell {
    union {
        struct cds_wfcq_node wfcq;
        struct cds_lfq_node_rcu lfq;
    } node; /* first: a node is its cell */
    struct rcu_head rcu;
    shmring_word32 is_used;
    __attribute__((aligned(16))) uint8_t message[64];
};

struct channel {
    __attribute__((aligned(128))) struct cds_wfcq_head head;
    __attribute__((aligned(128))) struct cds_wfcq_tail tail;
    __attribute__((aligned(128))) struct cds_lfq_queue_rcu lfq;
    bool is_lfq;
    uint32_t cells; /* of each producer */
};

struct side {
    struct channel *channel;
    struct cell *cells; /* a producer's */
    uint64_t next;      /* of them */
    struct cell *taken;
};

/* In order, round and round: they come back in nearly that order. */
BENCH_INLINE void *urcu_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    struct cell *cell = &side->cells[side->next % side->channel->cells];

    (void)size;
    /* Pairs with the release of who gave it back. */
    return shmring_load32_acquire(&cell->is_used) == 0 ? cell->message : NULL;
}

BENCH_INLINE void urcu_stage(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
}

BENCH_INLINE bool wfcq_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    struct cell *cell = &side->cells[side->next++ % side->channel->cells];

    (void)size;
    shmring_store32_relaxed(&cell->is_used, 1);
    cds_wfcq_node_init(&cell->node.wfcq);
    cds_wfcq_enqueue(&side->channel->head, &side->channel->tail, &cell->node.wfcq);
    return true;
}

BENCH_INLINE const void *wfcq_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->taken =
        (struct cell *)cds_wfcq_dequeue_blocking(&side->channel->head, &side->channel->tail);
    return side->taken != NULL ? side->taken->message : NULL;
}

BENCH_INLINE void wfcq_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    shmring_store32_release(&side->taken->is_used, 0);
}

BENCH_INLINE bool lfq_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    struct cell *cell = &side->cells[side->next++ % side->channel->cells];

    (void)size;
    shmring_store32_relaxed(&cell->is_used, 1);
    cds_lfq_node_init_rcu(&cell->node.lfq);
    urcu_memb_read_lock();
    cds_lfq_enqueue_rcu(&side->channel->lfq, &cell->node.lfq);
    urcu_memb_read_unlock();
    return true;
}

BENCH_INLINE const void *lfq_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    urcu_memb_read_lock();
    side->taken = (struct cell *)cds_lfq_dequeue_rcu(&side->channel->lfq);
    urcu_memb_read_unlock();
    return side->taken != NULL ? side->taken->message : NULL;
}

static void give_back(struct rcu_head *head)
{
    struct cell *cell = caa_container_of(head, struct cell, rcu);

    shmring_store32_release(&cell->is_used, 0);
}

BENCH_INLINE void lfq_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    urcu_memb_call_rcu(&side->taken->rcu, give_back);
}

static const struct ops wfcq_ops = {
    .reserve = urcu_reserve,
    .stage = urcu_stage,
    .publish = wfcq_publish,
    .next = wfcq_next,
    .done = wfcq_done,
};
static const struct ops lfq_ops = {
    .reserve = urcu_reserve,
    .stage = urcu_stage,
    .publish = lfq_publish,
    .next = lfq_next,
    .done = lfq_done,
};

static void wfcq_produce(void *side, struct crowd_member *self)
{
    crowd_produce(&wfcq_ops, side, self);
}

static void wfcq_consume(void *side, struct crowd_member *self)
{
    crowd_consume(&wfcq_ops, side, self);
}

static void wfcq_solo(void *out, void *in, struct crowd_member *self)
{
    crowd_solo(&wfcq_ops, out, in, self);
}

static void lfq_produce(void *side, struct crowd_member *self)
{
    crowd_produce(&lfq_ops, side, self);
}

static void lfq_consume(void *side, struct crowd_member *self)
{
    crowd_consume(&lfq_ops, side, self);
}

static void lfq_solo(void *out, void *in, struct crowd_member *self)
{
    crowd_solo(&lfq_ops, out, in, self);
}

static const struct crowd_loops wfcq_loops = {wfcq_produce, wfcq_consume, wfcq_solo};
static const struct crowd_loops lfq_loops = {lfq_produce, lfq_consume, lfq_solo};

/* Before the fork, so with nothing of the library that needs threads. */
static void *open_with(const struct shape *shape, bool is_lfq)
{
    struct channel *channel = bench_alloc(sizeof *channel);

    if (channel == NULL)
        return NULL;
    channel->is_lfq = is_lfq;
    channel->cells = (is_lfq ? LFQ_CELLS : BENCH_CROWD_SLOTS) / shape->producers;
    cds_wfcq_init(&channel->head, &channel->tail);
    cds_lfq_init_rcu(&channel->lfq, urcu_memb_call_rcu);
    return channel;
}

static void *wfcq_open(const struct shape *shape)
{
    return open_with(shape, false);
}

static void *lfq_open(const struct shape *shape)
{
    return open_with(shape, true);
}

static void urcu_close(void *opaque)
{
    struct channel *channel = opaque;

    cds_lfq_destroy_rcu(&channel->lfq);
    cds_wfcq_destroy(&channel->head, &channel->tail);
    free(channel);
}

static _Thread_local int registrations;

static void *urcu_join(void *opaque, enum role role)
{
    struct channel *channel = opaque;
    struct side *side = bench_alloc(sizeof *side);

    if (side == NULL)
        return NULL;
    side->channel = channel;
    if (role == ROLE_PRODUCER) {
        side->cells = bench_alloc(channel->cells * sizeof(struct cell));
        if (side->cells == NULL) {
            free(side);
            return NULL;
        }
    }
    /* Once per thread: in solo one has both roles. */
    if (channel->is_lfq && registrations++ == 0)
        urcu_memb_register_thread();
    return side;
}

/* The cells stay: others may hold the last of them, and the process ends. */
static void urcu_leave(void *opaque, enum role role)
{
    struct side *side = opaque;

    (void)role;
    if (side->channel->is_lfq && --registrations == 0)
        urcu_memb_unregister_thread();
    free(side);
}

static void wfcq_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "pools of %d cells in all, written and read in place; cds_wfcq_enqueue, "
             "cds_wfcq_dequeue_blocking",
             (int)BENCH_CROWD_SLOTS);
}

static void lfq_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "pools of %d cells in all, written and read in place, given back through call_rcu; "
             "cds_lfq_enqueue_rcu, cds_lfq_dequeue_rcu, flavour memb",
             (int)LFQ_CELLS);
}

static const char threads_only[] = "its members are threads only: it links by address";

static const struct crowd_kind wfcq_crowd = {.loops = &wfcq_loops,
                                             .threads_only = threads_only,
                                             .fifo = true,
                                             .join = urcu_join,
                                             .leave = urcu_leave};
static const struct crowd_kind lfq_crowd = {.loops = &lfq_loops,
                                            .threads_only = threads_only,
                                            .fifo = true,
                                            .join = urcu_join,
                                            .leave = urcu_leave};

const struct transport transport_urcu_wfcq = {
    .name = "urcu_wfcq",
    .note = "userspace RCU's wfcqueue: producers swap the tail, consumers lock",
    .crowd = &wfcq_crowd,
    .open = wfcq_open,
    .close = urcu_close,
    .settings = wfcq_settings,
};

const struct transport transport_urcu_lfq = {
    .name = "urcu_lfq",
    .note = "userspace RCU's rculfqueue, with 16 times the cells; bound by its grace periods",
    .crowd = &lfq_crowd,
    .open = lfq_open,
    .close = urcu_close,
    .settings = lfq_settings,
};

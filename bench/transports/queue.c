/* SPDX-License-Identifier: MIT */
/*
 * The queue for many, through the handles of queue.h, who do their own waiting: here with one
 * sender and one receiver. Made before the fork, opened after it.
 */
#include "shmring/queue.h"
#include "transport.h"
#include "workloads/loops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct side {
    shmring_queue_sender sender;
    shmring_queue_receiver receiver;
    shmring_mpmc_slot slot; /* that is ours */
    shmring_channel_options options;
    shmring_channel_fds fds;
};

/* An interrupted call is made again. */
static bool is_done(int error, const char *what)
{
    if (error != 0 && error != -EINTR)
        sample_fail("%s: %s", what, strerror(-error));
    return error == 0;
}

BENCH_INLINE void *queue_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    if (!is_done(shmring_queue_claim(&side->sender, SHMRING_NEVER, &side->slot), "claim"))
        return NULL;
    return side->slot.data;
}

/* There is no commit of several. */
BENCH_INLINE void queue_stage(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    is_done(shmring_queue_commit(&side->sender, &side->slot, size, 0), "commit");
}

BENCH_INLINE bool queue_publish(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
    return true;
}

BENCH_INLINE const void *queue_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (!is_done(shmring_queue_take(&side->receiver, SHMRING_NEVER, &side->slot), "take"))
        return NULL;
    if (side->slot.length != size)
        sample_fail("a message of %u bytes", side->slot.length);
    return side->slot.data;
}

BENCH_INLINE void queue_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    is_done(shmring_queue_release(&side->receiver, &side->slot), "release");
}

/* Waits by itself, as its options say. */
static const struct ops block_ops = {
    .reserve = queue_reserve,
    .stage = queue_stage,
    .publish = queue_publish,
    .next = queue_next,
    .done = queue_done,
};

#include "workloads/block_loops.h"

/* The default of the library, or fewer: no more than 4 MiB of payload. */
static uint64_t slots_of(uint32_t size)
{
    return bench_slots(size) < SHMRING_QUEUE_SLOTS ? bench_slots(size) : SHMRING_QUEUE_SLOTS;
}

static void *open_queue(const struct shape *shape, enum shmring_fence fence)
{
    struct side *side = bench_alloc(sizeof *side);

    if (side == NULL)
        return NULL;
    side->options = (shmring_channel_options){.size = sizeof side->options,
                                              .capacity = slots_of(shape->size),
                                              .slot_size = shape->size,
                                              .wait = wait_policy(shape->policy),
                                              .fence = fence};
    int error = shmring_queue_create_fds(&side->fds, &side->options);

    if (error == 0)
        return side;
    free(side);
    errno = -error;
    return NULL;
}

static void *open_default(const struct shape *shape)
{
    return open_queue(shape, SHMRING_FENCE_DEFAULT);
}

static void *open_symmetric(const struct shape *shape)
{
    return open_queue(shape, SHMRING_FENCE_SYMMETRIC);
}

static int queue_attach(void *opaque, enum role role)
{
    struct side *side = opaque;

    if (role == ROLE_PRODUCER)
        return shmring_queue_sender_open_fds(&side->sender, &side->fds, &side->options);
    return shmring_queue_receiver_open_fds(&side->receiver, &side->fds, &side->options);
}

static void queue_close(void *opaque)
{
    struct side *side = opaque;

    shmring_queue_sender_close(&side->sender);
    shmring_queue_receiver_close(&side->receiver);
    shmring_channel_close_fds(&side->fds);
    free(side);
}

static void queue_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "%d slots, or fewer so that they hold %d bytes, claim/commit and take/release of "
             "handles that wait by themselves",
             (int)SHMRING_QUEUE_SLOTS, (int)BENCH_RING_BYTES);
}

static const struct loops *const by_policy[POLICY_COUNT] = {
    [POLICY_SPIN] = &block_loops, [POLICY_ADAPTIVE] = &block_loops, [POLICY_BLOCK] = &block_loops};

const struct transport transport_queue = {
    .name = "queue",
    .note = "shmring's handles for many, one of each here; holds 4096 messages or fewer",
    .is_brief = true,
    .fan = FAN_SHARED,
    .loops = by_policy,
    .open = open_default,
    .attach = queue_attach,
    .close = queue_close,
    .settings = queue_settings,
};

const struct transport transport_queue_sym = {
    .name = "queue_sym",
    .note = "queue with symmetric fences",
    .is_variant = true,
    .loops = by_policy,
    .open = open_symmetric,
    .attach = queue_attach,
    .close = queue_close,
    .settings = queue_settings,
};

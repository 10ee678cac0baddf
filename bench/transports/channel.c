/* SPDX-License-Identifier: MIT */
/*
 * What most programs use: a sender and a receiver of channel.h, who do their own waiting. Made
 * before the fork, opened after it; by descriptors, or, where semaphores need one, by a name, which
 * stays until the sample is over. One transport per kind of fence and bell.
 */
#include "shmring/channel.h"
#include "transport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct side {
    shmring_sender sender;
    shmring_receiver receiver;
    shmring_channel_options options;
    shmring_channel_fds fds;
    char name[48]; /* empty: by descriptors */
};

BENCH_INLINE shmring_sender *side_sender(void *side)
{
    return &((struct side *)side)->sender;
}

BENCH_INLINE shmring_receiver *side_receiver(void *side)
{
    return &((struct side *)side)->receiver;
}

#include "handle_ops.h"

static void *open_channel(const struct shape *shape, enum shmring_backend backend,
                          enum shmring_fence fence)
{
    static unsigned count;
    struct side *side = calloc(1, sizeof *side);
    int error;

    if (side == NULL)
        return NULL;
    side->options = (shmring_channel_options){.size = sizeof side->options,
                                              .capacity = BENCH_RING_BYTES,
                                              .wait = wait_policy(shape->policy),
                                              .backend = backend,
                                              .fence = fence};
    if (backend == SHMRING_BACKEND_NAMED_SEM || backend == SHMRING_BACKEND_SYSV_SEM) {
        snprintf(side->name, sizeof side->name, "shmring-bench.%ld.%u", (long)getpid(), count++);
        error = shmring_channel_create(side->name, &side->options);
    } else {
        error = shmring_channel_create_fds(&side->fds, &side->options);
    }
    if (error == 0)
        return side;
    free(side);
    errno = -error;
    return NULL;
}

static int channel_attach(void *opaque, enum role role)
{
    struct side *side = opaque;
    bool named = side->name[0] != '\0';

    if (role == ROLE_PRODUCER)
        return named ? shmring_sender_open(&side->sender, side->name, &side->options)
                     : shmring_sender_open_fds(&side->sender, &side->fds, &side->options);
    return named ? shmring_receiver_open(&side->receiver, side->name, &side->options)
                 : shmring_receiver_open_fds(&side->receiver, &side->fds, &side->options);
}

static void channel_close(void *opaque)
{
    struct side *side = opaque;

    shmring_sender_close(&side->sender);
    shmring_receiver_close(&side->receiver);
    if (side->name[0] != '\0')
        shmring_channel_unlink(side->name, NULL);
    else
        shmring_channel_close_fds(&side->fds);
    free(side);
}

static void channel_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "capacity %d bytes, 8 bytes of header per message, reserve/commit and peek/release of "
             "handles that wait by themselves",
             (int)BENCH_RING_BYTES);
}

static void *open_default(const struct shape *shape)
{
    return open_channel(shape, SHMRING_BACKEND_FUTEX, SHMRING_FENCE_DEFAULT);
}

static void *open_symmetric(const struct shape *shape)
{
    return open_channel(shape, SHMRING_BACKEND_FUTEX, SHMRING_FENCE_SYMMETRIC);
}

static void *open_eventfd(const struct shape *shape)
{
    return open_channel(shape, SHMRING_BACKEND_EVENTFD, SHMRING_FENCE_DEFAULT);
}

static void *open_sem(const struct shape *shape)
{
    return open_channel(shape, SHMRING_BACKEND_SEM, SHMRING_FENCE_DEFAULT);
}

static void *open_named_sem(const struct shape *shape)
{
    return open_channel(shape, SHMRING_BACKEND_NAMED_SEM, SHMRING_FENCE_DEFAULT);
}

static void *open_sysv(const struct shape *shape)
{
    return open_channel(shape, SHMRING_BACKEND_SYSV_SEM, SHMRING_FENCE_DEFAULT);
}

static const struct loops *const by_policy[POLICY_COUNT] = {
    [POLICY_SPIN] = &block_loops, [POLICY_ADAPTIVE] = &block_loops, [POLICY_BLOCK] = &block_loops};

static const struct loops *const sleepers[POLICY_COUNT] = {
    [POLICY_ADAPTIVE] = &block_loops, [POLICY_BLOCK] = &block_loops};

const struct transport transport_channel = {
    .name = "channel",
    .note = "shmring's handles: ring, futexes, light fence where the kernel has it",
    .fan = FAN_OUT,
    .loops = by_policy,
    .open = open_default,
    .attach = channel_attach,
    .close = channel_close,
    .settings = channel_settings,
};

const struct transport transport_channel_sym = {
    .name = "channel_sym",
    .note = "channel with symmetric fences",
    .is_variant = true,
    .loops = by_policy,
    .open = open_symmetric,
    .attach = channel_attach,
    .close = channel_close,
    .settings = channel_settings,
};

const struct transport transport_channel_eventfd = {
    .name = "channel_eventfd",
    .note = "channel that sleeps on eventfds",
    .is_variant = true,
    .loops = sleepers,
    .open = open_eventfd,
    .attach = channel_attach,
    .close = channel_close,
    .settings = channel_settings,
};

const struct transport transport_channel_sem = {
    .name = "channel_sem",
    .note = "channel that sleeps on POSIX semaphores in the ring",
    .is_variant = true,
    .loops = sleepers,
    .open = open_sem,
    .attach = channel_attach,
    .close = channel_close,
    .settings = channel_settings,
};

const struct transport transport_channel_nsem = {
    .name = "channel_nsem",
    .note = "channel that sleeps on named POSIX semaphores",
    .is_variant = true,
    .loops = sleepers,
    .open = open_named_sem,
    .attach = channel_attach,
    .close = channel_close,
    .settings = channel_settings,
};

const struct transport transport_channel_sysv = {
    .name = "channel_sysv",
    .note = "channel that sleeps on System V semaphores",
    .is_variant = true,
    .loops = sleepers,
    .open = open_sysv,
    .attach = channel_attach,
    .close = channel_close,
    .settings = channel_settings,
};

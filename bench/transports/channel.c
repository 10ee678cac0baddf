/* SPDX-License-Identifier: MIT */
/*
 * What most programs use: a sender and a receiver of channel.h, who do their own waiting. Made
 * before the fork, opened after it; by descriptors, or, where semaphores need one, by a name, which
 * stays until the sample is over. One transport per kind of fence and bell.
 */
#include "shmring/channel.h"
#include "transport.h"
#include "workloads/loops.h"

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

/* An interrupted call is made again. */
static void check(int error, const char *what)
{
    if (error != 0 && error != -EINTR)
        sample_fail("%s: %s", what, strerror(-error));
}

BENCH_INLINE void *channel_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    void *place;
    int error = shmring_sender_reserve(&side->sender, size, SHMRING_NEVER, &place);

    if (error == 0)
        return place;
    check(error, "reserve");
    return NULL;
}

/* There is no commit of several. */
BENCH_INLINE void channel_stage(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    shmring_sender_commit(&side->sender, size, 0);
}

BENCH_INLINE bool channel_publish(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
    return true;
}

BENCH_INLINE const void *channel_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    const void *message;
    uint64_t length;
    int error = shmring_receiver_peek(&side->receiver, SHMRING_NEVER, &message, &length, NULL);

    if (error != 0) {
        check(error, "peek");
        return NULL;
    }
    if (length != size)
        sample_fail("a message of %llu bytes", (unsigned long long)length);
    return message;
}

BENCH_INLINE void channel_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    shmring_receiver_release(&side->receiver);
}

/* Waits by itself, as its options say. */
static const struct ops block_ops = {
    .reserve = channel_reserve,
    .stage = channel_stage,
    .publish = channel_publish,
    .next = channel_next,
    .done = channel_done,
};

#include "workloads/block_loops.h"

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

const struct transport transport_channel = {
    .name = "channel",
    .note = "shmring's handles: ring, futexes, light fence where the kernel has it",
    .loops = {[POLICY_SPIN] = &block_loops,
              [POLICY_ADAPTIVE] = &block_loops,
              [POLICY_BLOCK] = &block_loops},
    .open = open_default,
    .attach = channel_attach,
    .close = channel_close,
    .settings = channel_settings,
};

const struct transport transport_channel_sym = {
    .name = "channel_sym",
    .note = "channel with symmetric fences",
    .is_variant = true,
    .loops = {[POLICY_SPIN] = &block_loops,
              [POLICY_ADAPTIVE] = &block_loops,
              [POLICY_BLOCK] = &block_loops},
    .open = open_symmetric,
    .attach = channel_attach,
    .close = channel_close,
    .settings = channel_settings,
};

const struct transport transport_channel_eventfd = {
    .name = "channel_eventfd",
    .note = "channel that sleeps on eventfds",
    .is_variant = true,
    .loops = {[POLICY_ADAPTIVE] = &block_loops, [POLICY_BLOCK] = &block_loops},
    .open = open_eventfd,
    .attach = channel_attach,
    .close = channel_close,
    .settings = channel_settings,
};

const struct transport transport_channel_sem = {
    .name = "channel_sem",
    .note = "channel that sleeps on POSIX semaphores in the ring",
    .is_variant = true,
    .loops = {[POLICY_ADAPTIVE] = &block_loops, [POLICY_BLOCK] = &block_loops},
    .open = open_sem,
    .attach = channel_attach,
    .close = channel_close,
    .settings = channel_settings,
};

const struct transport transport_channel_nsem = {
    .name = "channel_nsem",
    .note = "channel that sleeps on named POSIX semaphores",
    .is_variant = true,
    .loops = {[POLICY_ADAPTIVE] = &block_loops, [POLICY_BLOCK] = &block_loops},
    .open = open_named_sem,
    .attach = channel_attach,
    .close = channel_close,
    .settings = channel_settings,
};

const struct transport transport_channel_sysv = {
    .name = "channel_sysv",
    .note = "channel that sleeps on System V semaphores",
    .is_variant = true,
    .loops = {[POLICY_ADAPTIVE] = &block_loops, [POLICY_BLOCK] = &block_loops},
    .open = open_sysv,
    .attach = channel_attach,
    .close = channel_close,
    .settings = channel_settings,
};

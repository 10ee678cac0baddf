/* SPDX-License-Identifier: MIT */
/* A POSIX message queue, as deep as the system allows. Its name is gone at once. */
#include "limit.h"
#include "transport.h"
#include "workloads/loops.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char MSGSIZE_MAX[] = "/proc/sys/fs/mqueue/msgsize_max";
static const char MSG_MAX[] = "/proc/sys/fs/mqueue/msg_max";

struct side {
    mqd_t queue;    /* spin and adaptive: does not block */
    mqd_t blocking; /* adaptive */
    bool staged;
    bool have;
    _Alignas(64) uint8_t buffer[BENCH_MAX_SIZE];
};

BENCH_INLINE void *mq_place(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    return side->buffer;
}

BENCH_INLINE void mq_stage(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->staged = true;
}

BENCH_INLINE bool mq_send_by(struct side *side, mqd_t queue, uint32_t size)
{
    if (!side->staged)
        return true;
    if (mq_send(queue, (const char *)side->buffer, size, 0) == 0) {
        side->staged = false;
        return true;
    }
    if (errno != EAGAIN && errno != EINTR)
        sample_fail("mq_send: %s", strerror(errno));
    return false;
}

BENCH_INLINE const void *mq_receive_by(struct side *side, mqd_t queue, uint32_t size)
{
    if (side->have)
        return side->buffer;
    ssize_t got = mq_receive(queue, (char *)side->buffer, size, NULL);

    if (got == (ssize_t)size) {
        side->have = true;
        return side->buffer;
    }
    if (got >= 0)
        sample_fail("mq_receive: a message of %zd bytes", got);
    if (errno != EAGAIN && errno != EINTR)
        sample_fail("mq_receive: %s", strerror(errno));
    return NULL;
}

BENCH_INLINE bool mq_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    return mq_send_by(side, side->queue, size);
}

BENCH_INLINE const void *mq_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    return mq_receive_by(side, side->queue, size);
}

/* The next try finds it done. */
static void mq_sleep(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (side->staged)
        mq_send_by(side, side->blocking, size);
    else
        mq_receive_by(side, side->blocking, size);
}

BENCH_INLINE void mq_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->have = false;
}

/* For spin, too: does the queue block? */
static const struct ops block_ops = {mq_place, mq_stage, mq_publish, mq_next, mq_done, NULL, 0};
static const struct ops adaptive_ops = {mq_place, mq_stage, mq_publish,           mq_next,
                                        mq_done,  mq_sleep, KERNEL_TRIES_PER_LOOK};

#include "workloads/adaptive_loops.h"
#include "workloads/block_loops.h"

static const char *mq_refuse(const struct shape *shape)
{
    static char reason[96];
    long largest = system_limit(MSGSIZE_MAX);

    if (largest < 0)
        return "this kernel has no POSIX message queues";
    if ((long)shape->size <= largest)
        return NULL;
    snprintf(reason, sizeof reason, "%u B: fs.mqueue.msgsize_max is %ld bytes", shape->size,
             largest);
    return reason;
}

static void mq_close_side(void *opaque)
{
    struct side *side = opaque;

    if (side->queue != (mqd_t)-1)
        mq_close(side->queue);
    if (side->blocking != (mqd_t)-1)
        mq_close(side->blocking);
    free(side);
}

static void *mq_open_unnamed(const struct shape *shape)
{
    static unsigned count;
    struct mq_attr attributes = {.mq_maxmsg = system_limit(MSG_MAX), .mq_msgsize = shape->size};
    struct side *side = aligned_alloc(64, sizeof *side);
    int flags = O_RDWR | O_CLOEXEC, unblocked = shape->policy == POLICY_BLOCK ? 0 : O_NONBLOCK;
    char name[64];

    if (side == NULL)
        return NULL;
    memset(side, 0, sizeof *side);
    snprintf(name, sizeof name, "/shmring-bench.%ld.%u", (long)getpid(), count++);
    side->blocking = -1;
    side->queue = mq_open(name, flags | O_CREAT | O_EXCL | unblocked, 0600, &attributes);
    if (side->queue != (mqd_t)-1) {
        if (shape->policy == POLICY_ADAPTIVE)
            side->blocking = mq_open(name, flags);
        mq_unlink(name);
        if (side->blocking != (mqd_t)-1 || shape->policy != POLICY_ADAPTIVE)
            return side;
    }
    int saved_errno = errno;

    mq_close_side(side);
    errno = saved_errno;
    return NULL;
}

static void mq_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "depth %ld messages (fs.mqueue.msg_max), message size as the case (at most %ld, "
             "fs.mqueue.msgsize_max); spin: O_NONBLOCK; adaptive: both",
             system_limit(MSG_MAX), system_limit(MSGSIZE_MAX));
}

const struct transport transport_posix_mq = {
    .name = "posix_mq",
    .note = "POSIX message queue, at the depth that the system allows",
    .loops = {[POLICY_SPIN] = &block_loops,
              [POLICY_ADAPTIVE] = &adaptive_loops,
              [POLICY_BLOCK] = &block_loops},
    .refuse = mq_refuse,
    .open = mq_open_unnamed,
    .close = mq_close_side,
    .settings = mq_settings,
};

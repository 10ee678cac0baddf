/* SPDX-License-Identifier: MIT */
/* A POSIX message queue, as deep as the system allows. Its name is gone at once. */
#include "transport.h"
#include "workloads/loops.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct side {
    mqd_t queue;
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

BENCH_INLINE bool mq_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (!side->staged)
        return true;
    if (mq_send(side->queue, (const char *)side->buffer, size, 0) == 0) {
        side->staged = false;
        return true;
    }
    if (errno != EAGAIN && errno != EINTR)
        sample_fail("mq_send: %s", strerror(errno));
    return false;
}

BENCH_INLINE const void *mq_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (side->have)
        return side->buffer;
    ssize_t got = mq_receive(side->queue, (char *)side->buffer, size, NULL);

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

BENCH_INLINE void mq_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->have = false;
}

static const struct ops ops = {mq_place, mq_stage, mq_publish, mq_next, mq_done, NULL};

static void produce(void *side, struct run *run)
{
    stream_produce(&ops, side, run);
}

static void consume(void *side, struct run *run)
{
    stream_consume(&ops, side, run);
}

static void ping(void *out, void *in, struct run *run)
{
    pingpong_ping(&ops, out, in, run);
}

static void pong(void *in, void *out, struct run *run)
{
    pingpong_pong(&ops, in, out, run);
}

static const struct loops loops = {produce, consume, ping, pong};

/* A number from /proc/sys/fs/mqueue, or -1. */
static long limit(const char *name)
{
    char path[64];
    long value = -1;

    snprintf(path, sizeof path, "/proc/sys/fs/mqueue/%s", name);
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return -1;
    char line[32];

    if (fgets(line, sizeof line, file) != NULL)
        value = strtol(line, NULL, 10);
    fclose(file);
    return value;
}

static const char *mq_refuse(const struct shape *shape)
{
    static char reason[96];
    long largest = limit("msgsize_max");

    if (largest < 0)
        return "this kernel has no POSIX message queues";
    if ((long)shape->size <= largest)
        return NULL;
    snprintf(reason, sizeof reason, "%u B: fs.mqueue.msgsize_max is %ld bytes", shape->size,
             largest);
    return reason;
}

static void *mq_open_unnamed(const struct shape *shape)
{
    static unsigned count;
    struct mq_attr attributes = {.mq_maxmsg = limit("msg_max"), .mq_msgsize = shape->size};
    struct side *side = aligned_alloc(64, sizeof *side);
    char name[64];

    if (side == NULL)
        return NULL;
    memset(side, 0, sizeof *side);
    snprintf(name, sizeof name, "/shmring-bench.%ld.%u", (long)getpid(), count++);
    side->queue = mq_open(name,
                          O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC |
                              (shape->policy == POLICY_SPIN ? O_NONBLOCK : 0),
                          0600, &attributes);
    if (side->queue != (mqd_t)-1) {
        mq_unlink(name);
        return side;
    }
    int saved_errno = errno;

    free(side);
    errno = saved_errno;
    return NULL;
}

static void mq_close_side(void *opaque)
{
    struct side *side = opaque;

    mq_close(side->queue);
    free(side);
}

static void mq_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "depth %ld messages (fs.mqueue.msg_max), message size as the case (at most %ld, "
             "fs.mqueue.msgsize_max); spin: O_NONBLOCK",
             limit("msg_max"), limit("msgsize_max"));
}

const struct transport transport_posix_mq = {
    .name = "posix_mq",
    .note = "POSIX message queue, at the depth that the system allows",
    .loops = {[POLICY_SPIN] = &loops, [POLICY_BLOCK] = &loops},
    .refuse = mq_refuse,
    .open = mq_open_unnamed,
    .close = mq_close_side,
    .settings = mq_settings,
};

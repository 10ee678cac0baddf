/* SPDX-License-Identifier: MIT */
/* A POSIX message queue, as deep as the system allows. Its name is gone at once. */
#include "copying.h"
#include "limit.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char MSGSIZE_MAX[] = "/proc/sys/fs/mqueue/msgsize_max";
static const char MSG_MAX[] = "/proc/sys/fs/mqueue/msg_max";

enum { COPYING_LOSES = false };

struct side {
    struct copying copying;
    mqd_t queue[2]; /* [1] blocks; -1: not of use under this policy */
};

BENCH_INLINE bool side_send(struct side *side, uint32_t size, bool waits)
{
    if (mq_send(side->queue[waits], (const char *)side->copying.buffer, size, 0) == 0)
        return true;
    if (errno != EAGAIN && errno != EINTR)
        sample_fail("mq_send: %s", strerror(errno));
    return false;
}

BENCH_INLINE bool side_receive(struct side *side, uint32_t size, bool waits)
{
    ssize_t got = mq_receive(side->queue[waits], (char *)side->copying.buffer, size, NULL);

    if (got < 0 && errno != EAGAIN && errno != EINTR)
        sample_fail("mq_receive: %s", strerror(errno));
    if (got >= 0 && got != (ssize_t)size)
        sample_wrong("a message of %zd bytes", got);
    return got >= 0;
}

#include "copying_ops.h"

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

    for (int waits = 0; waits < 2; waits++)
        if (side->queue[waits] != -1)
            mq_close(side->queue[waits]);
    free(side);
}

static void *mq_open_unnamed(const struct shape *shape)
{
    static unsigned count;
    struct mq_attr attributes = {.mq_maxmsg = system_limit(MSG_MAX), .mq_msgsize = shape->size};
    struct side *side = copying_alloc(sizeof *side, 0, shape);
    int create = O_CREAT | O_EXCL;
    bool complete = true;
    char name[64];

    if (side == NULL)
        return NULL;
    snprintf(name, sizeof name, "/shmring-bench.%ld.%u", (long)getpid(), count++);
    side->queue[0] = side->queue[1] = -1;
    for (int waits = 0; waits < 2 && complete; waits++) {
        int flags = O_RDWR | O_CLOEXEC | create | (waits ? 0 : O_NONBLOCK);

        if (shape->policy == (waits ? POLICY_SPIN : POLICY_BLOCK))
            continue;
        side->queue[waits] = mq_open(name, flags, 0600, &attributes);
        complete = side->queue[waits] != -1;
        create = complete ? 0 : create;
    }
    int saved_errno = errno;

    if (create == 0)
        mq_unlink(name);
    if (complete)
        return side;
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

static const struct loops *const by_policy[POLICY_COUNT] = {[POLICY_SPIN] = &block_loops,
                                                            [POLICY_ADAPTIVE] = &adaptive_loops,
                                                            [POLICY_BLOCK] = &block_loops};

const struct transport transport_posix_mq = {
    .name = "posix_mq",
    .note = "POSIX message queue, at the depth that the system allows",
    .is_brief = true,
    .fan = FAN_SHARED,
    .loops = by_policy,
    .refuse = mq_refuse,
    .open = mq_open_unnamed,
    .close = mq_close_side,
    .settings = mq_settings,
};

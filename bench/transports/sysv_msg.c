/* SPDX-License-Identifier: MIT */
/* A System V message queue, as large as the system makes it. It has no name, but stays until it is
 * removed, when the sample is over. */
#include "copying.h"
#include "limit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

static const char MSGMAX[] = "/proc/sys/kernel/msgmax";
static const char MSGMNB[] = "/proc/sys/kernel/msgmnb";

enum {
    COPYING_LOSES = false,
    HEAD = sizeof(long), /* the type of a message stands before it */
};

struct side {
    struct copying copying;
    int queue;
};

BENCH_INLINE bool side_send(struct side *side, uint32_t size, bool waits)
{
    if (msgsnd(side->queue, side->copying.buffer - HEAD, size, waits ? 0 : IPC_NOWAIT) == 0)
        return true;
    if (errno != EAGAIN && errno != EINTR)
        sample_fail("msgsnd: %s", strerror(errno));
    return false;
}

BENCH_INLINE bool side_receive(struct side *side, uint32_t size, bool waits)
{
    uint8_t *letter = side->copying.buffer - HEAD;
    ssize_t got = msgrcv(side->queue, letter, size, 0, waits ? 0 : IPC_NOWAIT);

    if (got < 0 && errno != ENOMSG && errno != EINTR)
        sample_fail("msgrcv: %s", strerror(errno));
    if (got >= 0 && got != (ssize_t)size)
        sample_wrong("a message of %zd bytes", got);
    return got >= 0;
}

#include "copying_ops.h"

static const char *msg_refuse(const struct shape *shape)
{
    static char reason[96];
    long largest = system_limit(MSGMAX);

    if (largest < 0)
        return "this kernel has no System V message queues";
    if ((long)shape->size <= largest)
        return NULL;
    snprintf(reason, sizeof reason, "%u B: kernel.msgmax is %ld bytes", shape->size, largest);
    return reason;
}

static void *msg_open(const struct shape *shape)
{
    struct side *side = copying_alloc(sizeof *side, HEAD, shape);
    const long type = 1;

    if (side == NULL)
        return NULL;
    memcpy(side->copying.buffer - HEAD, &type, HEAD);
    side->queue = msgget(IPC_PRIVATE, 0600);
    if (side->queue >= 0)
        return side;
    free(side);
    return NULL;
}

static void msg_close(void *opaque)
{
    struct side *side = opaque;

    msgctl(side->queue, IPC_RMID, NULL);
    free(side);
}

static void msg_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "holds %ld bytes (kernel.msgmnb), messages of at most %ld (kernel.msgmax); spin: "
             "IPC_NOWAIT; adaptive: both",
             system_limit(MSGMNB), system_limit(MSGMAX));
}

static const struct loops *const by_policy[POLICY_COUNT] = {[POLICY_SPIN] = &block_loops,
                                                            [POLICY_ADAPTIVE] = &adaptive_loops,
                                                            [POLICY_BLOCK] = &block_loops};

const struct transport transport_sysv_msg = {
    .name = "sysv_msg",
    .note = "System V message queue, of the size that the system gives it",
    .is_brief = true,
    .fan = FAN_SHARED,
    .loops = by_policy,
    .refuse = msg_refuse,
    .open = msg_open,
    .close = msg_close,
    .settings = msg_settings,
};

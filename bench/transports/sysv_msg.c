/* SPDX-License-Identifier: MIT */
/* A System V message queue, as large as the system makes it. It has no name, but stays until it is
 * removed, when the sample is over. */
#include "limit.h"
#include "transport.h"
#include "workloads/loops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

static const char MSGMAX[] = "/proc/sys/kernel/msgmax";
static const char MSGMNB[] = "/proc/sys/kernel/msgmnb";

struct letter {
    long type;
    uint8_t text[BENCH_MAX_SIZE];
};

struct side {
    int queue;
    int flags; /* of a try */
    bool staged;
    bool have;
    _Alignas(64) uint8_t unused[64 - sizeof(long)]; /* so that the text is aligned */
    struct letter letter;
};

BENCH_INLINE void *msg_place(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    return side->letter.text;
}

BENCH_INLINE void msg_stage(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->staged = true;
}

BENCH_INLINE bool msg_send(struct side *side, int flags, uint32_t size)
{
    if (!side->staged)
        return true;
    side->letter.type = 1;
    if (msgsnd(side->queue, &side->letter, size, flags) == 0) {
        side->staged = false;
        return true;
    }
    if (errno != EAGAIN && errno != EINTR)
        sample_fail("msgsnd: %s", strerror(errno));
    return false;
}

BENCH_INLINE const void *msg_receive(struct side *side, int flags, uint32_t size)
{
    if (side->have)
        return side->letter.text;
    ssize_t got = msgrcv(side->queue, &side->letter, size, 0, flags);

    if (got == (ssize_t)size) {
        side->have = true;
        return side->letter.text;
    }
    if (got >= 0)
        sample_fail("msgrcv: a message of %zd bytes", got);
    if (errno != ENOMSG && errno != EINTR)
        sample_fail("msgrcv: %s", strerror(errno));
    return NULL;
}

BENCH_INLINE bool msg_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    return msg_send(side, side->flags, size);
}

BENCH_INLINE const void *msg_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    return msg_receive(side, side->flags, size);
}

BENCH_INLINE void msg_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->have = false;
}

/* The next try finds it done. */
static void msg_sleep(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (side->staged)
        msg_send(side, 0, size);
    else
        msg_receive(side, 0, size);
}

/* For spin, too: does the call block? */
static const struct ops block_ops = {msg_place, msg_stage, msg_publish, msg_next, msg_done,
                                     NULL,      0};
static const struct ops adaptive_ops = {msg_place, msg_stage, msg_publish,          msg_next,
                                        msg_done,  msg_sleep, KERNEL_TRIES_PER_LOOK};

#include "workloads/adaptive_loops.h"
#include "workloads/block_loops.h"

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
    struct side *side = aligned_alloc(64, sizeof *side);

    if (side == NULL)
        return NULL;
    memset(side, 0, sizeof *side);
    side->flags = shape->policy == POLICY_BLOCK ? 0 : IPC_NOWAIT;
    side->queue = msgget(IPC_PRIVATE, 0600);
    if (side->queue >= 0)
        return side;
    int saved_errno = errno;

    free(side);
    errno = saved_errno;
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

const struct transport transport_sysv_msg = {
    .name = "sysv_msg",
    .note = "System V message queue, of the size that the system gives it",
    .is_not_quick = true,
    .loops = {[POLICY_SPIN] = &block_loops,
              [POLICY_ADAPTIVE] = &adaptive_loops,
              [POLICY_BLOCK] = &block_loops},
    .refuse = msg_refuse,
    .open = msg_open,
    .close = msg_close,
    .settings = msg_settings,
};

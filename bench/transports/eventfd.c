/* SPDX-License-Identifier: MIT */
/* Shared memory with eventfds as its signals: two, in semaphore mode, count free and filled
 * slots. */
#include "bounded.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct side {
    struct bounded bounded;
    int fds[BOUNDED_COUNTS]; /* block under policy block only */
};

/* Of a read or a write; false: it would have to wait, or was interrupted. */
static inline bool is_done(ssize_t bytes)
{
    if (bytes < 0 && errno != EAGAIN && errno != EINTR)
        sample_fail("eventfd: %s", strerror(errno));
    return bytes >= 0;
}

BENCH_INLINE bool guard_enter(struct side *side, enum bounded_count count, bool waits)
{
    struct pollfd until = {.fd = side->fds[count], .events = POLLIN};
    uint64_t one;

    if (waits && !side->bounded.waits)
        poll(&until, 1, -1);
    return is_done(read(side->fds[count], &one, sizeof one));
}

BENCH_INLINE void guard_leave(struct side *side, enum bounded_count count)
{
    const uint64_t one = 1;

    while (!is_done(write(side->fds[count], &one, sizeof one)))
        continue; /* interrupted: it cannot be full */
}

#include "bounded_ops.h"

static void eventfd_close(void *opaque)
{
    struct side *side = opaque;

    for (int count = 0; count < BOUNDED_COUNTS; count++)
        if (side->fds[count] >= 0)
            close(side->fds[count]);
    bounded_close(side);
}

static void *eventfd_open(const struct shape *shape)
{
    int flags = EFD_CLOEXEC | EFD_SEMAPHORE | (shape->policy == POLICY_BLOCK ? 0 : EFD_NONBLOCK);
    struct side *side = bounded_open(sizeof *side, shape);

    if (side == NULL)
        return NULL;
    side->fds[BOUNDED_FREE] = eventfd(side->bounded.slots, flags);
    side->fds[BOUNDED_FILLED] = eventfd(0, flags);
    if (side->fds[BOUNDED_FREE] >= 0 && side->fds[BOUNDED_FILLED] >= 0)
        return side;
    int saved_errno = errno;

    eventfd_close(side);
    errno = saved_errno;
    return NULL;
}

static void eventfd_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "%d slots, or fewer so that they hold %d bytes, in POSIX shared memory; written and "
             "read in place, one producer and one consumer; two eventfds, EFD_SEMAPHORE: free and "
             "filled; spin: EFD_NONBLOCK; adaptive: that, and poll",
             (int)BENCH_QUEUE_DEPTH, (int)BENCH_RING_BYTES);
}

const struct transport transport_eventfd = {
    .name = "eventfd",
    .note = "eventfds signal, shared memory carries",
    .is_brief = true,
    .loops = by_policy,
    .open = eventfd_open,
    .attach = bounded_attach,
    .close = eventfd_close,
    .settings = eventfd_settings,
};

/* SPDX-License-Identifier: MIT */
/*
 * Floor of dialogues that sleep: a message in shared memory and an eventfd that is written for each
 * and read, blocking, for each, and nothing else.
 */
#include "transport.h"
#include "workloads/loops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MESSAGE = 64 };

struct side {
    uint8_t *message;
    int fd;
};

BENCH_INLINE void *event_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    return side->message;
}

BENCH_INLINE void event_stage(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
}

BENCH_INLINE bool event_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    uint64_t one = 1;

    (void)size;
    if (write(side->fd, &one, sizeof one) == sizeof one)
        return true;
    if (errno != EINTR)
        sample_fail("eventfd: %s", strerror(errno));
    return false;
}

BENCH_INLINE const void *event_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    uint64_t count;

    (void)size;
    if (read(side->fd, &count, sizeof count) == sizeof count)
        return side->message;
    if (errno != EINTR)
        sample_fail("eventfd: %s", strerror(errno));
    return NULL;
}

BENCH_INLINE void event_done(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
}

static const struct ops ops = {
    event_reserve, event_stage, event_publish, event_next, event_done, NULL, 0};

/* Dialogues of lines only: there is room for one message, and nobody waits for it. */
static void ping(void *out, void *in, struct run *run)
{
    pingpong_ping_sized(&ops, out, in, run, MESSAGE);
}

static void pong(void *in, void *out, struct run *run)
{
    (void)run;
    pingpong_pong_sized(&ops, in, out, MESSAGE);
}

static const struct loops loops = {NULL, NULL, ping, pong};

static void *event_open(const struct shape *shape)
{
    struct side *side = calloc(1, sizeof *side);

    (void)shape;
    if (side == NULL)
        return NULL;
    side->fd = eventfd(0, EFD_CLOEXEC);
    side->message = mmap(NULL, MESSAGE, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (side->fd >= 0 && side->message != MAP_FAILED)
        return side;
    int saved_errno = errno;

    if (side->fd >= 0)
        close(side->fd);
    if (side->message != MAP_FAILED)
        munmap(side->message, MESSAGE);
    free(side);
    errno = saved_errno;
    return NULL;
}

static void event_close(void *opaque)
{
    struct side *side = opaque;

    close(side->fd);
    munmap(side->message, MESSAGE);
    free(side);
}

static void event_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size, "one write after each message, one blocking read for each");
}

const struct transport transport_eventfd = {
    .name = "eventfd",
    .note = "floor: a message and an eventfd",
    .is_floor = true,
    .loops = {[POLICY_BLOCK] = &loops},
    .open = event_open,
    .close = event_close,
    .settings = event_settings,
};

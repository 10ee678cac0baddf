/* SPDX-License-Identifier: MIT */
/*
 * Floors of dialogues that sleep: a message in shared memory and, for each, one wake and one sleep,
 * and nothing else; by a futex, and by an eventfd. Of lines only: there is room for one message,
 * and nobody waits for it.
 */
#include "transport.h"
#include "workloads/loops.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MESSAGE = 64 };

struct shared {
    _Alignas(128) shmring_word32 count; /* messages that were sent */
    _Alignas(64) uint8_t message[MESSAGE];
};

struct side {
    struct shared *shared;
    uint32_t count; /* own */
    int fd;
};

BENCH_INLINE void *sleeper_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    return side->shared->message;
}

BENCH_INLINE void sleeper_stage(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
}

static long futex(struct side *side, int operation, uint32_t value)
{
    return syscall(SYS_futex, &side->shared->count, operation, value, NULL, NULL, 0);
}

BENCH_INLINE bool futex_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    shmring_store32_release(&side->shared->count, ++side->count);
    if (futex(side, FUTEX_WAKE, 1) < 0)
        sample_fail("futex: %s", strerror(errno));
    return true;
}

BENCH_INLINE const void *futex_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    if (shmring_load32_acquire(&side->shared->count) == side->count)
        return NULL;
    return side->shared->message;
}

BENCH_INLINE void sleeper_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->count++;
}

static void futex_sleep(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    if (futex(side, FUTEX_WAIT, side->count) != 0 && errno != EAGAIN && errno != EINTR)
        sample_fail("futex: %s", strerror(errno));
}

/* Of a write or a read of eight bytes; false: interrupted. */
static inline bool is_done(ssize_t bytes)
{
    if (bytes != sizeof(uint64_t) && errno != EINTR)
        sample_fail("eventfd: %s", strerror(errno));
    return bytes == sizeof(uint64_t);
}

BENCH_INLINE bool eventfd_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    uint64_t one = 1;

    (void)size;
    return is_done(write(side->fd, &one, sizeof one));
}

BENCH_INLINE const void *eventfd_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;
    uint64_t count;

    (void)size;
    return is_done(read(side->fd, &count, sizeof count)) ? side->shared->message : NULL;
}

static const struct ops futex_ops = {
    .reserve = sleeper_reserve,
    .stage = sleeper_stage,
    .publish = futex_publish,
    .next = futex_next,
    .done = sleeper_done,
    .sleep = futex_sleep,
};
static const struct ops eventfd_ops = {
    .reserve = sleeper_reserve,
    .stage = sleeper_stage,
    .publish = eventfd_publish,
    .next = eventfd_next,
    .done = sleeper_done,
};

static void futex_ping(void *out, void *in, struct run *run)
{
    pingpong_ping_sized(&futex_ops, out, in, run, MESSAGE);
}

static void futex_pong(void *in, void *out, struct run *run)
{
    pingpong_pong_sized(&futex_ops, in, out, run, MESSAGE);
}

static void eventfd_ping(void *out, void *in, struct run *run)
{
    pingpong_ping_sized(&eventfd_ops, out, in, run, MESSAGE);
}

static void eventfd_pong(void *in, void *out, struct run *run)
{
    pingpong_pong_sized(&eventfd_ops, in, out, run, MESSAGE);
}

static const struct loops futex_loops = {.ping = futex_ping, .pong = futex_pong};
static const struct loops eventfd_loops = {.ping = eventfd_ping, .pong = eventfd_pong};
static const struct loops *const futex_by_policy[POLICY_COUNT] = {[POLICY_BLOCK] = &futex_loops};
static const struct loops *const eventfd_by_policy[POLICY_COUNT] = {[POLICY_BLOCK] =
                                                                        &eventfd_loops};

static void sleeper_close(void *opaque)
{
    struct side *side = opaque;

    if (side->fd >= 0)
        close(side->fd);
    if (side->shared != NULL)
        munmap(side->shared, sizeof *side->shared);
    free(side);
}

static void *sleeper_open(const struct shape *shape)
{
    struct side *side = bench_alloc(sizeof *side);

    (void)shape;
    if (side == NULL)
        return NULL;
    side->fd = eventfd(0, EFD_CLOEXEC);
    side->shared = bench_share(sizeof *side->shared);
    if (side->fd >= 0 && side->shared != NULL)
        return side;
    int saved_errno = errno;

    sleeper_close(side);
    errno = saved_errno;
    return NULL;
}

static void futex_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size, "FUTEX_WAKE after each message, FUTEX_WAIT for each");
}

static void eventfd_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size, "one write after each message, one blocking read for each");
}

const struct transport transport_floor_futex = {
    .name = "futex",
    .note = "floor: a message and a futex",
    .is_floor = true,
    .loops = futex_by_policy,
    .open = sleeper_open,
    .close = sleeper_close,
    .settings = futex_settings,
};

const struct transport transport_floor_eventfd = {
    .name = "eventfd",
    .note = "floor: a message and an eventfd",
    .is_floor = true,
    .loops = eventfd_by_policy,
    .open = sleeper_open,
    .close = sleeper_close,
    .settings = eventfd_settings,
};

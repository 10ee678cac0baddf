/* SPDX-License-Identifier: MIT */
/*
 * Floor of dialogues that sleep: a message in shared memory and a futex that is woken for each and
 * slept on for each, and nothing else.
 */
#include "transport.h"
#include "workloads/loops.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
};

static long futex(struct side *side, int operation, uint32_t value)
{
    return syscall(SYS_futex, &side->shared->count, operation, value, NULL, NULL, 0);
}

BENCH_INLINE void *futex_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    return side->shared->message;
}

BENCH_INLINE void futex_stage(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
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

BENCH_INLINE void futex_done(void *opaque, uint32_t size)
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

static const struct ops ops = {
    futex_reserve, futex_stage, futex_publish, futex_next, futex_done, futex_sleep, 0};

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

static void *futex_open(const struct shape *shape)
{
    struct side *side = calloc(1, sizeof *side);

    (void)shape;
    if (side == NULL)
        return NULL;
    side->shared = mmap(NULL, sizeof *side->shared, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (side->shared != MAP_FAILED)
        return side;
    free(side);
    errno = ENOMEM;
    return NULL;
}

static void futex_close(void *opaque)
{
    struct side *side = opaque;

    munmap(side->shared, sizeof *side->shared);
    free(side);
}

static void futex_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size, "FUTEX_WAKE after each message, FUTEX_WAIT for each");
}

const struct transport transport_futex = {
    .name = "futex",
    .note = "floor: a message and a futex",
    .is_floor = true,
    .loops = {[POLICY_BLOCK] = &loops},
    .open = futex_open,
    .close = futex_close,
    .settings = futex_settings,
};

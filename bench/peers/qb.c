/* SPDX-License-Identifier: MIT */
/* The ring buffer of libqb, without its semaphores: written and read in place. Its two files in
 * /dev/shm are gone at once; the mappings go through fork. */
#include "transport.h"
#include "workloads/loops.h"

#include <errno.h>
#include <limits.h>
#include <qb/qbrb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

BENCH_INLINE void *qb_reserve(void *opaque, uint32_t size)
{
    return qb_rb_chunk_alloc(opaque, size);
}

/* There is no commit of several. */
BENCH_INLINE void qb_stage(void *opaque, uint32_t size)
{
    qb_rb_chunk_commit(opaque, size);
}

BENCH_INLINE bool qb_publish(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
    return true;
}

BENCH_INLINE const void *qb_next(void *opaque, uint32_t size)
{
    void *message;
    ssize_t length = qb_rb_chunk_peek(opaque, &message, 0);

    if (length <= 0)
        return NULL;
    if (length != (ssize_t)size)
        sample_wrong("a message of %zd bytes", length);
    return message;
}

BENCH_INLINE void qb_done(void *opaque, uint32_t size)
{
    (void)size;
    qb_rb_chunk_reclaim(opaque);
}

static const struct ops spin_ops = {
    .reserve = qb_reserve,
    .stage = qb_stage,
    .publish = qb_publish,
    .next = qb_next,
    .done = qb_done,
};

#include "workloads/spin_loops.h"

/* PATH-header and PATH-data. */
static void remove_files(const char *header)
{
    static const char suffix[] = "-header";
    size_t length = strlen(header) - strlen(suffix);
    char path[PATH_MAX];

    unlink(header);
    snprintf(path, sizeof path, "%.*s-data", (int)length, header);
    unlink(path);
}

static void *qb_open(const struct shape *shape)
{
    static unsigned count;
    qb_ringbuffer_t *ring;
    char name[64];

    (void)shape;
    snprintf(name, sizeof name, "shmring-bench.%ld.%u", (long)getpid(), count++);
    ring = qb_rb_open(name, BENCH_RING_BYTES,
                      QB_RB_FLAG_CREATE | QB_RB_FLAG_SHARED_PROCESS | QB_RB_FLAG_NO_SEMAPHORE, 0);
    if (ring != NULL)
        remove_files(qb_rb_name_get(ring));
    return ring;
}

static void qb_close(void *opaque)
{
    qb_rb_close(opaque);
}

static void qb_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "capacity %d bytes, 8 bytes of header per message, no semaphore; alloc, commit, peek "
             "and reclaim in place",
             (int)BENCH_RING_BYTES);
}

static const struct loops *const by_policy[POLICY_COUNT] = {[POLICY_SPIN] = &spin_loops};

const struct transport transport_qb_rb = {
    .name = "qb_rb",
    .note = "libqb's ring buffer; no batches, and a full ring cannot be waited for",
    .is_brief = true,
    .loops = by_policy,
    .open = qb_open,
    .close = qb_close,
    .settings = qb_settings,
};

/* SPDX-License-Identifier: MIT */
/*
 * POSIX shared memory and two POSIX semaphores, which count free slots and filled ones. The
 * textbook's third, which lets one in at a time, is not needed by one producer and one consumer.
 * Two transports: semaphores without a name, in the memory, and with one, which is gone at once.
 */
#include "bounded.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { APART = 128 }; /* bytes from one semaphore to the next: no line has both */

struct side {
    struct bounded bounded;
    sem_t *semaphores[BOUNDED_COUNTS];
    bool have_names;
};

BENCH_INLINE bool guard_enter(struct side *side, enum bounded_count count, bool waits)
{
    sem_t *semaphore = side->semaphores[count];

    if ((waits ? sem_wait(semaphore) : sem_trywait(semaphore)) == 0)
        return true;
    if (errno != EAGAIN && errno != EINTR)
        sample_fail("semaphore: %s", strerror(errno));
    return false;
}

BENCH_INLINE void guard_leave(struct side *side, enum bounded_count count)
{
    sem_post(side->semaphores[count]);
}

#include "bounded_ops.h"

static unsigned first_value(const struct side *side, unsigned which)
{
    return which == BOUNDED_FREE ? side->bounded.slots : 0;
}

static void *sem_open_unnamed(const struct shape *shape)
{
    struct side *side = bounded_open(sizeof *side, shape);

    if (side == NULL)
        return NULL;
    for (unsigned i = 0; i < BOUNDED_COUNTS; i++) {
        side->semaphores[i] = (sem_t *)(void *)(side->bounded.memory->guard + (size_t)i * APART);
        sem_init(side->semaphores[i], 1, first_value(side, i));
    }
    return side;
}

static void sem_close_side(void *opaque)
{
    struct side *side = opaque;

    for (unsigned i = 0; side->have_names && i < BOUNDED_COUNTS; i++)
        if (side->semaphores[i] != NULL)
            sem_close(side->semaphores[i]);
    bounded_close(side);
}

static void *sem_open_named(const struct shape *shape)
{
    static unsigned count;
    struct side *side = bounded_open(sizeof *side, shape);
    char name[64];

    if (side == NULL)
        return NULL;
    side->have_names = true;
    for (unsigned i = 0; i < BOUNDED_COUNTS; i++) {
        snprintf(name, sizeof name, "/shmring-bench.%ld.%u", (long)getpid(), count++);
        sem_t *made = sem_open(name, O_CREAT | O_EXCL, 0600, first_value(side, i));

        if (made == SEM_FAILED) {
            sem_close_side(side);
            return NULL;
        }
        sem_unlink(name);
        side->semaphores[i] = made;
    }
    return side;
}

static void sem_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "%d slots, or fewer so that they hold %d bytes, in POSIX shared memory; written and "
             "read in place, one producer and one consumer; two sem_t: free and filled; spin: "
             "sem_trywait; adaptive: both",
             (int)BENCH_QUEUE_DEPTH, (int)BENCH_RING_BYTES);
}

const struct transport transport_shm_sem = {
    .name = "shm_sem",
    .note = "POSIX shared memory and POSIX semaphores in it",
    .is_brief = true,
    .loops = by_policy,
    .open = sem_open_unnamed,
    .attach = bounded_attach,
    .close = sem_close_side,
    .settings = sem_settings,
};

const struct transport transport_shm_named_sem = {
    .name = "shm_named_sem",
    .note = "POSIX shared memory and named POSIX semaphores",
    .is_brief = true,
    .loops = by_policy,
    .open = sem_open_named,
    .attach = bounded_attach,
    .close = sem_close_side,
    .settings = sem_settings,
};

/* SPDX-License-Identifier: MIT */
/*
 * System V shared memory and two System V semaphores, which count free slots and filled ones. The
 * textbook's third, which lets one in at a time, is not needed by one producer and one consumer; it
 * would cost two switches per message, because the kernel hands it over to who sleeps on it. The
 * memory is marked for removal at once; the semaphores stay until they are removed, when the sample
 * is over.
 */
#include "bounded.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>

struct side {
    struct bounded bounded;
    int semaphores;
};

BENCH_INLINE bool guard_enter(struct side *side, enum bounded_count count, bool waits)
{
    struct sembuf down = {(unsigned short)count, -1, waits ? 0 : IPC_NOWAIT};

    if (semop(side->semaphores, &down, 1) == 0)
        return true;
    if (errno != EAGAIN && errno != EINTR)
        sample_fail("semop: %s", strerror(errno));
    return false;
}

BENCH_INLINE void guard_leave(struct side *side, enum bounded_count count)
{
    struct sembuf up = {(unsigned short)count, 1, 0};

    if (semop(side->semaphores, &up, 1) != 0)
        sample_fail("semop: %s", strerror(errno));
}

#include "bounded_ops.h"

static void *map_segment(size_t bytes)
{
    int segment = shmget(IPC_PRIVATE, bytes, IPC_CREAT | 0600);
    void *memory;

    if (segment < 0)
        return NULL;
    memory = shmat(segment, NULL, 0);
    shmctl(segment, IPC_RMID, NULL);
    if ((intptr_t)memory == -1)
        return NULL;
    memset(memory, 0, bytes); /* all pages, before the fork */
    return memory;
}

static void sysv_close(void *opaque)
{
    struct side *side = opaque;

    if (side->semaphores >= 0)
        semctl(side->semaphores, 0, IPC_RMID);
    shmdt(side->bounded.memory);
    free(side);
}

static void *sysv_open(const struct shape *shape)
{
    void *memory = map_segment(bounded_bytes(shape->size));
    struct side *side = memory != NULL ? bounded_alloc(sizeof *side, memory, shape) : NULL;

    if (side == NULL) {
        if (memory != NULL)
            shmdt(memory);
        return NULL;
    }
    unsigned short values[BOUNDED_COUNTS] = {[BOUNDED_FREE] = (unsigned short)side->bounded.slots};

    side->semaphores = semget(IPC_PRIVATE, BOUNDED_COUNTS, IPC_CREAT | 0600);
    if (side->semaphores >= 0 && semctl(side->semaphores, 0, SETALL, values) == 0)
        return side;
    int saved_errno = errno;

    sysv_close(side);
    errno = saved_errno;
    return NULL;
}

static void sysv_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "%d slots, or fewer so that they hold %d bytes, in System V shared memory; written "
             "and read in place, one producer and one consumer; two semaphores: free and filled; "
             "spin: IPC_NOWAIT; adaptive: both",
             (int)BENCH_QUEUE_DEPTH, (int)BENCH_RING_BYTES);
}

const struct transport transport_sysv_shm = {
    .name = "sysv_shm",
    .note = "System V shared memory and System V semaphores",
    .is_brief = true,
    .loops = by_policy,
    .open = sysv_open,
    .attach = bounded_attach,
    .close = sysv_close,
    .settings = sysv_settings,
};

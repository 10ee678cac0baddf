/* SPDX-License-Identifier: MIT */
#include "bounded.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *bounded_alloc(size_t side_bytes, void *memory, const struct shape *shape)
{
    struct bounded *bounded = bench_alloc(side_bytes);

    if (bounded == NULL)
        return NULL;
    *bounded = (struct bounded){.memory = memory,
                                .bytes = bounded_bytes(shape->size),
                                .slots = bench_depth(shape->size),
                                .waits = shape->policy == POLICY_BLOCK};
    return bounded;
}

/* Whole, so that no page is missing later; or MAP_FAILED. */
static void *map_object(int fd, size_t bytes)
{
    int error = posix_fallocate(fd, 0, (off_t)bytes);

    if (error == 0)
        return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    errno = error;
    return MAP_FAILED;
}

void *bounded_open(size_t side_bytes, const struct shape *shape)
{
    static unsigned count;
    size_t bytes = bounded_bytes(shape->size);
    void *side = NULL, *memory;
    char name[64];

    snprintf(name, sizeof name, "/shmring-bench.%ld.%u", (long)getpid(), count++);
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);

    if (fd < 0)
        return NULL;
    shm_unlink(name);
    memory = map_object(fd, bytes);
    if (memory != MAP_FAILED && (side = bounded_alloc(side_bytes, memory, shape)) == NULL)
        munmap(memory, bytes);
    int saved_errno = errno;

    close(fd);
    errno = saved_errno;
    return side;
}

void bounded_close(void *side)
{
    struct bounded *bounded = side;

    munmap(bounded->memory, bounded->bytes);
    free(side);
}

int bounded_attach(void *side, enum role role)
{
    struct bounded *bounded = side;

    bounded->role = role;
    return 0;
}

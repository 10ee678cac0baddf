/* SPDX-License-Identifier: MIT */
/*
 * The textbook's bounded buffer: slots in shared memory, and what each transport guards them with.
 * A message is written, and read, in its slot. See bounded_ops.h.
 */
#ifndef BENCH_TRANSPORTS_BOUNDED_H
#define BENCH_TRANSPORTS_BOUNDED_H

#include "transport.h"

#define BENCH_ANY_SIZE
#include "workloads/loops.h"

/* What is counted. */
enum bounded_count {
    BOUNDED_FREE,
    BOUNDED_FILLED,
    BOUNDED_COUNTS,
};

struct bounded_memory {
    _Alignas(4096) uint8_t guard[4096]; /* of the transport */
    _Alignas(4096) uint8_t slots[];
};

/* The first member of struct side. */
struct bounded {
    struct bounded_memory *memory;
    size_t bytes; /* of it */
    uint32_t slots;
    uint32_t next; /* slot of this side, which is the only one in its role */
    enum role role;
    bool waits;  /* policy block: each call may sleep; else none but that of sleep */
    bool inside; /* past the guard: that slot is ours */
    bool staged; /* there is a message in it */
};

static inline size_t bounded_bytes(uint32_t size)
{
    return sizeof(struct bounded_memory) + (size_t)bench_depth(size) * size;
}

/* A side of so many bytes, over zeroed memory of bounded_bytes(); or NULL. For free(). */
void *bounded_alloc(size_t side_bytes, void *memory, const struct shape *shape);

/* The same over a POSIX shared memory object, whose name is gone at once; or NULL and errno. */
void *bounded_open(size_t side_bytes, const struct shape *shape);
void bounded_close(void *side);

int bounded_attach(void *side, enum role role);

#endif

/* SPDX-License-Identifier: MIT */
/* For mechanisms that copy each message out of a buffer and into one: see copying_ops.h. */
#ifndef BENCH_TRANSPORTS_COPYING_H
#define BENCH_TRANSPORTS_COPYING_H

#include "transport.h"

#define BENCH_ANY_SIZE
#include "workloads/loops.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The first member of struct side. */
struct copying {
    bool waits;  /* policy block: each call may sleep; else none but that of sleep */
    bool staged; /* the message in the buffer is still to be sent */
    bool have;   /* it was received */
    uint8_t *buffer;
};

/* A side of so many bytes and the buffer behind it, with room for so many bytes before each
 * message; or NULL. For free(). */
static inline void *copying_alloc(size_t side_bytes, uint32_t head, const struct shape *shape)
{
    size_t offset = (side_bytes + head + 63) / 64 * 64;
    struct copying *copying = (struct copying *)bench_alloc(offset + shape->size);

    if (copying == NULL)
        return NULL;
    copying->waits = shape->policy == POLICY_BLOCK;
    copying->buffer = (uint8_t *)copying + offset;
    return copying;
}

#ifdef __cplusplus
}
#endif

#endif

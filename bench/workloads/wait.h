/* SPDX-License-Identifier: MIT */
/* Waiting in the loops: the same for all transports. */
#ifndef BENCH_WORKLOADS_WAIT_H
#define BENCH_WORKLOADS_WAIT_H

#include "shmring/wait.h"
#include "transport.h"

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zeroed, in C and in C++. */
BENCH_INLINE shmring_spin spin_start(void)
{
    shmring_spin spin;

    memset(&spin, 0, sizeof spin);
    return spin;
}

/* seq: the number of the message that is waited for. */
BENCH_INLINE void wait_once(const struct ops *ops, void *side, uint32_t size, shmring_spin *spin,
                            uint64_t seq)
{
    if (ops->sleep != NULL)
        ops->sleep(side, size);
    else
        shmring_spin_miss(spin, seq);
}

BENCH_INLINE void wait_publish(const struct ops *ops, void *side, uint32_t size,
                               shmring_spin *spin, uint64_t seq)
{
    if (__builtin_expect(ops->publish(side, size), true))
        return;
    do
        wait_once(ops, side, size, spin, seq);
    while (!ops->publish(side, size));
    shmring_spin_hit(spin);
}

BENCH_INLINE void *wait_reserve(const struct ops *ops, void *side, uint32_t size,
                                shmring_spin *spin, uint64_t seq)
{
    void *place = ops->reserve(side, size);

    if (__builtin_expect(place != NULL, true))
        return place;
    /* What is staged is what the other side waits for. */
    wait_publish(ops, side, size, spin, seq);
    while ((place = ops->reserve(side, size)) == NULL)
        wait_once(ops, side, size, spin, seq);
    shmring_spin_hit(spin);
    return place;
}

BENCH_INLINE const void *wait_next(const struct ops *ops, void *side, uint32_t size,
                                   shmring_spin *spin, uint64_t seq)
{
    const void *message = ops->next(side, size);

    if (__builtin_expect(message != NULL, true))
        return message;
    do
        wait_once(ops, side, size, spin, seq);
    while ((message = ops->next(side, size)) == NULL);
    shmring_spin_hit(spin);
    return message;
}

#ifdef __cplusplus
}
#endif

#endif

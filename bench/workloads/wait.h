/* SPDX-License-Identifier: MIT */
/* Waiting in the loops: the same for all transports. */
#ifndef BENCH_WORKLOADS_WAIT_H
#define BENCH_WORKLOADS_WAIT_H

#include "shmring/wait.h"
#include "transport.h"

#ifdef __cplusplus
extern "C" {
#endif

BENCH_INLINE void wait_once(const struct ops *ops, void *side, uint32_t size, shmring_spin *spin)
{
    if (ops->sleep != NULL)
        ops->sleep(side, size);
    else
        shmring_spin_miss(spin);
}

BENCH_INLINE void wait_publish(const struct ops *ops, void *side, uint32_t size, shmring_spin *spin)
{
    if (__builtin_expect(ops->publish(side, size), true))
        return;
    do
        wait_once(ops, side, size, spin);
    while (!ops->publish(side, size));
    shmring_spin_hit(spin);
}

BENCH_INLINE void *wait_reserve(const struct ops *ops, void *side, uint32_t size,
                                shmring_spin *spin)
{
    void *place = ops->reserve(side, size);

    if (__builtin_expect(place != NULL, true))
        return place;
    /* What is staged is what the other side waits for. */
    wait_publish(ops, side, size, spin);
    while ((place = ops->reserve(side, size)) == NULL)
        wait_once(ops, side, size, spin);
    shmring_spin_hit(spin);
    return place;
}

BENCH_INLINE const void *wait_next(const struct ops *ops, void *side, uint32_t size,
                                   shmring_spin *spin)
{
    const void *message = ops->next(side, size);

    if (__builtin_expect(message != NULL, true))
        return message;
    do
        wait_once(ops, side, size, spin);
    while ((message = ops->next(side, size)) == NULL);
    shmring_spin_hit(spin);
    return message;
}

#ifdef __cplusplus
}
#endif

#endif

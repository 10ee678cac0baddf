/* SPDX-License-Identifier: MIT */
/*
 * The same ring for elements of one size, an array of structs: no headers, no types, and as many
 * at once as lie side by side. Created with an element size; capacity and positions then count
 * elements. Roles, orders [spsc.A] to [spsc.D], death and trust are those of spsc.h.
 *
 * Source: as spsc.h; runs of elements as in the rte_ring zero-copy calls of DPDK.
 */
#ifndef SHMRING_SPSC_ARRAY_H
#define SHMRING_SPSC_ARRAY_H

#include "shmring/spsc.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* Types of their own, so that the compiler refuses a message call on an array and vice versa. */
typedef struct shmring_array_producer {
    shmring_spsc_producer spsc;
} shmring_array_producer;

typedef struct shmring_array_consumer {
    shmring_spsc_consumer spsc;
} shmring_array_consumer;

/* As shmring_spsc_attach_producer() and _consumer(); -EPROTOTYPE: the ring holds messages. */
int shmring_array_attach_producer(shmring_array_producer *producer, void *memory,
                                  const shmring_geometry *geometry, int fd);
int shmring_array_attach_consumer(shmring_array_consumer *consumer, void *memory,
                                  const shmring_geometry *geometry, int fd);
void shmring_array_detach_producer(shmring_array_producer *producer);
void shmring_array_detach_consumer(shmring_array_consumer *consumer);

/*
 * Room for up to count elements, side by side. Returns the first, with *ret_count from 1 to count,
 * or NULL if there is room for none (or the handle is poisoned). Fewer than count may come at the
 * end of the data: fill those, then reserve again. Alignment is that of element_size, at most 4096.
 */
SHMRING_HOT inline void *shmring_array_reserve(shmring_array_producer *producer, uint64_t count,
                                               uint64_t *ret_count)
{
    shmring_spsc_producer *spsc = &producer->spsc;
    uint64_t index = spsc->tail_pos & spsc->side.mask;
    uint64_t run = spsc->side.capacity - index < count ? spsc->side.capacity - index : count;

    if (spsc->limit - spsc->tail_pos < run && !shmring_spsc_has_room(spsc, run))
        run = spsc->limit - spsc->tail_pos;
    if (run == 0)
        return NULL;
    spsc->reserved = run;
    *ret_count = run;
    return spsc->side.data + index * spsc->side.element_size;
}

/* Sends the first count elements of the reservation, as one. False, and nothing done, if count is
 * more than was reserved. */
SHMRING_HOT inline bool shmring_array_commit(shmring_array_producer *producer, uint64_t count)
{
    if (count > producer->spsc.reserved)
        return false;
    producer->spsc.tail_pos += count;
    producer->spsc.reserved = 0;
    shmring_spsc_publish(&producer->spsc);
    return true;
}

/*
 * The elements that are there, side by side, at most count. Returns the first, with *ret_count
 * from 1 to count, or NULL if there is none (or the handle is poisoned). They stay until release.
 */
SHMRING_HOT inline const void *shmring_array_peek(shmring_array_consumer *consumer, uint64_t count,
                                                  uint64_t *ret_count)
{
    shmring_spsc_consumer *spsc = &consumer->spsc;
    uint64_t index = spsc->read_pos & spsc->side.mask;
    uint64_t run = spsc->side.capacity - index < count ? spsc->side.capacity - index : count;

    if (spsc->read_pos == spsc->tail_seen && !shmring_spsc_has_record(spsc))
        return NULL;
    if (spsc->tail_seen - spsc->read_pos < run)
        run = spsc->tail_seen - spsc->read_pos;
    if (run == 0)
        return NULL;
    spsc->next_pos = spsc->read_pos + run;
    *ret_count = run;
    return spsc->side.data + index * spsc->side.element_size;
}

/* Gives back the first count of the peeked elements. False, nothing done, if there are fewer. */
SHMRING_HOT inline bool shmring_array_release(shmring_array_consumer *consumer, uint64_t count)
{
    if (count > consumer->spsc.next_pos - consumer->spsc.read_pos)
        return false;
    consumer->spsc.next_pos = consumer->spsc.read_pos + count;
    shmring_spsc_release(&consumer->spsc);
    return true;
}

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

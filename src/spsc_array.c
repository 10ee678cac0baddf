/* SPDX-License-Identifier: MIT */
#include "shmring/spsc_array.h"

int shmring_array_attach_producer(shmring_array_producer *producer, void *memory,
                                  const shmring_geometry *geometry, int fd)
{
    return shmring_spsc_take_producer(&producer->spsc, memory, geometry, fd, true);
}

int shmring_array_attach_consumer(shmring_array_consumer *consumer, void *memory,
                                  const shmring_geometry *geometry, int fd)
{
    return shmring_spsc_take_consumer(&consumer->spsc, memory, geometry, fd, true);
}

void shmring_array_detach_producer(shmring_array_producer *producer)
{
    shmring_spsc_detach_producer(&producer->spsc);
}

void shmring_array_detach_consumer(shmring_array_consumer *consumer)
{
    shmring_spsc_detach_consumer(&consumer->spsc);
}

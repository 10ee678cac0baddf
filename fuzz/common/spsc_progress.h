/* SPDX-License-Identifier: MIT */
/* What no peer can take back from a handle that is not poisoned: messages and room. */
#ifndef SHMRING_FUZZ_SPSC_PROGRESS_H
#define SHMRING_FUZZ_SPSC_PROGRESS_H

#include "fuzz.h"

#include <shmring/spsc.h>

/* As it was before a call; of a new handle, after its attach. */
struct spsc_progress {
    uint64_t tail_seen, limit;
};

static inline void spsc_progress_note(struct spsc_progress *progress,
                                      const shmring_spsc_producer *producer,
                                      const shmring_spsc_consumer *consumer)
{
    progress->tail_seen = consumer->tail_seen;
    progress->limit = producer->limit;
}

static inline void spsc_progress_check(const struct spsc_progress *before,
                                       const shmring_spsc_producer *producer,
                                       const shmring_spsc_consumer *consumer)
{
    /* A peek may look twice, with a skip between. */
    if (consumer->side.error == 0)
        fuzz_expect(consumer->tail_seen - before->tail_seen <= 2 * consumer->side.capacity,
                    "what was published stays published");
    if (producer->side.error == 0)
        fuzz_expect(producer->limit - before->limit <= producer->side.capacity,
                    "what was given back stays given back");
}

#endif

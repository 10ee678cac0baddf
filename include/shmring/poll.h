/* SPDX-License-Identifier: MIT */
/*
 * Waiting for any of several rings, channels and queues mixed, as poll(2) does for descriptors.
 *
 *   shmring_poll_item items[] = {{.channel = &ticks}, {.queue = &jobs}};
 *   while (shmring_poll(items, 2, SHMRING_NEVER) > 0)
 *       if (items[0].is_ready) ... receive from it with SHMRING_NOW
 *
 * For use in an event loop with other descriptors, give the rings SHMRING_BACKEND_EVENTFD, and poll
 * shmring_receiver_fd() and shmring_queue_receiver_fd() there instead.
 */
#ifndef SHMRING_POLL_H
#define SHMRING_POLL_H

#include "shmring/queue.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

enum { SHMRING_POLL_MAX = 128 }; /* what the kernel waits for at once */

typedef struct shmring_poll_item {
    /* One of the two. */
    shmring_receiver *channel;
    shmring_queue_receiver *queue;
    /* Set by each call that returns a number: a receiving call with SHMRING_NOW has something to
     * say: a message, an end, an error. (Of a queue: or another receiver was faster.) */
    bool is_ready;
} shmring_poll_item;

/*
 * Sleeps until one of the receivers is ready, with their wait policies left out of account. Returns
 * how many are ready (at least 1), or
 *   -ETIMEDOUT  the deadline has passed (absolute, see clock.h; SHMRING_NOW: none is ready)
 *   -EINTR      a signal handler ran while it slept
 *   -ENOSYS     the kernel, or a seccomp filter that came later, refuses to let it sleep
 *   -EINVAL     no item, more than SHMRING_POLL_MAX, or one with none or both of the two
 * Receivers that are cancelled are ready. The death of a sender is noticed as in channel.h. Where
 * all have futexes, it sleeps by futex_waitv(2), where all have eventfds, by poll(2); mixed rings,
 * semaphores, and kernels before 5.16 are looked at every millisecond. Same rules for the handles
 * as for their own calls; not async-signal-safe. Takes time in proportion to count.
 */
int shmring_poll(shmring_poll_item *items, uint32_t count, int64_t deadline);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Who looks something up, and what is freed once all have done so: read-copy update. By liburcu
 * (readers_rcu.c), or by a lock that ThreadSanitizer understands (readers_lock.c); of both, one is
 * compiled. A reader does nothing that takes time: it never waits for a peer, a handler, a lock.
 */
#ifndef SHMRING_HUB_READERS_H
#define SHMRING_HUB_READERS_H

#include <stdbool.h>
#include <urcu/urcu-memb.h> /* struct rcu_head */

/* For the whole process. 0, or -ENOMEM. */
int hub_readers_open(void);

/* registered, here and below: the caller's thread is known to liburcu already. */
void hub_readers_begin(bool registered);
void hub_readers_end(void);

/* Calls function(head), in whatever thread, once all who read now have ended; does not wait for
 * that. Not for readers. */
void hub_readers_defer(bool registered, struct rcu_head *head,
                       void (*function)(struct rcu_head *head));

#endif

/* SPDX-License-Identifier: MIT */
/* For ThreadSanitizer, which does not know what liburcu does. */
#define _GNU_SOURCE /* pthread_rwlock_t */
#include "readers.h"

#include <pthread.h>

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

int hub_readers_open(void)
{
    return 0;
}

void hub_readers_begin(bool registered)
{
    (void)registered;
    pthread_rwlock_rdlock(&lock);
}

void hub_readers_end(void)
{
    pthread_rwlock_unlock(&lock);
}

void hub_readers_defer(bool registered, struct rcu_head *head,
                       void (*function)(struct rcu_head *head))
{
    (void)registered;
    pthread_rwlock_wrlock(&lock);
    pthread_rwlock_unlock(&lock);
    function(head);
}

/* SPDX-License-Identifier: MIT */
/* What each backend of a bell can do. Private to the library. */
#ifndef SHMRING_BELL_BACKENDS_H
#define SHMRING_BELL_BACKENDS_H

#include "shmring/bell.h"

#include <time.h>

/* create, remove: what is there once for all members; may be NULL. close may be NULL. create
 * returns 0, 1 if it was there already and is left when the other direction fails, or -errno. */
struct bell_backend {
    int (*create)(struct shmring_bell_words *words, const shmring_bell_place *place,
                  enum shmring_direction direction);
    void (*remove)(struct shmring_bell_words *words, const shmring_bell_place *place,
                   enum shmring_direction direction);
    int (*open)(shmring_bell *bell, const shmring_bell_place *place,
                enum shmring_direction direction);
    void (*close)(shmring_bell *bell);
    void (*ring)(const shmring_bell *bell, bool all);
    void (*clear)(const shmring_bell *bell);
    int (*sleep)(const shmring_bell *bell, uint32_t ticket, int64_t until);
};

extern const struct bell_backend bell_futex, bell_eventfd, bell_sem, bell_named_sem, bell_sysv,
    bell_socket;

/* Asks for what sleeping will need, so that a refusal shows at once: a wait (FUTEX_WAIT, or
 * FUTEX_WAIT_BITSET) that cannot sleep because the word is another, and a wake of nobody. 0, or
 * -EOPNOTSUPP. */
int bell_try_futex(struct shmring_bell_words *words, int wait);

/* Has the other side of that socket closed it? */
bool bell_socket_hung_up(int socket);

/* The time from now until then; none if it has passed. */
struct timespec bell_time_until(int64_t until);

/* What is slept on in place of a semaphore that is damaged. Returns 0, -EINTR, -ENOSYS. */
int bell_nap(int64_t until);

#endif

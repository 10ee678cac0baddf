/* SPDX-License-Identifier: MIT */
/* What stands before the hub's text in its models, after genmc_begin.h: the calls of the system and
 * of libshmring that it makes. hub.h has stand-ins for them. */
#ifndef SHMRING_TESTS_MODEL_HUB_BEGIN_H
#define SHMRING_TESTS_MODEL_HUB_BEGIN_H

#include <stdlib.h>

typedef unsigned uid_t;
typedef unsigned gid_t;
typedef int pthread_cond_t;

#ifndef ECANCELED
#define ECANCELED 125
#endif

#include "shmring/link.h"

struct rcu_head {
    struct rcu_head *next;
};

enum { EPOLLIN = 1, EPOLLONESHOT = 2, EPOLL_CTL_DEL = 3, EPOLL_CTL_MOD = 4 };

struct epoll_event {
    uint32_t events;
    struct {
        uint64_t u64;
    } data;
};

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int epoll_wait(int epoll, struct epoll_event *events, int max, int timeout);

ssize_t model_write(int fd, const void *bytes, size_t size);
int model_close(int fd);
int model_nanosleep(const struct timespec *time, struct timespec *rest);
int model_destroy(void *object);
#define write model_write
#define close model_close
#define nanosleep model_nanosleep
#define pthread_mutex_destroy model_destroy
#define pthread_cond_destroy model_destroy

/* The ring of a channel, and its wakes: inline functions. */
const void *model_spsc_peek(shmring_spsc_consumer *consumer, uint64_t *ret_length,
                            uint32_t *ret_type);
void model_spsc_release(shmring_spsc_consumer *consumer);
int model_receiver_peek(shmring_receiver *receiver, int64_t deadline, const void **ret_message,
                        uint64_t *ret_length, uint32_t *ret_type);
bool model_spsc_peer_left(const shmring_spsc_side *side);
void model_wake(shmring_waiter *waiter);
#define shmring_spsc_peek model_spsc_peek
#define shmring_spsc_release model_spsc_release
#define shmring_spsc_peer_left model_spsc_peer_left
#define shmring_receiver_peek model_receiver_peek
#define shmring_wake model_wake

#endif

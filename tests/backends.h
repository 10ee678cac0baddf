/* SPDX-License-Identifier: MIT */
/* A channel or a queue with any backend, however its members find it: by name, or by descriptors
 * where the backend has no name. For tests of either kind. */
#ifndef SHMRING_TESTS_BACKENDS_H
#define SHMRING_TESTS_BACKENDS_H

#include <shmring/shmring.h>
#include <stdio.h>
#include <unistd.h>

static const int64_t HANG_NS = 60000000000; /* what takes so long has hung */

enum { BACKEND_RINGS_MAX = 64 }; /* of a process */

typedef struct backend_ring {
    enum shmring_backend backend;
    bool is_queue;
    char name[64];
    shmring_channel_fds fds;
} backend_ring;

static inline const char *backend_name(enum shmring_backend backend)
{
    static const char *const names[SHMRING_BACKENDS] = {
        [SHMRING_BACKEND_FUTEX] = "futex",     [SHMRING_BACKEND_EVENTFD] = "eventfd",
        [SHMRING_BACKEND_SEM] = "sem",         [SHMRING_BACKEND_NAMED_SEM] = "named sem",
        [SHMRING_BACKEND_SYSV_SEM] = "sysv sem",
    };

    return names[backend];
}

static inline bool backend_has_name(enum shmring_backend backend)
{
    return backend != SHMRING_BACKEND_EVENTFD;
}

/* 0, or as from the call that creates it. */
static inline int backend_ring_create(backend_ring *ring, enum shmring_backend backend,
                                      bool is_queue, shmring_channel_options options)
{
    static int count;

    *ring = (backend_ring){backend, is_queue, "", {-1, {-1, -1}}};
    options.size = sizeof options;
    options.backend = backend;
    snprintf(ring->name, sizeof ring->name, "shmring-test-%d-%d", (int)getpid(), count++);
    if (backend_has_name(backend))
        return is_queue ? shmring_queue_create(ring->name, &options)
                        : shmring_channel_create(ring->name, &options);
    return is_queue ? shmring_queue_create_fds(&ring->fds, &options)
                    : shmring_channel_create_fds(&ring->fds, &options);
}

static inline void backend_ring_remove(backend_ring *ring)
{
    shmring_channel_close_fds(&ring->fds);
    if (backend_has_name(ring->backend))
        shmring_channel_unlink(ring->name, NULL);
}

/* What that process has left behind, however it ended. */
static inline void backend_rings_remove_of(pid_t pid)
{
    char name[64];

    for (int i = 0; i < BACKEND_RINGS_MAX; i++) {
        snprintf(name, sizeof name, "shmring-test-%d-%d", (int)pid, i);
        shmring_channel_unlink(name, NULL);
    }
}

static inline int backend_sender_open(shmring_sender *sender, const backend_ring *ring,
                                      const shmring_channel_options *options)
{
    return backend_has_name(ring->backend)
               ? shmring_sender_open(sender, ring->name, options)
               : shmring_sender_open_fds(sender, &ring->fds, options);
}

static inline int backend_receiver_open(shmring_receiver *receiver, const backend_ring *ring,
                                        const shmring_channel_options *options)
{
    return backend_has_name(ring->backend)
               ? shmring_receiver_open(receiver, ring->name, options)
               : shmring_receiver_open_fds(receiver, &ring->fds, options);
}

static inline int backend_queue_sender_open(shmring_queue_sender *sender, const backend_ring *ring,
                                            const shmring_channel_options *options)
{
    return backend_has_name(ring->backend)
               ? shmring_queue_sender_open(sender, ring->name, options)
               : shmring_queue_sender_open_fds(sender, &ring->fds, options);
}

static inline int backend_queue_receiver_open(shmring_queue_receiver *receiver,
                                              const backend_ring *ring,
                                              const shmring_channel_options *options)
{
    return backend_has_name(ring->backend)
               ? shmring_queue_receiver_open(receiver, ring->name, options)
               : shmring_queue_receiver_open_fds(receiver, &ring->fds, options);
}

#endif

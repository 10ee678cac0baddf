/* SPDX-License-Identifier: MIT */
/* What a hostile peer of a link does with it. */
#ifndef SHMRING_TESTS_FOE_H
#define SHMRING_TESTS_FOE_H

#include "../messages.h"
#include "summary.h"

#include <pthread.h>
#include <sys/socket.h>

enum { FOE_SPAMS = 1000, FOE_SPAM_MAX = 4096 };

/* Rings of any length and number, read or left unread; in the end it may hang up one half. */
static inline void *foe_spam(void *argument)
{
    const shmring_link *link = argument;
    uint64_t random = (uint64_t)shmring_clock();
    char bytes[FOE_SPAM_MAX] = {0};

    for (int i = 0; i < FOE_SPAMS; i++) {
        uint64_t dice = test_random(&random);

        if (dice % 2 == 0)
            send(link->socket, bytes, dice >> 8 & (FOE_SPAM_MAX - 1), MSG_DONTWAIT | MSG_NOSIGNAL);
        else if (dice % 8 == 1)
            recv(link->socket, bytes, sizeof bytes, MSG_DONTWAIT);
        usleep(dice >> 32 & 127);
    }
    shutdown(link->socket, random % 2 == 0 ? SHUT_WR : SHUT_RD);
    return NULL;
}

/* Until that round is over. */
static inline void foe_play(shmring_link *link, const shmring_geometry *lane, uint32_t round,
                            uint64_t seed)
{
    const struct scribbler scribbler = {link->mine.base, lane, link->theirs.base, scribbles, round};
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, foe_spam, link) == 0);
    CHECK(pthread_detach(thread) == 0);
    scribble(&scribbler, seed);
}

#endif

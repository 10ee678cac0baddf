/* SPDX-License-Identifier: MIT */
/* Links to processes of the test's own; and one of them that is honest, beside the bad ones: what
 * it is sent comes back, whole, once and in order, whatever they do. */
#ifndef SHMRING_TESTS_PEER_H
#define SHMRING_TESTS_PEER_H

#include "../messages.h"

#include <sys/socket.h>

#define PEER_HANG_NS INT64_C(60000000000)

/* How a test of this directory is called: NAME [SEED] [--scale SECONDS]. */
static inline int64_t peer_time(int *argc, char **argv, int64_t seconds)
{
    if (*argc > 2 && strcmp(argv[*argc - 2], "--scale") == 0) {
        seconds = atoll(argv[*argc - 1]);
        *argc -= 2;
    }
    return seconds * 1000000000;
}

static inline void peer_shake_hands(enum shmring_link_side side, int socket,
                                    const shmring_link_options *options, shmring_link *ret_link)
{
    shmring_handshake handshake;
    shmring_link_options own = *options;

    own.size = sizeof own;
    own.timeout_ns = PEER_HANG_NS;
    CHECK_EQ(shmring_handshake_begin(&handshake, side, socket, &own), 0);
    CHECK_EQ(shmring_handshake_finish(&handshake, ret_link, SHMRING_NEVER), 0);
}

/* A link to a child that does that, and ends. This side is the server. */
static inline pid_t peer_start(shmring_link *ret_link, const shmring_link_options *mine,
                               const shmring_link_options *its,
                               void (*play)(shmring_link *link, uint64_t seed), uint64_t seed)
{
    shmring_link link;
    int sockets[2];

    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0);
    pid_t pid = check_fork();

    if (pid == 0) {
        close(sockets[SHMRING_LINK_SERVER]);
        peer_shake_hands(SHMRING_LINK_CLIENT, sockets[SHMRING_LINK_CLIENT], its, &link);
        play(&link, seed);
        _exit(0);
    }
    close(sockets[SHMRING_LINK_CLIENT]);
    peer_shake_hands(SHMRING_LINK_SERVER, sockets[SHMRING_LINK_SERVER], mine, ret_link);
    return pid;
}

struct neighbour {
    shmring_link link;
    pid_t pid;
    uint64_t sent, got;
};

static struct neighbour neighbour;

static inline void neighbour_play(shmring_link *link, uint64_t seed)
{
    char message[MESSAGE_MAX];
    uint64_t length;
    uint32_t type;

    (void)seed;
    while (shmring_receiver_recv(&link->receiver, message, sizeof message, &length, &type,
                                 SHMRING_NEVER) == 0)
        CHECK_EQ(shmring_sender_send(&link->sender, message, length, type, SHMRING_NEVER), 0);
    shmring_link_close(link);
}

static inline void neighbour_start(void)
{
    const shmring_link_options options = {.capacity = 4096};

    neighbour.pid = peer_start(&neighbour.link, &options, &options, neighbour_play, 0);
}

static inline bool neighbour_recv(int64_t deadline)
{
    char message[MESSAGE_MAX];
    uint64_t length;
    uint32_t type;
    int error = shmring_receiver_recv(&neighbour.link.receiver, message, sizeof message, &length,
                                      &type, deadline);

    if (error == -ETIMEDOUT && deadline == SHMRING_NOW)
        return false;
    CHECK_EQ(error, 0);
    CHECK(message_is(message, length, type, neighbour.got));
    neighbour.got++;
    return true;
}

/* One goes there, if there is room, and what has come back is looked at. */
static inline void neighbour_turn(void)
{
    char message[MESSAGE_MAX];

    message_write(message, neighbour.sent);
    int error = shmring_sender_send(&neighbour.link.sender, message, message_length(neighbour.sent),
                                    message_type(neighbour.sent), SHMRING_NOW);

    CHECK(error == 0 || error == -ETIMEDOUT);
    neighbour.sent += error == 0;
    while (neighbour_recv(SHMRING_NOW))
        continue;
}

/* All that went there has come back. */
static inline void neighbour_end(void)
{
    int64_t deadline = shmring_deadline(PEER_HANG_NS);

    CHECK(neighbour.sent != 0);
    while (neighbour.got != neighbour.sent)
        neighbour_recv(deadline);
    shmring_link_close(&neighbour.link);
    CHECK_EQ(check_wait(neighbour.pid), 0);
    printf("%llu messages of a third party, none lost\n", (unsigned long long)neighbour.got);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Claim: whoever polls the descriptor of a pollable link, and receives until -ETIMEDOUT before it
 * polls, sleeps through no message and through no end; also if it calls shmring_poll() in between,
 * and that finds nothing.
 */
#include "link_middle.h"

#include <poll.h>
#include <shmring/poll.h>

enum { ROUNDS = 20000, LOOKS_FROM = ROUNDS / 2, LOOK_NS = 20000 };

static const shmring_link_options options = {
    .size = sizeof options, .pollable = true, .timeout_ns = INT64_C(20000000000)};

/* Nothing comes while the library polls, for so long. */
static bool finds_nothing(shmring_link *link, int64_t ns)
{
    shmring_poll_item item = {.channel = &link->receiver};
    int ready = shmring_poll(&item, 1, shmring_deadline(ns));

    CHECK(ready == -ETIMEDOUT || (ready == 1 && item.is_ready));
    return ready == -ETIMEDOUT;
}

/* Without the help of a timeout: a message slept through is a hang. */
static int receive(shmring_link *link, uint32_t round, uint32_t *ret_number)
{
    struct pollfd one = {.fd = shmring_receiver_fd(&link->receiver), .events = POLLIN};
    int error;

    while ((error = shmring_receiver_recv(&link->receiver, ret_number, sizeof *ret_number, NULL,
                                          NULL, SHMRING_NOW)) == -ETIMEDOUT)
        if (round < LOOKS_FROM || finds_nothing(link, round * 97 % LOOK_NS))
            CHECK_EQ(poll(&one, 1, 60000), 1);
    return error;
}

static void send_number(shmring_link *link, uint32_t number)
{
    CHECK_EQ(shmring_sender_send(&link->sender, &number, sizeof number, 0, SHMRING_NEVER), 0);
}

static void answer(int socket)
{
    shmring_handshake handshake;
    shmring_link link;
    uint32_t number;

    CHECK_EQ(shmring_handshake_begin(&handshake, SHMRING_LINK_CLIENT, socket, &options), 0);
    CHECK_EQ(shmring_handshake_finish(&handshake, &link, SHMRING_NEVER), 0);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        CHECK_EQ(receive(&link, i, &number), 0);
        send_number(&link, number);
    }
    CHECK_EQ(receive(&link, ROUNDS, &number), -EPIPE);
    shmring_link_close(&link);
}

int main(void)
{
    shmring_handshake handshake;
    shmring_link link;
    uint32_t number;
    int sockets[2];

    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0);
    pid_t pid = check_fork();

    if (pid == 0) {
        close(sockets[0]);
        answer(sockets[1]);
        _exit(0);
    }
    close(sockets[1]);
    CHECK_EQ(shmring_handshake_begin(&handshake, SHMRING_LINK_SERVER, sockets[0], &options), 0);
    CHECK_EQ(shmring_handshake_finish(&handshake, &link, SHMRING_NEVER), 0);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        send_number(&link, i);
        CHECK_EQ(receive(&link, i, &number), 0);
        CHECK_EQ(number, i);
    }
    shmring_link_close(&link);
    CHECK_EQ(check_wait(pid), 0);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "shmring/shmring.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Both halves of a handshake in one thread, over a socketpair. Returns how the two ended. */
static void shake(const shmring_link_options *server, const shmring_link_options *client,
                  shmring_link ret_links[2], int ret_errors[2])
{
    shmring_handshake halves[2];
    int sockets[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
    cr_assert_eq(shmring_handshake_begin(&halves[0], SHMRING_LINK_SERVER, sockets[0], server), 0);
    cr_assert_eq(shmring_handshake_begin(&halves[1], SHMRING_LINK_CLIENT, sockets[1], client), 0);
    ret_errors[0] = ret_errors[1] = -EAGAIN;
    for (int round = 0; round < 4; round++)
        for (int side = 0; side < 2; side++)
            if (ret_errors[side] == -EAGAIN)
                ret_errors[side] = shmring_handshake_step(&halves[side], &ret_links[side]);
}

static void open_links(const shmring_link_options *server, const shmring_link_options *client,
                       shmring_link ret_links[2])
{
    int errors[2];

    shake(server, client, ret_links, errors);
    cr_assert_eq(errors[0], 0, "server: %s", strerror(-errors[0]));
    cr_assert_eq(errors[1], 0, "client: %s", strerror(-errors[1]));
}

static void expect_message(shmring_receiver *receiver, const char *wanted)
{
    char text[64] = "";
    uint64_t length = 0;
    int error = shmring_receiver_recv(receiver, text, sizeof text, &length, NULL, SHMRING_NOW);

    cr_expect_eq(error, 0, "%s", strerror(-error));
    cr_expect_str_eq(text, wanted);
}

static void send_text(shmring_sender *sender, const char *text)
{
    cr_expect_eq(shmring_sender_send(sender, text, strlen(text) + 1, 7, SHMRING_NOW), 0);
}

Test(link, messages_go_in_both_directions)
{
    const shmring_link_options options[] = {
        {.size = sizeof *options},
        {.size = sizeof *options, .pollable = true},
        {.size = sizeof *options, .client_owned = true},
        {.size = sizeof *options, .fence = SHMRING_FENCE_SYMMETRIC},
    };

    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        shmring_link links[2];

        open_links(&options[i], &options[i], links);
        send_text(&links[0].sender, "to the client");
        send_text(&links[1].sender, "to the server");
        expect_message(&links[1].receiver, "to the client");
        expect_message(&links[0].receiver, "to the server");
        shmring_link_close(&links[0]);
        shmring_link_close(&links[1]);
    }
}

Test(link, an_end_is_told_after_the_last_message_and_again)
{
    shmring_link links[2];

    open_links(NULL, NULL, links);
    send_text(&links[1].sender, "last");
    shmring_link_close(&links[1]);
    expect_message(&links[0].receiver, "last");
    for (int i = 0; i < 3; i++) {
        char byte;

        cr_expect_eq(shmring_receiver_recv(&links[0].receiver, &byte, 1, NULL, NULL, SHMRING_NEVER),
                     -EPIPE);
    }
    shmring_link_close(&links[0]);
}

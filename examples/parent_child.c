/* SPDX-License-Identifier: MIT */
/* A parent and its child, who do not share memory but for a link: what the child's part of a
 * program is worth that handles what others sent. */
#include <shmring/shmring.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int shake_hands(enum shmring_link_side side, int socket, shmring_link *ret_link)
{
    shmring_handshake handshake;
    int error = shmring_handshake_begin(&handshake, side, socket, NULL);

    return error != 0 ? error : shmring_handshake_finish(&handshake, ret_link, SHMRING_NEVER);
}

/* Answers each message by its length, until the parent leaves. */
static int child(int socket)
{
    shmring_link link;
    char text[64], answer[32];
    uint64_t length;
    int error = shake_hands(SHMRING_LINK_CLIENT, socket, &link);

    if (error != 0)
        return error;
    while ((error = shmring_receiver_recv(&link.receiver, text, sizeof text, &length, NULL,
                                          SHMRING_NEVER)) == 0) {
        int size = snprintf(answer, sizeof answer, "%d bytes", (int)length);

        shmring_sender_send(&link.sender, answer, (uint64_t)size, 0, SHMRING_NEVER);
    }
    shmring_link_close(&link);
    return error == -EPIPE ? 0 : error;
}

int main(void)
{
    shmring_link link;
    char answer[64] = "";
    int sockets[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets) != 0)
        return 1;
    if (fork() == 0) {
        close(sockets[0]);
        _exit(child(sockets[1]) != 0);
    }
    close(sockets[1]);
    int error = shake_hands(SHMRING_LINK_SERVER, sockets[0], &link);

    if (error == 0) {
        shmring_sender_send(&link.sender, "hello", 5, 0, SHMRING_NEVER);
        error = shmring_receiver_recv(&link.receiver, answer, sizeof answer - 1, NULL, NULL,
                                      SHMRING_NEVER);
        shmring_link_close(&link);
    }
    printf("%s\n", error == 0 ? answer : shmring_error_text(error));
    return wait(NULL) < 0 || error != 0;
}

/* SPDX-License-Identifier: MIT */
#include <shmring/shmring.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    static shmring_listener listener;
    shmring_link link;
    char text[64] = "";
    int error = shmring_link_listen(&listener, argc > 1 ? argv[1] : "example", NULL);

    if (error == 0)
        error = shmring_link_accept(&listener, &link, SHMRING_NEVER);
    if (error == 0) {
        error =
            shmring_receiver_recv(&link.receiver, text, sizeof text - 1, NULL, NULL, SHMRING_NEVER);
        printf("%s, says uid %u\n", text, (unsigned)link.peer.uid);
        shmring_link_close(&link);
    }
    if (error != 0)
        fprintf(stderr, "link_server: %s\n", shmring_error_text(error));
    shmring_listener_close(&listener);
    return error != 0;
}

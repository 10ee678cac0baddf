/* SPDX-License-Identifier: MIT */
#include <shmring/shmring.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    shmring_link link = {0};
    int error = shmring_link_connect(&link, argc > 1 ? argv[1] : "example", NULL, SHMRING_NEVER);

    if (error == 0)
        error = shmring_sender_send(&link.sender, "hello", 5, 0, SHMRING_NEVER);
    if (error != 0)
        fprintf(stderr, "link_client: %s\n", shmring_error_text(error));
    shmring_link_close(&link);
    return error != 0;
}

/* SPDX-License-Identifier: MIT */
/* A user's program: compiles against what was installed, links it, runs it. */
#include <shmring/shmring.h>
#include <stdio.h>
#include <string.h>

/* The calls that are inlined, too. */
static int pass_a_message(void)
{
    shmring_channel_fds fds = {-1, {-1, -1}};
    shmring_sender tx;
    shmring_receiver rx;
    int sent = 42, got = 0;

    if (shmring_channel_create_fds(&fds, NULL) != 0 ||
        shmring_sender_open_fds(&tx, &fds, NULL) != 0 ||
        shmring_receiver_open_fds(&rx, &fds, NULL) != 0)
        return 1;
    if (shmring_sender_send(&tx, &sent, sizeof sent, 0, SHMRING_NOW) != 0 ||
        shmring_receiver_recv(&rx, &got, sizeof got, NULL, NULL, SHMRING_NOW) != 0)
        return 1;
    shmring_sender_close(&tx);
    shmring_receiver_close(&rx);
    shmring_channel_close_fds(&fds);
    return got != sent;
}

int main(void)
{
    printf("shmring %s\n", SHMRING_VERSION_STRING);
    return strcmp(shmring_version(), SHMRING_VERSION_STRING) != 0 || pass_a_message();
}

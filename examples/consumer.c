/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <shmring/shmring.h>
#include <stdio.h>

int main(void)
{
    shmring_channel_options options = {.size = sizeof options, .create = true};
    shmring_receiver rx = {0};
    int error = shmring_receiver_open(&rx, "greetings", &options);
    char text[32];
    uint64_t length;

    while (error == 0) {
        error = shmring_receiver_recv(&rx, text, sizeof text, &length, NULL, SHMRING_NEVER);
        if (error == 0)
            printf("%.*s\n", (int)length, text);
    }
    if (error != -EPIPE) /* the producer has not ended as it should */
        fprintf(stderr, "consumer: %s\n", shmring_error_text(error));
    shmring_receiver_close(&rx);
    return error != -EPIPE;
}

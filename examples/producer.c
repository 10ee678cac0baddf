/* SPDX-License-Identifier: MIT */
#include <shmring/shmring.h>
#include <stdio.h>

int main(void)
{
    shmring_channel_options options = {.size = sizeof options, .create = true};
    shmring_sender tx = {0};
    int error = shmring_sender_open(&tx, "greetings", &options);

    for (int i = 1; i <= 3 && error == 0; i++) {
        char text[32];
        int length = snprintf(text, sizeof text, "hello %d", i);
        error = shmring_sender_send(&tx, text, (uint64_t)length, 0, SHMRING_NEVER);
    }
    if (error != 0)
        fprintf(stderr, "producer: %s\n", shmring_error_text(error));
    shmring_sender_close(&tx);
    return error != 0;
}

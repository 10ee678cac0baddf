/* SPDX-License-Identifier: MIT */
/* Ten jobs for whoever works (worker.c). Any number of such senders may run at once. */
#include <shmring/shmring.h>
#include <stdio.h>

int main(void)
{
    shmring_channel_options options = {.size = sizeof options, .create = true, .redeliver = true};
    shmring_queue_sender tx = {0};
    int error = shmring_queue_sender_open(&tx, "jobs", &options);

    for (int i = 1; i <= 10 && error == 0; i++) {
        char text[32];
        int length = snprintf(text, sizeof text, "job %d", i);
        error = shmring_queue_send(&tx, text, (uint32_t)length, 0, SHMRING_NEVER);
    }
    if (error != 0)
        fprintf(stderr, "jobs: %s\n", shmring_error_text(error));
    shmring_queue_sender_close(&tx);
    return error != 0;
}

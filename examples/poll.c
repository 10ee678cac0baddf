/* SPDX-License-Identifier: MIT */
/* Waiting for several rings at once, without descriptors: two children, a ring each. */
#include <errno.h>
#include <shmring/shmring.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RINGS = 2 };

static int child(const shmring_channel_fds *fds, int number)
{
    shmring_sender tx = {0};
    int error = shmring_sender_open_fds(&tx, fds, NULL);

    for (int i = 1; i <= 3 && error == 0; i++) {
        int message = 10 * number + i;

        error = shmring_sender_send(&tx, &message, sizeof message, 0, SHMRING_NEVER);
    }
    shmring_sender_close(&tx);
    return error != 0;
}

int main(void)
{
    shmring_channel_fds fds[RINGS];
    shmring_receiver rx[RINGS];
    shmring_poll_item items[RINGS];
    int open = RINGS;

    for (int i = 0; i < RINGS; i++) {
        if (shmring_channel_create_fds(&fds[i], NULL) != 0 ||
            shmring_receiver_open_fds(&rx[i], &fds[i], NULL) != 0)
            return perror("poll"), 1;
        items[i] = (shmring_poll_item){.channel = &rx[i]};
        if (fork() == 0)
            _exit(child(&fds[i], i + 1));
    }
    while (open > 0) {
        int ready = shmring_poll(items, RINGS, SHMRING_NEVER);

        if (ready < 0)
            return fprintf(stderr, "poll: %s\n", strerror(-ready)), 1;
        for (int i = 0; i < RINGS; i++) {
            int number, error = -ETIMEDOUT;

            if (items[i].is_ready)
                error = shmring_receiver_recv(&rx[i], &number, sizeof number, NULL, NULL,
                                              SHMRING_NOW);
            if (error == 0)
                printf("%d\n", number);
            open -= error == -EPIPE;
        }
    }
    for (int i = 0; i < RINGS; i++) {
        shmring_receiver_close(&rx[i]);
        shmring_channel_close_fds(&fds[i]);
        wait(NULL);
    }
    return 0;
}

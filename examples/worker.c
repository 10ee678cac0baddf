/* SPDX-License-Identifier: MIT */
/*
 * One of any number of workers: each job goes to one of them, and to another one if that dies
 * before it is done. Works until Ctrl-C or SIGTERM.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <shmring/shmring.h>
#include <signal.h>
#include <stdio.h>

static shmring_queue_receiver rx;

static void stop(int number)
{
    (void)number;
    shmring_queue_receiver_cancel(&rx);
}

int main(void)
{
    shmring_channel_options options = {.size = sizeof options, .create = true, .redeliver = true};
    int error = shmring_queue_receiver_open(&rx, "jobs", &options);
    struct sigaction action = {.sa_handler = stop};
    shmring_mpmc_slot job;

    sigaction(SIGINT, &action, NULL); /* not signal(): C11's handles one signal only */
    sigaction(SIGTERM, &action, NULL);
    if (error == 0)
        fputs("worker: ready\n", stderr);
    while (error == 0) {
        error = shmring_queue_take(&rx, SHMRING_NEVER, &job);
        if (error == 0) {
            printf("%.*s%s\n", (int)job.length, (char *)job.data, job.redelivered ? " again" : "");
            fflush(stdout);
            error = shmring_queue_release(&rx, &job); /* done: nobody else gets it */
        } else if (error == -EPIPE || error == -EOWNERDEAD || error == -EINTR) {
            error = 0; /* all senders have left, or one died: there will be others */
        }
    }
    if (error != -ECANCELED)
        fprintf(stderr, "worker: %s\n", shmring_error_text(error));
    shmring_queue_receiver_close(&rx);
    return error != -ECANCELED;
}

/* SPDX-License-Identifier: MIT */
/* Between the options of the command and the library: how calls wait, and what ends them. */
#include "cli.h"

#include <errno.h>
#include <time.h>

static struct {
    void (*call)(void *handle);
    void *handle;
} cancel;

shmring_channel_options cli_channel_options(const struct cli_options *options)
{
    return (shmring_channel_options){
        .size = sizeof(shmring_channel_options),
        .capacity = options->capacity,
        .wait = options->wait,
        .segment = {.size = sizeof(shmring_segment_options), .mode = options->mode},
        .backend = options->backend,
        .fence = options->fence,
    };
}

int64_t cli_deadline(int64_t timeout)
{
    return timeout < 0 ? SHMRING_NEVER : shmring_deadline(timeout);
}

bool cli_goes_on(int error)
{
    return error == -EINTR && !cli_signal;
}

void cli_set_cancel(void (*call)(void *handle), void *handle)
{
    sigset_t all, before;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    cancel.call = call;
    cancel.handle = handle;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (cli_signal)
        cli_cancel();
}

void cli_cancel(void)
{
    if (cancel.call != NULL)
        cancel.call(cancel.handle);
}

void cli_pause(void)
{
    struct timespec time = {.tv_nsec = 3000000};

    nanosleep(&time, NULL);
}

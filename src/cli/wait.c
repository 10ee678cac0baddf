/* SPDX-License-Identifier: MIT */
/* Between the options of the command and the library. */
#include "cli.h"

#include <errno.h>
#include <time.h>

static const int64_t SLICE_NS = 100000000;

shmring_channel_options cli_channel_options(const struct cli_options *options)
{
    return (shmring_channel_options){
        .size = sizeof(shmring_channel_options),
        .capacity = options->capacity,
        .wait = options->wait,
        .segment = {.size = sizeof(shmring_segment_options), .mode = options->mode},
    };
}

static void next_slice(struct cli_wait *wait, int64_t now)
{
    wait->slice = wait->end - now < SLICE_NS ? wait->end : now + SLICE_NS;
}

void cli_wait_start(struct cli_wait *wait)
{
    wait->end = SHMRING_NEVER;
    if (wait->timeout < 0)
        return; /* the last slice will do, also when it is over: no clock for each message */
    wait->end = shmring_deadline(wait->timeout);
    next_slice(wait, shmring_clock());
}

bool cli_wait_goes_on(struct cli_wait *wait, int *error)
{
    if (*error != -ETIMEDOUT && *error != -EINTR)
        return false;
    if (cli_signal) {
        *error = -EINTR;
        return false;
    }
    int64_t now = shmring_clock();

    if (now >= wait->end) {
        *error = -ETIMEDOUT;
        return false;
    }
    next_slice(wait, now);
    return true;
}

void cli_pause(void)
{
    struct timespec time = {.tv_nsec = 3000000};

    nanosleep(&time, NULL);
}

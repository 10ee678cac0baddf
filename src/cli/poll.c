/* SPDX-License-Identifier: MIT */
/* Waiting for a ring that cannot wake anybody. */
#include "cli.h"

#include <errno.h>
#include <time.h>

enum {
    MISSES_PER_CLOCK = 64,
    MISSES_MAX = 256, /* then it sleeps */
};
static const int64_t NAP_MIN_NS = 50000, NAP_MAX_NS = 1000000;
static const int64_t LOOK_NS = 10000000;

void cli_poll_start(struct cli_poll *poll, int64_t timeout)
{
    poll->end = timeout < 0 ? SHMRING_NEVER : shmring_deadline(timeout);
    poll->nap = 0;
}

int cli_poll_step(struct cli_poll *poll, bool *ret_look)
{
    *ret_look = false;
    if (cli_signal)
        return -EINTR;
    if (poll->nap == 0) {
        shmring_spin_miss(&poll->spin, poll->done);
        if (poll->spin.misses % MISSES_PER_CLOCK != 0)
            return 0;
        if (poll->wait != SHMRING_WAIT_SPIN && poll->spin.misses >= MISSES_MAX)
            poll->nap = NAP_MIN_NS;
    } else {
        int64_t left = poll->end - shmring_clock();
        struct timespec time = {.tv_nsec = left < poll->nap ? left : poll->nap};

        if (left > 0)
            nanosleep(&time, NULL);
        poll->nap = 2 * poll->nap < NAP_MAX_NS ? 2 * poll->nap : NAP_MAX_NS;
    }
    int64_t now = shmring_clock();

    *ret_look = now >= poll->look_at || now >= poll->end;
    if (*ret_look)
        poll->look_at = now + LOOK_NS;
    return now >= poll->end ? -ETIMEDOUT : 0;
}

void cli_poll_hit(struct cli_poll *poll)
{
    poll->done++;
    shmring_spin_hit(&poll->spin);
}

/* SPDX-License-Identifier: MIT */
/* As in sleep.c, but somebody has rung before, for something that is gone: who hears that finds the
 * second channel, or is rung once more. */
#include "hub.h"

static hub_channel channels[] = {
    {.is_new = true, .state = {HUB_RUNNING}},
    {.is_new = true},
};

static void *busy(void *unused)
{
    (void)unused;
    be_busy(&channels[0], &channels[1]);
    return NULL;
}

static void *sleeper(void *unused)
{
    struct loop loop = {.turn = {.hub = &hub, .handler = stay}, .deadline = SHMRING_NEVER};

    (void)unused;
    run(&loop);
    return NULL;
}

int main(void)
{
    put(&channels[0], 0);
    put(&channels[1], 1);
    hub_wake_one(&hub);
    run_all(busy, sleeper, NULL);
    return 0;
}

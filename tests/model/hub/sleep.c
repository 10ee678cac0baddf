/* SPDX-License-Identifier: MIT */
/* Two channels have news, and the thread that knows has a handler that does not return: another,
 * which goes to sleep, has the second. */
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
    run_all(busy, sleeper, NULL);
    return 0;
}

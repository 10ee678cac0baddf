/* SPDX-License-Identifier: MIT */
/* As in polls.c, but who hears it has a channel of its own whose handler does not return. */
#include "hub.h"

static hub_channel channels[] = {
    {.is_new = true},
    {.is_new = true, .state = {HUB_RUNNING}},
    {.is_new = true},
};

static void *busy(void *unused)
{
    (void)unused;
    be_busy(&channels[1], &channels[2]);
    return NULL;
}

static void *poller(void *unused)
{
    (void)unused;
    hub_rouse(&hub, &channels[0]);
    shmring_hub_dispatch(&hub, stay, NULL, SHMRING_NOW);
    return NULL;
}

int main(void)
{
    for (uint32_t i = 0; i < CHANNELS; i++)
        put(&channels[i], i);
    shmring_add32_relaxed(&hub.sleepers, 1);
    hub_wake_one(&hub);
    run_all(busy, poller, NULL);
    assert(shmring_load32_relaxed(&news) != 0);
    return 0;
}

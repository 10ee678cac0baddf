/* SPDX-License-Identifier: MIT */
/* As in woken.c, but who hears it does not sleep, and does not come back: it has the second
 * channel, or rings for those that sleep. */
#include "hub.h"

static hub_channel channels[] = {
    {.is_new = true, .state = {HUB_RUNNING}},
    {.is_new = true},
};
static bool is_handled;

static void handle(shmring_hub *of, const shmring_hub_event *event, void *argument)
{
    (void)of, (void)event, (void)argument;
    is_handled = true;
    pthread_exit(NULL);
}

static void *busy(void *unused)
{
    (void)unused;
    be_busy(&channels[0], &channels[1]);
    return NULL;
}

static void *poller(void *unused)
{
    (void)unused;
    shmring_hub_dispatch(&hub, handle, NULL, SHMRING_NOW);
    return NULL;
}

int main(void)
{
    put(&channels[0], 0);
    put(&channels[1], 1);
    shmring_add32_relaxed(&hub.sleepers, 1);
    hub_wake_one(&hub);
    run_all(busy, poller, NULL);
    assert(is_handled || shmring_load32_relaxed(&news) != 0);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* A channel is evicted while it is queued, has a turn, or is idle: the end is told by that turn, or
 * by one that somebody is rung for. */
#include "hub.h"

static hub_channel channel = {.state = {HUB_QUEUED}};
static enum shmring_hub_kind told;

static void handle(shmring_hub *of, const shmring_hub_event *event, void *argument)
{
    (void)of, (void)argument;
    assert(told == 0);
    told = event->kind;
}

static void *dispatcher(void *unused)
{
    (void)unused;
    step(handle);
    step(handle); /* what it queued itself, it takes */
    return NULL;
}

static void *evicter(void *unused)
{
    (void)unused;
    hub_end(&hub, &channel, SHMRING_HUB_EVICTED);
    return NULL;
}

int main(void)
{
    put(&channel, 0);
    hub_ready_set(&hub.ready, 0);
    run_all(dispatcher, evicter, NULL);
    if (told == 0) {
        assert(shmring_load32_relaxed(&news) != 0);
        step(handle);
    }
    assert(told == SHMRING_HUB_EVICTED);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* A turn ends because there is nothing, while a client sends and another thread hears of it: the
 * message has a turn, which begins with the channel as the one before left it. */
#include "hub.h"

static hub_channel channel = {.state = {HUB_QUEUED}};
static uint32_t handled;

static void handle(shmring_hub *of, const shmring_hub_event *event, void *argument)
{
    (void)of, (void)argument;
    assert(event->kind == SHMRING_HUB_MESSAGE);
    handled++;
}

static void *first(void *unused)
{
    (void)unused;
    step(handle);
    return NULL;
}

static void *second(void *unused)
{
    struct loop loop = {.turn = {.hub = &hub}};

    (void)unused;
    client_sends(0);
    look(&loop);
    step(handle);
    return NULL;
}

int main(void)
{
    put(&channel, 0);
    shmring_store64_relaxed(&armed[0], 1);
    hub_ready_set(&hub.ready, 0);
    run_all(first, second, NULL);
    /* that of who queued it, and takes no more turns here */
    if (handled == 0)
        step(handle);
    assert(handled == 1);
    return 0;
}

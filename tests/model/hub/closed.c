/* SPDX-License-Identifier: MIT */
/* A hub is closed, while a thread tells the end of a channel, and that is freed: the hub is freed
 * after both are done with it. */
#include "hub.h"

static shmring_hub *opened;
static hub_channel *channel;
static shmring_word32 is_inside;

static void handle(shmring_hub *of, const shmring_hub_event *event, void *argument)
{
    (void)of, (void)event, (void)argument;
}

static void *dispatcher(void *unused)
{
    const hub_turn turn = {.hub = opened, .handler = handle};
    hub_frame frame;

    (void)unused;
    hub_enter(opened, &frame);
    shmring_store32_release(&is_inside, 1);
    end_channel(&turn, channel, SHMRING_HUB_LEFT);
    hub_leave(&frame);
    return NULL;
}

static void *closer(void *unused)
{
    (void)unused;
    __VERIFIER_assume(shmring_load32_acquire(&is_inside) == 1);
    shmring_hub_close(opened);
    return NULL;
}

int main(void)
{
    opened = new_hub();
    channel = new_channel(opened);
    run_all(dispatcher, closer, call_deferred);
    return 0;
}

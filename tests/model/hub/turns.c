/* SPDX-License-Identifier: MIT */
/* A channel has three messages, and turns of one. Two threads take its turns, one after the other:
 * each begins with the channel as the turn before left it. */
#include "hub.h"

static hub_channel channel = {.state = {HUB_QUEUED}};
static uint32_t handled;

static void handle(shmring_hub *of, const shmring_hub_event *event, void *argument)
{
    (void)of, (void)argument;
    assert(event->kind == SHMRING_HUB_MESSAGE);
    handled++;
}

static void *thread(void *unused)
{
    (void)unused;
    step(handle);
    return NULL;
}

int main(void)
{
    put(&channel, 0);
    shmring_store32_relaxed(&sent[0], 3);
    hub_ready_set(&hub.ready, 0);
    run_all(thread, thread, NULL);
    assert(handled != 0 && handled == taken[0] && hub_ready_any(&hub.ready));
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* As idle.c, but who hears of the message does not take the turn: a third thread does. */
#include "hub.h"

static hub_channel channel = {.state = {HUB_RUNNING}};
static uint32_t handled;

static void handle(shmring_hub *of, const shmring_hub_event *event, void *argument)
{
    (void)of, (void)argument;
    assert(event->kind == SHMRING_HUB_MESSAGE);
    handled++;
}

static void *first(void *unused)
{
    struct loop loop = {.turn = {.hub = &hub, .handler = handle, .settles = true}};

    (void)unused;
    take_turn(&loop, 0);
    return NULL;
}

static void *second(void *unused)
{
    (void)unused;
    shmring_add32_release(&sent[0], 1);
    hub_rouse(&hub, &channel);
    return NULL;
}

static void *third(void *unused)
{
    (void)unused;
    step(handle);
    return NULL;
}

int main(void)
{
    put(&channel, 0);
    run_all(first, second, third);
    if (handled == 0)
        step(handle);
    assert(handled == 1);
    return 0;
}

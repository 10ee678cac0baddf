/* SPDX-License-Identifier: MIT */
/* A channel ends, and another comes in its slot and has its turn, while a thread evicts the first:
 * the second is not touched. */
#include "hub.h"

static hub_channel *first, second = {.state = {HUB_QUEUED}};

static void handle(shmring_hub *of, const shmring_hub_event *event, void *argument)
{
    (void)of, (void)argument;
    assert(event->id == FIRST_ID);
}

static void *dispatcher(void *unused)
{
    const hub_turn turn = {.hub = &hub, .handler = handle, .settles = true};

    (void)unused;
    hub_turn_take(&turn, first);
    shmring_store32_relaxed(&left[0], 0);
    publish(&hub, 0, &second);
    step(handle);
    return call_deferred(NULL);
}

static void *evicter(void *unused)
{
    (void)unused;
    shmring_hub_evict(&hub, FIRST_ID);
    return NULL;
}

int main(void)
{
    has_reader = true;
    first = new_channel(&hub);
    fill(&second, &hub, 0);
    second.id = 2 * FIRST_ID;
    shmring_store32_relaxed(&left[0], 1);
    run_all(dispatcher, evicter, NULL);
    assert(shmring_load32_relaxed(&second.state) == HUB_IDLE && hub_over(&second) == 0);
    assert(!hub_ready_any(&hub.ready));
    return 0;
}

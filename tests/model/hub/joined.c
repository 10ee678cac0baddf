/* SPDX-License-Identifier: MIT */
/* A channel comes into the table, while one thread looks for it, and another awaits turns: they see
 * it complete, and it has its first turn, or somebody is rung for that. */
#include "hub.h"

static enum shmring_hub_kind told;

static void handle(shmring_hub *of, const shmring_hub_event *event, void *argument)
{
    (void)of, (void)argument;
    told = event->kind;
}

static void *joiner(void *unused)
{
    static hub_channel channel;

    (void)unused;
    fill(&channel, &hub, 0);
    channel.is_new = true;
    shmring_store32_relaxed(&channel.state, HUB_QUEUED);
    publish(&hub, 0, &channel);
    return NULL;
}

static void *evicter(void *unused)
{
    (void)unused;
    shmring_hub_evict(&hub, FIRST_ID);
    return NULL;
}

static void *dispatcher(void *unused)
{
    (void)unused;
    step(handle);
    return NULL;
}

int main(void)
{
    run_all(joiner, evicter, dispatcher);
    assert(told != 0 || (hub_ready_any(&hub.ready) && shmring_load32_relaxed(&news) != 0));
    return 0;
}

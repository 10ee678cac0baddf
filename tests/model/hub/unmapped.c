/* SPDX-License-Identifier: MIT */
/* A channel ends, while another thread looks it up and uses it: it is freed once, after the last
 * who uses it. */
#include "hub.h"

static hub_channel *channel;

static void handle(shmring_hub *of, const shmring_hub_event *event, void *argument)
{
    (void)of, (void)argument;
    assert(event->kind == SHMRING_HUB_LEFT);
}

static void *ender(void *unused)
{
    const hub_turn turn = {.hub = &hub, .handler = handle};

    (void)unused;
    end_channel(&turn, channel, SHMRING_HUB_LEFT);
    return call_deferred(NULL);
}

static void *user(void *unused)
{
    (void)unused;
    hub_channel *found = hub_pin(&hub, FIRST_ID);

    if (found == NULL)
        return NULL;
    assert(found->link.socket == A_SOCKET);
    hub_unpin(found);
    return NULL;
}

int main(void)
{
    has_reader = true;
    channel = new_channel(&hub);
    run_all(ender, user, NULL);
    assert(shmring_load32_relaxed(&hub.retired) == 0);
    return 0;
}

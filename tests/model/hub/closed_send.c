/* SPDX-License-Identifier: MIT */
/* A hub is closed, while a thread that has waited for room lets its channel go. */
#include "hub.h"

static shmring_hub *opened;
static shmring_word32 waits;

static void *sender(void *unused)
{
    (void)unused;
    hub_channel *channel = hub_pin_slot(opened, 0);

    shmring_store32_release(&waits, 1);
    assert(channel->link.socket == A_SOCKET);
    hub_unpin(channel);
    return NULL;
}

static void *closer(void *unused)
{
    (void)unused;
    __VERIFIER_assume(shmring_load32_acquire(&waits) == 1);
    shmring_hub_close(opened);
    return NULL;
}

int main(void)
{
    opened = new_hub();
    hub_channel *channel = new_channel(opened);

    run_all(sender, closer, NULL);
    return 0;
}

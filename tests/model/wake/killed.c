/* SPDX-License-Identifier: MIT */
/* Many to many: the one who is woken dies, with the baton in hand. The other finds the message,
 * when its sleep has come to the cap at the latest. */
#include "wake.h"

static void *publisher(void *unused)
{
    (void)unused;
    send(0);
    return NULL;
}

static void *victim(void *unused)
{
    (void)unused;
    uint32_t ticket = shmring_event_arm(&events[0], SHMRING_EVENT_ANY);

    /* dies as well where it does not sleep */
    if (shmring_load64_acquire(&messages[0]) == 0)
        shmring_event_sleep(&events[0], ticket, SHMRING_NEVER);
    return NULL;
}

static void *receiver(void *unused)
{
    (void)unused;
    receive(1);
    return NULL;
}

int main(void)
{
    pthread_t other;

    events_begin();
    pthread_create(&other, NULL, receiver, NULL);
    run(publisher, victim, NULL);
    cap();
    pthread_join(other, NULL);
    return 0;
}

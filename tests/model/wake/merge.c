/* SPDX-License-Identifier: MIT */
/* Many to many: one who gathers has gone and left its position behind; another wants less. */
#include "wake.h"

static void *publisher(void *unused)
{
    (void)unused;
    send(0);
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
    events_begin();
    shmring_event_arm(&events[0], 2);
    run(publisher, receiver, NULL);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Many to many: two who are content with one of the messages only. */
#include "wake.h"

static void *publisher(void *unused)
{
    (void)unused;
    send(0);
    send(1);
    return NULL;
}

static bool receive_once_by(int i)
{
    uint32_t ticket = shmring_event_arm(&events[i], SHMRING_EVENT_ANY | SHMRING_EVENT_PICKY);

    if (take_one(i))
        return true;
    shmring_event_sleep(&events[i], ticket, SHMRING_NEVER);
    return false;
}

static void receive_by(int i)
{
    bool done = receive_once_by(i) || receive_once_by(i) || receive_once_by(i) ||
                receive_once_by(i) || receive_once_by(i);

    assert(done);
}

static void *first(void *unused)
{
    (void)unused;
    receive_by(0);
    return NULL;
}

static void *second(void *unused)
{
    (void)unused;
    receive_by(1);
    return NULL;
}

int main(void)
{
    events_begin();
    run(publisher, first, second);
    return 0;
}

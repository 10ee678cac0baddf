/* SPDX-License-Identifier: MIT */
/* Many to many: two publishers, and one who sleeps for both messages. */
#include "wake.h"

static void *first(void *unused)
{
    (void)unused;
    send(0);
    return NULL;
}

static void *second(void *unused)
{
    (void)unused;
    send(1);
    return NULL;
}

static bool sees_both(void)
{
    uint32_t ticket = shmring_event_arm(&events[0], SHMRING_EVENT_ANY);

    if (is_there(0) && is_there(1))
        return true;
    shmring_event_sleep(&events[0], ticket, SHMRING_NEVER);
    return false;
}

static void *receiver(void *unused)
{
    (void)unused;
    bool done = sees_both() || sees_both() || sees_both() || sees_both() || sees_both();

    assert(done);
    return NULL;
}

int main(void)
{
    events_begin();
    run(first, second, receiver);
    return 0;
}

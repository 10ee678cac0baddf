/* SPDX-License-Identifier: MIT */
/* One to one, in the light form: two publications, and two sleeps, the second to gather. */
#include "wake.h"

static void *publisher(void *unused)
{
    (void)unused;
    publish(1);
    publish(2);
    return NULL;
}

static void *receiver(void *unused)
{
    (void)unused;
    sleep_until(1);
    sleep_until(2);
    return NULL;
}

int main(void)
{
    waiters_begin();
    waker.light = sleeper.light = true;
    waker.sleeper = &consumer.wake_at;
    run(publisher, receiver, NULL);
    return 0;
}

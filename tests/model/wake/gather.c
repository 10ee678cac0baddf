/* SPDX-License-Identifier: MIT */
/* One to one: two publications, for the second of which the receiver sleeps at once; the first is
 * no reason to wake it. */
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
    sleep_until(2);
    return NULL;
}

int main(void)
{
    waiters_begin();
    run(publisher, receiver, NULL);
    return 0;
}

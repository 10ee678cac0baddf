/* SPDX-License-Identifier: MIT */
/* One to one: a publication, and who sleeps for it. */
#include "wake.h"

static void *publisher(void *unused)
{
    (void)unused;
    publish(1);
    return NULL;
}

static void *receiver(void *unused)
{
    (void)unused;
    sleep_until(1);
    return NULL;
}

int main(void)
{
    waiters_begin();
    run(publisher, receiver, NULL);
    return 0;
}

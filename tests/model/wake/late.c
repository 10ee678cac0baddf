/* SPDX-License-Identifier: MIT */
/* Many to many: two messages, for one who sleeps and one who comes. */
#include "wake.h"

static void *publisher(void *unused)
{
    (void)unused;
    send(0);
    send(1);
    return NULL;
}

static void *first(void *unused)
{
    (void)unused;
    doze(0);
    receive(0);
    return NULL;
}

static void *second(void *unused)
{
    (void)unused;
    receive(1);
    return NULL;
}

int main(void)
{
    events_begin();
    lay_down(0);
    run(publisher, first, second);
    return 0;
}

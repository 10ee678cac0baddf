/* SPDX-License-Identifier: MIT */
/* Many to many: two messages, one each for two who sleep. One ring may be all there is, for the
 * second message may find nobody armed: who is woken passes the baton. */
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
    doze(1);
    receive(1);
    return NULL;
}

int main(void)
{
    events_begin();
    lay_down(0);
    lay_down(1);
    run(publisher, first, second);
    return 0;
}

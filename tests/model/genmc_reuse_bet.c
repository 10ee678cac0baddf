/* SPDX-License-Identifier: MIT */
/* A slot is written again only after it was read, also when a producer bets. */
#include "genmc.h"

static void *send_3(void *unused)
{
    (void)unused;
    send(&p[1], 3);
    return NULL;
}

static void *recv_1(void *unused)
{
    (void)unused;
    assert(recv(&c[0]) == 1);
    return NULL;
}

int main(void)
{
    assert(send(&p[0], 1) && send(&p[0], 2));
    bet_on_tail(&p[1], 2);
    run(send_3, recv_1, NULL);
    return 0;
}

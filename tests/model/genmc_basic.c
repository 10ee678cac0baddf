/* SPDX-License-Identifier: MIT */
/* Two producers and a consumer: each message comes once and whole. */
#include "genmc.h"

static uint64_t got[3];

static void *send_1(void *unused)
{
    (void)unused;
    assert(send(&p[0], 1));
    return NULL;
}

static void *send_2(void *unused)
{
    (void)unused;
    assert(send(&p[1], 2));
    return NULL;
}

static void *recv_1(void *unused)
{
    (void)unused;
    got[0] = recv(&c[0]);
    return NULL;
}

int main(void)
{
    ring_begin();
    run(send_1, send_2, recv_1);
    got[1] = recv(&c[0]);
    got[2] = recv(&c[0]);
    assert(got[0] + got[1] + got[2] == 3 && (got[0] == 0) == (got[2] != 0));
    assert(recv(&c[0]) == 0);
    return 0;
}

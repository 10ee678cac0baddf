/* SPDX-License-Identifier: MIT */
/* Two producers and a consumer: each message comes once and whole. */
#define HINT_MASK 7
#include "genmc.h"

static uint64_t got;

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
    got = recv(&c[0]);
    return NULL;
}

int main(void)
{
    run(send_1, send_2, recv_1);
    assert(got + sum_left() == 3);
    return 0;
}

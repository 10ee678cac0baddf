/* SPDX-License-Identifier: MIT */
/* Two consumers and a producer: none takes what the other has. */
#define HINT_MASK 7
#include "genmc.h"

static uint64_t got[2];

static void *send_2(void *unused)
{
    (void)unused;
    assert(send(&p[0], 2));
    return NULL;
}

static void *recv_1(void *unused)
{
    (void)unused;
    got[0] = recv(&c[0]);
    return NULL;
}

static void *recv_2(void *unused)
{
    (void)unused;
    got[1] = recv(&c[1]);
    return NULL;
}

int main(void)
{
    assert(send(&p[0], 1));
    run(send_2, recv_1, recv_2);
    assert(got[0] == 0 || got[0] != got[1]);
    assert(got[0] + got[1] + sum_left() == 3);
    return 0;
}

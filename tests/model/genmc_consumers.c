/* SPDX-License-Identifier: MIT */
/* Two consumers and a producer: none takes what the other has. */
#include "genmc.h"

static uint64_t got[2];

static void *send_both(void *unused)
{
    (void)unused;
    assert(send(&p[0], 1));
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
    ring_begin();
    run(send_both, recv_1, recv_2);
    assert(got[0] == 0 || got[0] != got[1]);
    uint64_t rest = 3 - got[0] - got[1];

    for (int i = 0; i < 2 && rest != 0; i++)
        rest -= recv(&c[0]);
    assert(rest == 0 && recv(&c[0]) == 0);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* A message is read only after it was written, also when a consumer bets. */
#include "genmc.h"

static void *send_1(void *unused)
{
    (void)unused;
    assert(send(&p[0], 1));
    return NULL;
}

static void *recv_1(void *unused)
{
    (void)unused;
    uint64_t value = recv(&c[0]);

    assert(value == 0 || value == 1);
    return NULL;
}

int main(void)
{
    bet_on_head(&c[0], 0);
    run(send_1, recv_1, NULL);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* A recovery leaves what the dead has released, and others have claimed since. */
#define SLOTS 1
#define HINT_MASK 7
#include "genmc.h"

static void *recover_it(void *unused)
{
    (void)unused;
    assert(shmring_mpmc_recover_slots(&p[1].side, 4, 1));
    return NULL;
}

static void *send_2(void *unused)
{
    (void)unused;
    assert(send(&p[0], 2));
    return NULL;
}

int main(void)
{
    assert(send(&p[0], 1) && recv(&c[0]) == 1);
    run(recover_it, send_2, NULL);
    assert(recv(&c[1]) == 2);
    return 0;
}

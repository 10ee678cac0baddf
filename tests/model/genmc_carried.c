/* SPDX-License-Identifier: MIT */
/* A walk that sees a carried slot also sees that all before it is used. */
#define HINT_MASK 7 /* no hints, which would publish it too */
#include "genmc.h"

static shmring_mpmc_slot slot;

static void *carry(void *unused)
{
    (void)unused;
    shmring_mpmc_slot mine;

    shmring_mpmc_claim(&p[1], &mine);
    return NULL;
}

static void *walk(void *unused)
{
    (void)unused;
    shmring_mpmc_slot mine;

    shmring_mpmc_claim(&p[2], &mine);
    assert(p[2].side.error == 0);
    return NULL;
}

int main(void)
{
    ring_begin();
    assert(shmring_mpmc_claim(&p[0], &slot));
    assert(send(&p[0], 1) && recv(&c[0]) == 1);
    p[1].tail_pos = 2;
    p[2].tail_pos = 0;
    run(carry, walk, NULL);
    return 0;
}

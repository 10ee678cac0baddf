/* SPDX-License-Identifier: MIT */
/* A walk that sees a carried slot also sees that all before it is used. */
#define HINT_MASK 7 /* no hints, which would publish it too */
#include "genmc.h"

static shmring_mpmc_slot slot;

static void *carry(void *unused)
{
    (void)unused;
    shmring_mpmc_slot mine;

    if (shmring_mpmc_claim(&p[1], &mine))
        shmring_mpmc_pass(&p[1].side, 2, slot.word, 0); /* as its next claim would */
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
    assert(shmring_mpmc_claim(&p[0], &slot));
    run(carry, walk, NULL);
    return 0;
}

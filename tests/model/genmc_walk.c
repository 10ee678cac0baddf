/* SPDX-License-Identifier: MIT */
/* A walk that sees a claim also sees what the claim was based on: that all before it is used. Else
 * it comes to a word two laps behind, which is -EBADMSG for good. */
#define HINT_MASK 7 /* no hints, which would publish it too */
#include "genmc.h"

static void *claim_first(void *unused)
{
    (void)unused;
    shmring_mpmc_slot slot;

    shmring_mpmc_claim(&p[0], &slot);
    return NULL;
}

static void *claim_second(void *unused)
{
    (void)unused;
    shmring_mpmc_slot slot;

    shmring_mpmc_claim(&p[1], &slot);
    return NULL;
}

static void *walk(void *unused)
{
    (void)unused;
    shmring_mpmc_slot slot;

    shmring_mpmc_claim(&p[2], &slot);
    assert(p[2].side.error == 0);
    return NULL;
}

int main(void)
{
    use_up(0);
    use_up(1);
    p[0].tail_pos = 2;
    p[1].tail_pos = 2;
    p[2].tail_pos = 1;
    run(claim_first, claim_second, walk);
    return 0;
}

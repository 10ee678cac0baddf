/* SPDX-License-Identifier: MIT */
/* A walk that sees the claim of one that bets also sees that all before it is used. */
#define HINT_MASK 7 /* no hints, which would publish it too */
#include "genmc.h"

static void *claim_both(void *unused)
{
    (void)unused;
    shmring_mpmc_slot slot;

    if (shmring_mpmc_claim(&p[0], &slot) && p[0].tail_pos == 3) {
        bet_on_tail(&p[0], 3);
        shmring_mpmc_claim(&p[0], &slot);
    }
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
    p[2].tail_pos = 1;
    run(claim_both, walk, NULL);
    return 0;
}

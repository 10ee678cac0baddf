/* SPDX-License-Identifier: MIT */
/* The second look at claims that were counted, not noted, takes no message for a claim. */
#define SLOTS 4
#define HINT_MASK 7
#define OPEN_MAX 1
#include "genmc.h"

static shmring_mpmc_slot noted, counted;

static void *commit_and_send(void *unused)
{
    (void)unused;
    shmring_mpmc_slot slot;

    assert(shmring_mpmc_commit(&p[1], &counted, 8, 1) == 0);
    assert(shmring_mpmc_claim(&p[1], &slot) && slot.idx == 3);
    assert(shmring_mpmc_commit(&p[1], &slot, 8, 1) == 0);
    assert(shmring_mpmc_take_by(&c[1], SHMRING_TAKE_EQUAL, 2, &slot));
    assert(shmring_mpmc_release(&c[1], &slot) == 0);
    return NULL;
}

static void *take_type_1(void *unused)
{
    (void)unused;
    shmring_mpmc_slot slot;

    if (shmring_mpmc_take_by(&c[0], SHMRING_TAKE_EQUAL, 1, &slot))
        assert(slot.idx == 1);
    return NULL;
}

int main(void)
{
    assert(shmring_mpmc_claim(&p[0], &noted));
    assert(shmring_mpmc_claim(&p[1], &counted));
    assert(send(&p[1], 2));
    run(commit_and_send, take_type_1, NULL);
    return 0;
}

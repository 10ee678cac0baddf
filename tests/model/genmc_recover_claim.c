/* SPDX-License-Identifier: MIT */
/* What a dead producer had claimed is written by the next after it. */
#define SLOTS 1
#define HINT_MASK 7
#include "genmc.h"

static shmring_mpmc_slot slot;

/* The lock of the dead orders its last store before the recovery, as one thread does. */
static void *die_and_recover(void *unused)
{
    (void)unused;
    *(uint64_t *)slot.data = 9;
    assert(shmring_mpmc_recover_slots(&c[0].side, 1, 1));
    return NULL;
}

static void *send_1(void *unused)
{
    (void)unused;
    send(&p[1], 1);
    return NULL;
}

int main(void)
{
    assert(shmring_mpmc_claim(&p[0], &slot));
    run(die_and_recover, send_1, NULL);
    return 0;
}

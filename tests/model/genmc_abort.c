/* SPDX-License-Identifier: MIT */
/* What was claimed and given back is written by the next after the first. */
#define SLOTS 1
#define HINT_MASK 7
#include "genmc.h"

static shmring_mpmc_slot slot;

static void *write_and_abort(void *unused)
{
    (void)unused;
    *(uint64_t *)slot.data = 9;
    assert(shmring_mpmc_abort(&p[0], &slot) == 0);
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
    run(write_and_abort, send_1, NULL);
    return 0;
}

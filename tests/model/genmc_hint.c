/* SPDX-License-Identifier: MIT */
/* Who begins at a hint finds the words as far as the hint says. */
#define SLOTS 1
#include "genmc.h"

static void *send_and_take(void *unused)
{
    (void)unused;
    shmring_mpmc_slot slot;

    assert(send(&p[0], 2));
    shmring_mpmc_take(&c[0], &slot);
    return NULL;
}

static void *come_late(void *unused)
{
    (void)unused;
    shmring_mpmc_slot slot;

    /* as attach does */
    c[1].head_pos = shmring_load64_acquire(&control.head_hint);
    shmring_mpmc_take(&c[1], &slot);
    assert(shmring_mpmc_error(&c[1].side) == 0);
    return NULL;
}

int main(void)
{
    assert(send(&p[0], 1));
    assert(recv(&c[0]) == 1);
    run(send_and_take, come_late, NULL);
    return 0;
}

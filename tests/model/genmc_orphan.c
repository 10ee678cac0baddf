/* SPDX-License-Identifier: MIT */
/* What a dead consumer held is found by one that was there: the news come after the fact. */
#define REDELIVER true
#include "genmc.h"

static shmring_mpmc_slot slot;
static uint64_t got;

static void *recover_it(void *unused)
{
    (void)unused;
    shmring_mpmc_recover_slots(&p[1].side, 4, 1);
    return NULL;
}

static void *recv_1(void *unused)
{
    (void)unused;
    got = recv(&c[1]);
    return NULL;
}

int main(void)
{
    assert(send(&p[0], 1));
    assert(shmring_mpmc_take(&c[0], &slot));
    run(recover_it, recv_1, NULL);
    /* by c[1], without a walk of a producer */
    if (got == 0)
        got = recv(&c[1]);
    assert(got == 1 && recv(&c[1]) == 0);
    return 0;
}

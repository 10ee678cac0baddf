/* SPDX-License-Identifier: MIT */
/* A walk that goes on at a hint finds the words as far as the hint says. */
#define SLOTS 1
#include "genmc.h"

static void *go_ahead(void *unused)
{
    (void)unused;
    send(&p[0], 2);
    return NULL;
}

static void *follow(void *unused)
{
    (void)unused;
    shmring_mpmc_slot mine;

    shmring_mpmc_claim(&p[1], &mine);
    assert(p[1].side.error == 0);
    return NULL;
}

int main(void)
{
    assert(send(&p[0], 1) && recv(&c[0]) == 1);
    run(go_ahead, follow, NULL);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* A claim that a consumer has noted is committed: its message comes first, with its own label. */
#include "genmc.h"

static shmring_mpmc_slot slot;
static uint64_t got[2];

static void *commit_then_send(void *unused)
{
    (void)unused;
    *(uint64_t *)slot.data = 1;
    assert(shmring_mpmc_commit(&p[0], &slot, 8, 1) == 0);
    assert(send(&p[0], 2));
    return NULL;
}

static void *recv_both(void *unused)
{
    (void)unused;
    got[0] = recv(&c[0]);
    got[1] = recv(&c[0]);
    return NULL;
}

int main(void)
{
    assert(shmring_mpmc_claim(&p[0], &slot));
    assert(recv(&c[0]) == 0);
    assert(c[0].open_count == 1);
    run(commit_then_send, recv_both, NULL);
    assert(got[0] != 2 && (got[0] == 0 || got[1] != 1));
    return 0;
}

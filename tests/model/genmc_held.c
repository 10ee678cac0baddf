/* SPDX-License-Identifier: MIT */
/* A producer holds a slot over a lap, and commits: its message comes once, and whole. */
#include "genmc.h"

static shmring_mpmc_slot slot;
static uint64_t got;

static void *commit_held(void *unused)
{
    (void)unused;
    *(uint64_t *)slot.data = 9;
    int error = shmring_mpmc_commit(&p[0], &slot, 8, 9);

    assert(error == 0);
    return NULL;
}

static void *send_and_recv(void *unused)
{
    (void)unused;
    if (send(&p[1], 1))
        got = recv(&c[0]);
    return NULL;
}

int main(void)
{
    ring_begin();
    assert(shmring_mpmc_claim(&p[0], &slot));
    assert(send(&p[1], 2));
    assert(recv(&c[0]) == 2);
    run(commit_held, send_and_recv, NULL);
    uint64_t sum = got + recv(&c[1]);

    sum += recv(&c[1]);
    assert((sum == 10 || sum == 9) && recv(&c[1]) == 0);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* A producer holds a slot over a lap, and commits: its message comes once, and whole. */
#define HINT_MASK 7
#include "genmc.h"

static shmring_mpmc_slot slot;
static uint64_t got;
static bool sent;

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
    sent = send(&p[1], 1);
    if (sent)
        got = recv(&c[0]);
    return NULL;
}

int main(void)
{
    assert(shmring_mpmc_claim(&p[0], &slot));
    assert(send(&p[1], 2));
    assert(recv(&c[0]) == 2);
    run(commit_held, send_and_recv, NULL);
    assert(got + sum_left() == (sent ? 10 : 9));
    return 0;
}

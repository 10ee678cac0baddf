/* SPDX-License-Identifier: MIT */
/* A slot is committed while it is carried: what its producer sends then comes after it. */
#define HINT_MASK 7
#include "genmc.h"

static shmring_mpmc_slot slot;

static void *commit_then_send(void *unused)
{
    (void)unused;
    *(uint64_t *)slot.data = 1;
    assert(shmring_mpmc_commit(&p[0], &slot, 8, 1) == 0);
    send(&p[0], 2);
    return NULL;
}

static void *carry(void *unused)
{
    (void)unused;
    shmring_mpmc_look look = shmring_mpmc_look_at(&p[1].side, 2);

    if (look.state == SHMRING_SLOT_WRITING) /* as its claim would */
        shmring_mpmc_pass(&p[1].side, 2, look.word, look.label);
    return NULL;
}

static void *recv_one(void *unused)
{
    (void)unused;
    shmring_mpmc_slot mine;

    assert(!shmring_mpmc_take(&c[1], &mine) || mine.type == 1);
    return NULL;
}

int main(void)
{
    assert(shmring_mpmc_claim(&p[0], &slot));
    use_up(1);
    run(commit_then_send, carry, recv_one);
    return 0;
}

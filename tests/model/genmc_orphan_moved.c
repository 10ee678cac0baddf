/* SPDX-License-Identifier: MIT */
/* An orphan that a producer makes a message of, while it is looked for, is found nevertheless. */
#define SLOTS 1
#define HINT_MASK 7
#define REDELIVER true
#include "genmc.h"

static void *move(void *unused)
{
    (void)unused;
    shmring_mpmc_look look = shmring_mpmc_look_at(&p[1].side, 1);

    if (look.state == SHMRING_SLOT_ORPHAN) /* as its claim would */
        shmring_mpmc_pass(&p[1].side, 1, look.word, look.label);
    return NULL;
}

static void *recv_1(void *unused)
{
    (void)unused;
    assert(recv(&c[1]) == 1);
    return NULL;
}

int main(void)
{
    shmring_mpmc_slot slot;

    assert(send(&p[0], 1));
    assert(shmring_mpmc_take(&c[0], &slot));
    assert(shmring_mpmc_recover_slots(&p[2].side, 4, 1));
    run(move, recv_1, NULL);
    return 0;
}

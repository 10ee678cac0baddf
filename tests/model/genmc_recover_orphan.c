/* SPDX-License-Identifier: MIT */
/* What is delivered again, and released then, is written again only after the dead has read it. */
#define SLOTS 1
#define HINT_MASK 7
#define REDELIVER true
#include "genmc.h"

static shmring_mpmc_slot slot;

/* The lock of the dead orders its last load before the recovery, as one thread does. */
static void *die_and_recover(void *unused)
{
    (void)unused;
    assert(*(uint64_t *)slot.data == 1);
    assert(shmring_mpmc_recover_slots(&p[1].side, 4, 1));
    return NULL;
}

static void *recv_and_send(void *unused)
{
    (void)unused;
    if (recv(&c[1]) == 1)
        send(&p[2], 2);
    return NULL;
}

int main(void)
{
    assert(send(&p[0], 1));
    assert(shmring_mpmc_take(&c[0], &slot));
    run(die_and_recover, recv_and_send, NULL);
    return 0;
}

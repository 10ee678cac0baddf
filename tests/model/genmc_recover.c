/* SPDX-License-Identifier: MIT */
/* What a dead consumer held is written again only after it read it. */
#include "genmc.h"

static pthread_t mortal;

static void *take_and_die(void *unused)
{
    (void)unused;
    shmring_mpmc_slot slot;

    if (shmring_mpmc_take(&c[0], &slot))
        assert(*(uint64_t *)slot.data == 1);
    return NULL;
}

static void *recover_it(void *unused)
{
    (void)unused;
    /* The lock of the dead is what orders it before. */
    pthread_join(mortal, NULL);
    assert(shmring_mpmc_recover(&c[1].side) == 1);
    return NULL;
}

static void *send_3(void *unused)
{
    (void)unused;
    send(&p[0], 3);
    return NULL;
}

int main(void)
{
    assert(send(&p[0], 1) && send(&p[0], 2));
    dead = 4;
    pthread_create(&mortal, NULL, take_and_die, NULL);
    run(recover_it, send_3, NULL);
    return 0;
}

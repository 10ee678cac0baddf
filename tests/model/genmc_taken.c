/* SPDX-License-Identifier: MIT */
/* A consumer holds a slot over a lap, and releases it: it is written again only after that. */
#include "genmc.h"

static shmring_mpmc_slot slot;

static void *release_held(void *unused)
{
    (void)unused;
    assert(*(uint64_t *)slot.data == 9);
    int error = shmring_mpmc_release(&c[0], &slot);

    assert(error == 0);
    return NULL;
}

static void *send_twice(void *unused)
{
    (void)unused;
    send(&p[1], 1);
    send(&p[1], 2);
    return NULL;
}

int main(void)
{
    assert(send(&p[0], 9));
    assert(shmring_mpmc_take(&c[0], &slot));
    run(release_held, send_twice, NULL);
    return 0;
}

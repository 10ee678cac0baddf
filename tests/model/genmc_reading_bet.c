/* SPDX-License-Identifier: MIT */
/* Who sees a take also sees what was taken, also when both bet. */
#define SLOTS 1
#define HINT_MASK 7
#include "genmc.h"

static void *send_and_read(void *unused)
{
    (void)unused;
    shmring_mpmc_slot slot;

    if (send(&p[0], 1) && shmring_mpmc_take(&c[0], &slot))
        assert(*(uint64_t *)slot.data == 1);
    return NULL;
}

static void *send_2(void *unused)
{
    (void)unused;
    send(&p[1], 2);
    return NULL;
}

int main(void)
{
    bet_on_head(&c[0], 0);
    bet_on_tail(&p[1], 1);
    run(send_and_read, send_2, NULL);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Who was taken for dead, and leaves, does not give back what the next owner of its id holds. */
#define SLOTS 1
#define HINT_MASK 7
#include "genmc.h"

static void *leave(void *unused)
{
    (void)unused;
    /* as detach does */
    if (shmring_member_check(&c[0].side.member) == 0)
        shmring_mpmc_recover_slots(&c[0].side, 4, 1);
    return NULL;
}

static void *next_owner(void *unused)
{
    (void)unused;
    shmring_mpmc_slot slot;

    /* as bury and enroll do */
    shmring_store32_release(&records[4].session, 3);
    c[1].side.member.session = 3;
    if (shmring_mpmc_take(&c[1], &slot))
        assert(shmring_mpmc_release(&c[1], &slot) == 0);
    return NULL;
}

int main(void)
{
    assert(send(&p[0], 1));
    c[1].side.member.id = 4;
    c[1].side.member.record = &records[4];
    run(leave, next_owner, NULL);
    assert(control.dropped.raw == 0);
    return 0;
}

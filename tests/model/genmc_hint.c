/* SPDX-License-Identifier: MIT */
/* Who begins at a hint finds the words as far as the hint says. */
#include "genmc.h"

static void *send_and_recv(void *unused)
{
    (void)unused;
    assert(send(&p[0], 2));
    recv(&c[0]);
    return NULL;
}

static void *come_late(void *unused)
{
    (void)unused;
    /* as attach does */
    c[1].head_pos = shmring_load64_acquire(&control.head_hint);
    recv(&c[1]);
    assert(shmring_mpmc_error(&c[1].side) == 0);
    return NULL;
}

int main(void)
{
    ring_begin();
    assert(send(&p[0], 1));
    assert(recv(&c[0]) == 1);
    run(send_and_recv, come_late, NULL);
    return 0;
}

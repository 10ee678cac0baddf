/* SPDX-License-Identifier: MIT */
/* Who sees that another empties a slot, filled by one that was taken for dead, stays away. */
#define SLOTS 1
#define HINT_MASK 7
#include "genmc.h"

static bool sent;

static void *fill_and_empty(void *unused)
{
    (void)unused;
    uint64_t label = SHMRING_LABEL_FILLED | 8;

    /* as the commit of one that was recovered between its last look and its store */
    shmring_store64_release(&entries[0].label, label);
    shmring_mpmc_pass(&p[0].side, 0, 0, label);
    return NULL;
}

static void *send_2(void *unused)
{
    (void)unused;
    /* before that, the late commit cannot be told from its own */
    __VERIFIER_assume(shmring_load64_relaxed(&entries[0].word) != 0);
    sent = send(&p[1], 2);
    return NULL;
}

int main(void)
{
    run(fill_and_empty, send_2, NULL);
    assert(!sent || shmring_slot_is_filled(entries[0].label.raw));
    return 0;
}

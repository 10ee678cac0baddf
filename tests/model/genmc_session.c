/* SPDX-License-Identifier: MIT */
/* Who was taken for dead cannot commit the slot of the next owner of its id. */
#include "genmc.h"

static shmring_mpmc_slot old, next;

static void *commit_too_late(void *unused)
{
    (void)unused;
    /* What it is just writing when it is recovered cannot be refused: begin after that. */
    __VERIFIER_assume(shmring_load64_relaxed(&entries[0].word) != old.word);
    int error = shmring_mpmc_commit(&p[0], &old, 8, 9);

    assert(error == -ESTALE);
    return NULL;
}

static void *next_owner(void *unused)
{
    (void)unused;
    /* as enroll does */
    uint32_t session = 2;

    if (shmring_cas32_acq_rel(&records[1].session, &session, 3)) {
        p[1].side.member.session = 3;

        if (shmring_mpmc_claim(&p[1], &next))
            assert(shmring_mpmc_commit(&p[1], &next, 8, 8) == 0);
    }
    return NULL;
}

static void *recover_it(void *unused)
{
    (void)unused;
    dead = 1;
    assert(shmring_mpmc_recover(&c[0].side) == 1);
    return NULL;
}

int main(void)
{
    assert(shmring_mpmc_claim(&p[0], &old));
    assert(send(&p[2], 5) && recv(&c[1]) == 5);
    p[1].side.member.id = 1;
    p[1].side.member.record = &records[1];
    run(commit_too_late, next_owner, recover_it);
    return 0;
}

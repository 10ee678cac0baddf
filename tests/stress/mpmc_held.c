/* SPDX-License-Identifier: MIT */
/*
 * Claim: a claim says "full" only if there was a moment at which no slot was free. Half of the
 * slots are held for good, two producers claim and abort, one slot each at a time: there is always
 * a free one, however often the held ones are carried on and whoever carries them.
 *
 * usage: mpmc_held [SEED [CLAIMS]]
 */
#include "../messages.h"

#include "shmring/mpmc.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 4,
    HELD = 2,
    PRODUCERS = 2,
};

static shmring_geometry geometry;
static void *memory;
static uint64_t claims;

static void *claim_and_abort(void *opaque)
{
    shmring_mpmc_producer producer;
    shmring_mpmc_slot slot;

    CHECK_EQ(shmring_mpmc_attach_producer(&producer, memory, &geometry, -1), 0);
    for (uint64_t i = 0; i < claims; i++) {
        CHECK(shmring_mpmc_claim(&producer, &slot));
        CHECK_EQ(shmring_mpmc_abort(&producer, &slot), 0);
    }
    shmring_mpmc_detach_producer(&producer);
    return opaque;
}

int main(int argc, char **argv)
{
    pthread_t threads[PRODUCERS];
    shmring_mpmc_producer holder;
    shmring_mpmc_slot held[HELD];

    test_seed(argc, argv);
    claims = argc > 2 ? strtoull(argv[2], NULL, 0) : 2000000;
    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_MPMC, 8, SLOTS, &geometry), 0);
    memory = aligned_alloc(SHMRING_PAGE_SIZE, geometry.total_size);
    CHECK(memory != NULL);
    memset(memory, 0, geometry.total_size);
    CHECK_EQ(shmring_mpmc_attach_producer(&holder, memory, &geometry, -1), 0);
    for (int i = 0; i < HELD; i++)
        CHECK(shmring_mpmc_claim(&holder, &held[i]));
    for (int i = 0; i < PRODUCERS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, claim_and_abort, NULL), 0);
    for (int i = 0; i < PRODUCERS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < HELD; i++)
        CHECK_EQ(shmring_mpmc_commit(&holder, &held[i], 0, 0), 0);
    shmring_mpmc_detach_producer(&holder);
    free(memory);
    return 0;
}

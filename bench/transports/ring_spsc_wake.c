/* SPDX-License-Identifier: MIT */
/*
 * The price of being wakeable: our ring of messages, whose members spin and would wake one another
 * at every publication and release, but nobody ever sleeps. With either form of fence.
 */
#include "ring_spsc.h"

#include "workloads/loops.h"

static const struct ops spin_ops = {
    .reserve = ring_reserve,
    .stage = ring_stage,
    .publish = ring_publish_wake,
    .next = ring_next_wake,
    .done = ring_done_wake,
};

#include "workloads/spin_loops.h"

static const char *refuse_light(const struct shape *shape)
{
    (void)shape;
    return shmring_fence_register() == 0 ? NULL : "this kernel has no light fence (membarrier)";
}

static void *open_light(const struct shape *shape)
{
    (void)shape;
    return ring_open(true);
}

static void *open_symmetric(const struct shape *shape)
{
    (void)shape;
    return ring_open(false);
}

static const struct loops *const by_policy[POLICY_COUNT] = {[POLICY_SPIN] = &spin_loops};

const struct transport transport_ring_spsc_wake = {
    .name = "ring_spsc_wake",
    .note = "ring_spsc that could wake sleepers, at the light fence",
    .is_variant = true,
    .loops = by_policy,
    .refuse = refuse_light,
    .open = open_light,
    .attach = ring_attach,
    .close = ring_close,
    .settings = ring_settings,
};

const struct transport transport_ring_spsc_wsym = {
    .name = "ring_spsc_wsym",
    .note = "ring_spsc that could wake sleepers, at a full fence per message",
    .is_variant = true,
    .loops = by_policy,
    .open = open_symmetric,
    .attach = ring_attach,
    .close = ring_close,
    .settings = ring_settings,
};

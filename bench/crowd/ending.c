/* SPDX-License-Identifier: MIT */
/*
 * How a crowd ends: producers after their last message, consumers once all producers did, but for
 * the first consumer, who stays until the others are gone and takes what is left. Some queues pass
 * a message per time slice when members share a processor; one alone is never held up.
 */
#include "crowd/conduct.h"

bool crowd_may_leave(const struct crowd *crowd)
{
    return shmring_load32_acquire(&crowd->producers_gone) == crowd->producers;
}

void crowd_await_last(const struct crowd_member *self)
{
    while (shmring_load32_acquire(&self->crowd->gone) != crowd_member_count(self->crowd) - 1)
        clock_sleep(CROWD_NAP_NS);
}

bool crowd_is_over(const struct crowd *crowd)
{
    uint64_t sent = 0, taken = 0;

    for (uint32_t i = 0; i < crowd->producers; i++)
        sent += shmring_load64_relaxed(&crowd->members[i].messages);
    for (uint32_t i = 0; i < crowd->consumers; i++)
        taken += shmring_load64_relaxed(&crowd->members[crowd->producers + i].messages);
    return taken >= sent;
}

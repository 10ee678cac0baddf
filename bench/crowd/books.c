/* SPDX-License-Identifier: MIT */
/* Nothing is lost, and nothing comes twice: what consumers have noted of each producer. */
#include "crowd/conduct.h"

/* 0 + 1 + 4 + ... + (count - 1)^2, modulo 2^64: divided by 6 before the product can overflow. */
static uint64_t squares_below(uint64_t count)
{
    uint64_t factors[3] = {count - 1, count, 2 * count - 1};

    if (count == 0)
        return 0;
    factors[count % 2 == 0 ? 1 : 0] /= 2;
    for (int i = 0; i < 3; i++)
        if (factors[i] % 3 == 0) {
            factors[i] /= 3;
            break;
        }
    return factors[0] * factors[1] * factors[2];
}

/* By these consumers together: has each message of the producer been taken once? */
static void check_origin(const struct crowd *crowd, uint32_t producer,
                         const struct crowd_member *consumers, uint32_t count)
{
    uint64_t sent = shmring_load64_relaxed(&crowd->members[producer].messages);
    uint64_t half = sent % 2 == 0 ? sent / 2 * (sent - 1) : (sent - 1) / 2 * sent;
    struct crowd_origin all = {0, 0, 0, 0};

    for (uint32_t i = 0; i < count; i++) {
        const struct crowd_origin *from = &consumers[i].from[producer];

        all.count += from->count;
        all.sum += from->sum;
        all.squares += from->squares;
    }
    if (all.count != sent || all.sum != half || all.squares != squares_below(sent))
        sample_wrong("of %llu messages of producer %u %llu were taken, not each one once",
                     (unsigned long long)sent, producer, (unsigned long long)all.count);
}

void crowd_check_books(const struct crowd *crowd, bool to_each)
{
    const struct crowd_member *consumers = &crowd->members[crowd->producers];
    uint32_t together = to_each ? 1 : crowd->consumers;

    for (uint32_t producer = 0; producer < crowd->producers; producer++)
        for (uint32_t first = 0; first < crowd->consumers; first += together)
            check_origin(crowd, producer, consumers + first, together);
}

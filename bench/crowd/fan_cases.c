/* SPDX-License-Identifier: MIT */
/* The cases of fan-in and fan-out: many processes and one, by how many and size. */
#include "cases.h"

enum {
    MANY_QUICK = 4,
    SIZE_QUICK = 64,
};

const uint32_t fan_sizes[3] = {SIZE_QUICK, 1024, 0};

/* crowd_sides, but for the one that makes no fan. */
static const uint32_t *const many = crowd_sides + 1;

uint32_t fan_many(const struct shape *shape)
{
    return shape->producers > shape->consumers ? shape->producers : shape->consumers;
}

static bool takes_in(const struct transport *transport, enum policy policy)
{
    return transport->fan == FAN_SHARED || (transport->fan == FAN_RINGS && policy == POLICY_SPIN);
}

void cases_add_fans(struct cases *cases, const struct transport *transport, enum policy policy)
{
    struct shape shape = {.batch = 1, .policy = policy, .processes = true};

    if (transport->fan == FAN_NONE)
        return;
    for (const uint32_t *size = fan_sizes; *size != 0; size++)
        for (const uint32_t *count = many; *count != 0; count++) {
            shape.size = *size;
            shape.producers = *count;
            shape.consumers = 1;
            if (takes_in(transport, policy))
                cases_add_shape(cases, transport, WORKLOAD_FAN_IN, &shape);
            shape.producers = 1;
            shape.consumers = *count;
            cases_add_shape(cases, transport, WORKLOAD_FAN_OUT, &shape);
        }
}

/* Asleep, or spinning if that is the only way. */
bool fan_is_quick(const struct bench_case *bench_case)
{
    const struct transport *transport = bench_case->transport;
    bool sleeps = transport->loops[POLICY_BLOCK] != NULL &&
                  (bench_case->workload == WORKLOAD_FAN_OUT || takes_in(transport, POLICY_BLOCK));

    return bench_case->shape.size == SIZE_QUICK && fan_many(&bench_case->shape) == MANY_QUICK &&
           bench_case->shape.policy == (sleeps ? POLICY_BLOCK : POLICY_SPIN);
}

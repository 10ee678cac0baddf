/* SPDX-License-Identifier: MIT */
/* The cases of transports for many: solo, and mpmc by how many, size, batch and kind of member. */
#include "cases.h"
#include "crowd/crowd.h"

#include <string.h>

const uint32_t crowd_sizes[3] = {8, 64, 0};
const uint32_t crowd_sides[5] = {1, 2, 4, 8, 0};

const char *crowd_workload(const struct shape *shape)
{
    static const char *const names[CROWD_SIDE_MAX + 1] = {
        [1] = "mpmc-1p1c", [2] = "mpmc-2p2c", [4] = "mpmc-4p4c", [8] = "mpmc-8p8c"};

    return shape->consumers == 0 ? "solo" : names[shape->producers];
}

/* One of each kind that others know, without and with many on a processor. */
static bool is_quick(const struct bench_case *added)
{
    static const char *const chosen[] = {"ring_mpmc", "vyukov",   "boost_queue",
                                         "ck_mpmc",   "rte_ring", "moodycamel"};
    const struct shape *shape = &added->shape;

    if (shape->batch != 1 || shape->processes)
        return false;
    if (added->workload == WORKLOAD_MPMC &&
        (shape->size != 64 || (shape->producers != 1 && shape->producers != 4)))
        return false;
    for (size_t i = 0; i < sizeof chosen / sizeof chosen[0]; i++)
        if (strcmp(added->transport->name, chosen[i]) == 0)
            return true;
    return false;
}

static void add_one(struct cases *cases, const struct transport *transport, enum workload workload,
                    const struct shape *shape)
{
    struct bench_case *added = cases_add(
        cases, (struct bench_case){.transport = transport, .workload = workload, .shape = *shape});
    int length = snprintf(added->id, sizeof added->id, "%s/%s/%uB/%s", transport->name,
                          crowd_workload(shape), shape->size, policy_name(shape->policy));

    if (shape->batch != 1)
        length +=
            snprintf(added->id + length, sizeof added->id - (size_t)length, "/b%u", shape->batch);
    if (shape->processes)
        snprintf(added->id + length, sizeof added->id - (size_t)length, "/processes");
    added->is_quick = is_quick(added);
}

static void add_batches(struct cases *cases, const struct transport *transport, struct shape shape)
{
    shape.batch = 1;
    add_one(cases, transport, WORKLOAD_MPMC, &shape);
    for (const uint32_t *batch = transport->batches; *batch != 0; batch++) {
        shape.batch = *batch;
        add_one(cases, transport, WORKLOAD_MPMC, &shape);
    }
}

void cases_add_crowd(struct cases *cases, const struct transport *transport)
{
    for (const uint32_t *size = crowd_sizes; *size != 0; size++) {
        struct shape shape = {
            .size = *size, .batch = 1, .policy = POLICY_SPIN, .producers = 1, .consumers = 0};

        add_one(cases, transport, WORKLOAD_SOLO, &shape);
        for (const uint32_t *many = crowd_sides; *many != 0; many++) {
            shape.producers = shape.consumers = *many;
            shape.processes = false;
            add_batches(cases, transport, shape);
            shape.processes = true;
            if (transport->crowd->threads_only == NULL)
                add_batches(cases, transport, shape);
        }
    }
    if (transport->crowd->threads_only != NULL)
        cases_skip(cases, transport->name, transport->crowd->threads_only);
}

/* SPDX-License-Identifier: MIT */
#include "work.h"

#include "crowd/conduct.h"

#include <string.h>

void work_attach_side(const struct bench_case *bench_case, void *side, enum role role)
{
    int error =
        bench_case->transport->attach != NULL ? bench_case->transport->attach(side, role) : 0;

    if (error != 0)
        sample_fail("attach: %s", strerror(-error));
}

void work_attach(const struct bench_case *bench_case, void *const *sides, enum role role)
{
    if (sides[0] != NULL)
        work_attach_side(bench_case, sides[0], role);
    if (sides[1] != NULL)
        work_attach_side(bench_case, sides[1],
                         role == ROLE_PRODUCER ? ROLE_CONSUMER : ROLE_PRODUCER);
}

void work_parent(const struct bench_case *bench_case, void *const *sides, struct floor_line *lines,
                 struct run *run, struct crowd_figures *ret_figures)
{
    struct usage begin = usage_now();

    switch (bench_case->workload) {
    case WORKLOAD_STREAM:
        bench_case->transport->loops[bench_case->shape.policy]->produce(sides[0], run);
        break;
    case WORKLOAD_OPEN:
    case WORKLOAD_BURST:
        bench_case->transport->loops[bench_case->shape.policy]->send_timed(sides[0], run);
        break;
    case WORKLOAD_PINGPONG:
        bench_case->transport->loops[bench_case->shape.policy]->ping(sides[0], sides[1], run);
        break;
    case WORKLOAD_FLOOR_1LINE:
    case WORKLOAD_FLOOR_2LINES:
        floor_ping(lines, bench_case->workload == WORKLOAD_FLOOR_2LINES, run);
        break;
    case WORKLOAD_FLOOR_MEMCPY:
        floor_memcpy(run);
        break;
    case WORKLOAD_MPMC:
    case WORKLOAD_SOLO:
    case WORKLOAD_FAN_IN:
    case WORKLOAD_FAN_OUT:
        crowd_conduct(bench_case, run, ret_figures);
        return; /* with what the members used */
    }
    run->usage = usage_since(&begin);
}

void work_child(const struct bench_case *bench_case, void *const *sides, struct floor_line *lines,
                struct run *run)
{
    struct usage begin = usage_now();

    switch (bench_case->workload) {
    case WORKLOAD_STREAM:
        bench_case->transport->loops[bench_case->shape.policy]->consume(sides[0], run);
        break;
    case WORKLOAD_OPEN:
    case WORKLOAD_BURST:
        bench_case->transport->loops[bench_case->shape.policy]->receive_timed(sides[0], run);
        break;
    case WORKLOAD_PINGPONG:
        bench_case->transport->loops[bench_case->shape.policy]->pong(sides[0], sides[1], run);
        break;
    case WORKLOAD_FLOOR_1LINE:
    case WORKLOAD_FLOOR_2LINES:
        floor_pong(lines, bench_case->workload == WORKLOAD_FLOOR_2LINES);
        break;
    case WORKLOAD_FLOOR_MEMCPY:
        break;
    case WORKLOAD_MPMC:
    case WORKLOAD_SOLO:
    case WORKLOAD_FAN_IN:
    case WORKLOAD_FAN_OUT:
        crowd_host(bench_case, sides);
        return;
    }
    run->usage = usage_since(&begin);
}

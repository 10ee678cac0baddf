/* SPDX-License-Identifier: MIT */
/* The cases of floors, which have ids of their own. */
#include "cases.h"
#include "floors/floors.h"

#include <string.h>

enum {
    LINE = 64,
    BATCH = 16, /* of the plain id */
};

static const uint32_t memcpy_sizes[] = {64, 1024, 4096, 65536, FLOOR_MEMCPY_MAX};

static void add_line_stream(struct cases *cases, const struct transport *transport)
{
    for (const uint32_t *batch = (const uint32_t[]){1, BATCH, 64, 0}; *batch != 0; batch++) {
        struct bench_case *added =
            cases_add(cases, (struct bench_case){
                                 .transport = transport,
                                 .workload = WORKLOAD_STREAM,
                                 .is_floor = true,
                                 .is_quick = true,
                                 .shape = {.size = LINE, .batch = *batch, .policy = POLICY_SPIN},
                             });
        int length = snprintf(added->id, sizeof added->id, "floor/%s/4MiB", transport->name);

        if (*batch != BATCH)
            snprintf(added->id + length, sizeof added->id - (size_t)length, "/b%u", *batch);
    }
}

/* One that sleeps. */
static void add_pingpong(struct cases *cases, const struct transport *transport)
{
    struct bench_case *added =
        cases_add(cases, (struct bench_case){
                             .transport = transport,
                             .workload = WORKLOAD_PINGPONG,
                             .is_floor = true,
                             .is_quick = true,
                             .shape = {.size = LINE, .batch = 1, .policy = POLICY_BLOCK},
                         });

    snprintf(added->id, sizeof added->id, "floor/pingpong/%s", transport->name);
}

void cases_add_floors(struct cases *cases)
{
    static const struct shape line = {.size = LINE, .batch = 1, .policy = POLICY_SPIN};

    cases_add(cases, (struct bench_case){"floor/pingpong/1line", .workload = WORKLOAD_FLOOR_1LINE,
                                         .is_floor = true, .is_quick = true, .shape = line});
    cases_add(cases, (struct bench_case){"floor/pingpong/2lines", .workload = WORKLOAD_FLOOR_2LINES,
                                         .is_floor = true, .is_quick = true, .shape = line});
    for (size_t i = 0; i < sizeof memcpy_sizes / sizeof memcpy_sizes[0]; i++) {
        struct bench_case *added = cases_add(
            cases, (struct bench_case){
                       .workload = WORKLOAD_FLOOR_MEMCPY,
                       .is_floor = true,
                       .is_quick = true,
                       .shape = {.size = memcpy_sizes[i], .batch = 1, .policy = POLICY_SPIN},
                   });
        char text[16], *unit;

        size_text(memcpy_sizes[i], text, sizeof text);
        unit = strchr(text, ' ');
        *unit = '\0';
        snprintf(added->id, sizeof added->id, "floor/memcpy/%s%s", text, unit + 1);
    }
}

void cases_add_floor(struct cases *cases, const struct transport *transport)
{
    if (transport->loops[POLICY_BLOCK] != NULL)
        add_pingpong(cases, transport);
    else
        add_line_stream(cases, transport);
}

/* SPDX-License-Identifier: MIT */
#include "cases.h"
#include "number.h"

#include <string.h>

enum {
    RATE_QUICK = 100000,
    SIZE_QUICK = 64,
};

const struct loads LOADS_DEFAULT = {.rates = {10000, RATE_QUICK, 1000000},
                                    .bursts = {{16, 1000}, {256, 1000}}};

/* Latencies differ little by size, so two of them. */
static const uint32_t sizes[] = {SIZE_QUICK, 1024};

bool loads_read_rates(const char *text, struct loads *loads)
{
    struct loads found = *loads;
    size_t count = 0;

    memset(found.rates, 0, sizeof found.rates);
    do
        if (count == LOADS_MAX || !number_read(&text, RATE_MAX, &found.rates[count++]))
            return false;
    while (*text++ == ',');
    if (text[-1] != '\0')
        return false;
    *loads = found;
    return true;
}

bool loads_read_bursts(const char *text, struct loads *loads)
{
    struct loads found = *loads;
    struct burst *next = found.bursts;

    memset(found.bursts, 0, sizeof found.bursts);
    do
        if (next == found.bursts + LOADS_MAX || !number_read(&text, BURST_MAX, &next->count) ||
            *text++ != ',' || !number_read(&text, EVERY_MAX_US, &next++->every_us))
            return false;
    while (*text++ == ',');
    if (text[-1] != '\0')
        return false;
    *loads = found;
    return true;
}

void cases_add_loads(struct cases *cases, const struct transport *transport, enum policy policy,
                     const struct loads *loads)
{
    struct shape shape = {.batch = 1, .policy = policy};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        shape.size = sizes[i];
        shape.burst = shape.every_us = 0;
        for (const uint32_t *rate = loads->rates; *rate != 0; rate++) {
            shape.rate = *rate;
            cases_add_shape(cases, transport, WORKLOAD_OPEN, &shape);
        }
        shape.rate = 0;
        for (const struct burst *burst = loads->bursts; burst->count != 0; burst++) {
            shape.burst = burst->count;
            shape.every_us = burst->every_us;
            cases_add_shape(cases, transport, WORKLOAD_BURST, &shape);
        }
    }
}

/* Of those who sleep, the middle one. */
bool load_is_quick(const struct bench_case *bench_case)
{
    const struct shape *shape = &bench_case->shape;

    return shape->policy == POLICY_BLOCK && shape->size == SIZE_QUICK && shape->rate == RATE_QUICK;
}

const char *load_text(const struct bench_case *bench_case, char *text, size_t text_size)
{
    const char *workload = case_workload(bench_case);

    if (bench_case->workload == WORKLOAD_OPEN)
        snprintf(text, text_size, "%s-%u", workload, bench_case->shape.rate);
    else if (bench_case->workload == WORKLOAD_BURST)
        snprintf(text, text_size, "%s-%ux%uus", workload, bench_case->shape.burst,
                 bench_case->shape.every_us);
    else if (case_is_fan(bench_case))
        snprintf(text, text_size, "%s-%u", workload, fan_many(&bench_case->shape));
    else
        snprintf(text, text_size, "%s", workload);
    return text;
}

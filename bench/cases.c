/* SPDX-License-Identifier: MIT */
#include "cases.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

const uint32_t bench_sizes[BENCH_SIZES] = {8, 64, 256, 1024, 4096, 65536, 1 << 20};
static const uint32_t variant_sizes[] = {8, 64, 1024};

enum {
    CASES_MAX = 8192,
    SKIPPED_MAX = 128,
};

/* How --quick thins out: these sizes, dialogues of two of them only, of small elements neither
 * large ones nor batches of 16, of adaptive ones a dialogue; of most of the kernel's only how they
 * sleep with 64 bytes. */
static bool is_quick(const struct bench_case *added)
{
    const struct transport *transport = added->transport;
    uint32_t size = added->shape.size;

    if (added->is_floor)
        return true;
    if (transport->is_variant)
        return false;
    if (case_is_timed(added))
        return load_is_quick(added);
    if (case_is_fan(added))
        return fan_is_quick(added);
    if (transport->is_brief)
        return size == 64 &&
               added->shape.policy ==
                   (transport->loops[POLICY_BLOCK] != NULL ? POLICY_BLOCK : POLICY_SPIN);
    if (strcmp(transport->name, "ring_array") == 0 && (size > 64 || added->shape.batch == 16))
        return false;
    if (added->shape.policy == POLICY_ADAPTIVE)
        return size == 64 && added->workload == WORKLOAD_PINGPONG;
    if (added->workload == WORKLOAD_PINGPONG)
        return size == 64 || size == 1024;
    return size == 8 || size == 64 || size == 1024 || size == 65536;
}

struct bench_case *cases_add(struct cases *cases, struct bench_case added)
{
    struct bench_case *place = &cases->list[cases->count];

    if (cases->count == CASES_MAX)
        abort(); /* the table above outgrew the limit */
    cases->count++;
    *place = added;
    return place;
}

void cases_skip(struct cases *cases, const char *what, const char *reason)
{
    struct skipped *last = &cases->skipped[cases->skipped_count];

    for (struct skipped *known = cases->skipped; known < last; known++)
        if (strcmp(known->what, what) == 0 && strcmp(known->reason, reason) == 0)
            return;
    if (cases->skipped_count == SKIPPED_MAX)
        return;
    cases->skipped_count++;
    snprintf(last->what, sizeof last->what, "%s", what);
    snprintf(last->reason, sizeof last->reason, "%s", reason);
}

const char *size_text(uint32_t size, char *text, size_t text_size)
{
    if (size >= 1 << 20)
        snprintf(text, text_size, "%u MiB", size >> 20);
    else if (size >= 1 << 10)
        snprintf(text, text_size, "%u KiB", size >> 10);
    else
        snprintf(text, text_size, "%u B", size);
    return text;
}

const char *policy_name(enum policy policy)
{
    static const char *const names[POLICY_COUNT] = {
        [POLICY_SPIN] = "spin", [POLICY_ADAPTIVE] = "adaptive", [POLICY_BLOCK] = "block"};

    return names[policy];
}

void cases_add_shape(struct cases *cases, const struct transport *transport, enum workload workload,
                     const struct shape *shape)
{
    const char *reason = transport->refuse != NULL ? transport->refuse(shape) : NULL;

    if (reason != NULL) {
        cases_skip(cases, transport->name, reason);
        return;
    }
    struct bench_case *added = cases_add(
        cases, (struct bench_case){.transport = transport, .workload = workload, .shape = *shape});
    char workload_text[32];
    int length = snprintf(added->id, sizeof added->id, "%s/%s/%uB/%s", transport->name,
                          load_text(added, workload_text, sizeof workload_text), shape->size,
                          policy_name(shape->policy));

    if (shape->batch != 1)
        length +=
            snprintf(added->id + length, sizeof added->id - (size_t)length, "/b%u", shape->batch);
    if (transport->members == MEMBERS_THREADS)
        snprintf(added->id + length, sizeof added->id - (size_t)length, "/threads");
    added->is_quick = is_quick(added);
}

static bool is_variant_size(uint32_t size)
{
    for (size_t i = 0; i < sizeof variant_sizes / sizeof variant_sizes[0]; i++)
        if (variant_sizes[i] == size)
            return true;
    return false;
}

static void add_policy(struct cases *cases, const struct transport *transport, enum policy policy,
                       const struct loads *loads)
{
    struct shape shape = {.batch = 1, .policy = policy};

    if (transport->loops[policy] == NULL) {
        /* A variant is there for the policies that it has. */
        if (!transport->is_variant)
            cases_skip(cases, transport->name,
                       policy == POLICY_SPIN ? "it cannot spin" : "it has no way to block");
        return;
    }
    for (size_t i = 0; i < BENCH_SIZES; i++) {
        shape.size = bench_sizes[i];
        shape.batch = 1;
        if (transport->is_variant && !is_variant_size(shape.size))
            continue;
        cases_add_shape(cases, transport, WORKLOAD_PINGPONG, &shape);
        cases_add_shape(cases, transport, WORKLOAD_STREAM, &shape);
        for (const uint32_t *batch = transport->batches; *batch != 0; batch++) {
            shape.batch = *batch;
            cases_add_shape(cases, transport, WORKLOAD_STREAM, &shape);
        }
    }
    if (transport->is_variant)
        return;
    cases_add_loads(cases, transport, policy, loads);
    cases_add_fans(cases, transport, policy);
}

int cases_make(const struct loads *loads, struct cases *ret_cases)
{
    struct cases cases = {.list = calloc(CASES_MAX, sizeof *cases.list),
                          .skipped = calloc(SKIPPED_MAX, sizeof *cases.skipped)};

    if (cases.list == NULL || cases.skipped == NULL) {
        cases_free(&cases);
        return -ENOMEM;
    }
    cases_add_floors(&cases);
    for (const struct transport *const *at = transports; *at != NULL; at++) {
        if ((*at)->is_floor) {
            cases_add_floor(&cases, *at);
            continue;
        }
        if ((*at)->crowd != NULL)
            cases_add_crowd(&cases, *at);
        for (enum policy policy = POLICY_SPIN; policy < POLICY_COUNT && (*at)->loops != NULL;
             policy++)
            add_policy(&cases, *at, policy, loads);
    }
    for (const struct missing_transport *at = missing_transports; at->name != NULL; at++)
        cases_skip(&cases, at->name, at->reason);
    *ret_cases = cases;
    return 0;
}

static bool wanted(const struct bench_case *candidate, const char *const *patterns,
                   size_t pattern_count, bool quick, size_t *hits)
{
    bool match = pattern_count == 0 && (!quick || candidate->is_quick);

    for (size_t i = 0; i < pattern_count; i++)
        if (fnmatch(patterns[i], candidate->id, 0) == 0) {
            hits[i]++;
            match = true;
        }
    return match;
}

int cases_select(struct cases *cases, const char *const *patterns, size_t pattern_count, bool quick,
                 const char **ret_pattern)
{
    size_t *hits = calloc(pattern_count + 1, sizeof *hits), kept = 0;
    int error = 0;

    if (hits == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < cases->count; i++)
        if (wanted(&cases->list[i], patterns, pattern_count, quick, hits))
            cases->list[kept++] = cases->list[i];
    cases->count = kept;
    for (size_t i = 0; i < pattern_count && error == 0; i++)
        if (hits[i] == 0) {
            *ret_pattern = patterns[i];
            error = -ENOENT;
        }
    free(hits);
    return error;
}

void cases_keep_blocking(struct cases *cases)
{
    size_t kept = 0;

    for (size_t i = 0; i < cases->count; i++)
        if (cases->list[i].shape.policy == POLICY_BLOCK ||
            cases->list[i].workload == WORKLOAD_FLOOR_MEMCPY ||
            cases->list[i].workload == WORKLOAD_SOLO)
            cases->list[kept++] = cases->list[i];
    cases->count = kept;
    cases_skip(cases, "spin", "not on one processor");
}

void cases_free(struct cases *cases)
{
    for (size_t i = 0; i < cases->count; i++)
        for (int place = 0; place < PLACE_COUNT; place++) {
            free(cases->list[i].results[place].samples);
            free(cases->list[i].results[place].times);
            free(cases->list[i].results[place].crowd);
            free(cases->list[i].results[place].costs);
        }
    free(cases->list);
    free(cases->skipped);
    *cases = (struct cases){0};
}

/* A sample of a crowd has a place beside its value. */
static int add_crowd_figures(struct result *result, const struct crowd_figures *figures)
{
    struct crowd_figures *grown =
        realloc(result->crowd, (result->count + 1) * sizeof *result->crowd);

    if (grown == NULL)
        return -ENOMEM;
    result->crowd = grown;
    grown[result->count] = *figures;
    return 0;
}

int case_add(struct bench_case *bench_case, enum place place, const struct measured *measured)
{
    struct result *result = &bench_case->results[place];
    double *samples = realloc(result->samples, (result->count + 1) * sizeof *samples);
    struct cost *costs = realloc(result->costs, (result->count + 1) * sizeof *costs);

    if (samples != NULL)
        result->samples = samples;
    if (costs != NULL)
        result->costs = costs;
    if (samples == NULL || costs == NULL)
        return -ENOMEM;
    if (measured->times != NULL && result->times == NULL)
        result->times = calloc(1, sizeof *result->times);
    if (measured->times != NULL && result->times == NULL)
        return -ENOMEM;
    if (measured->crowd != NULL && add_crowd_figures(result, measured->crowd) != 0)
        return -ENOMEM;
    if (measured->times != NULL)
        histogram_merge(result->times, measured->times);
    costs[result->count] = measured->cost;
    samples[result->count++] = measured->value;
    return 0;
}

bool case_is_dialogue(const struct bench_case *bench_case)
{
    return bench_case->workload == WORKLOAD_PINGPONG ||
           bench_case->workload == WORKLOAD_FLOOR_1LINE ||
           bench_case->workload == WORKLOAD_FLOOR_2LINES;
}

bool case_is_timed(const struct bench_case *bench_case)
{
    return bench_case->workload == WORKLOAD_OPEN || bench_case->workload == WORKLOAD_BURST;
}

bool case_has_times(const struct bench_case *bench_case)
{
    return case_is_dialogue(bench_case) || case_is_timed(bench_case);
}

bool case_is_crowd(const struct bench_case *bench_case)
{
    return case_has_members(bench_case) || bench_case->workload == WORKLOAD_SOLO;
}

bool case_is_fan(const struct bench_case *bench_case)
{
    return bench_case->workload == WORKLOAD_FAN_IN || bench_case->workload == WORKLOAD_FAN_OUT;
}

bool case_has_members(const struct bench_case *bench_case)
{
    return bench_case->workload == WORKLOAD_MPMC || case_is_fan(bench_case);
}

const char *case_transport(const struct bench_case *bench_case)
{
    return bench_case->is_floor ? "floor" : bench_case->transport->name;
}

const char *case_workload(const struct bench_case *bench_case)
{
    if (bench_case->workload == WORKLOAD_FLOOR_MEMCPY)
        return "memcpy";
    if (case_is_fan(bench_case))
        return bench_case->workload == WORKLOAD_FAN_IN ? "fan-in" : "fan-out";
    if (case_is_crowd(bench_case))
        return crowd_workload(&bench_case->shape);
    if (case_is_dialogue(bench_case))
        return "pingpong";
    if (case_is_timed(bench_case))
        return bench_case->workload == WORKLOAD_OPEN ? "open" : "burst";
    return bench_case->is_floor ? "line_stream" : "stream";
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

double median(double *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, compare);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

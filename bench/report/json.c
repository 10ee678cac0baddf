/* SPDX-License-Identifier: MIT */
#include "json_parts.h"
#include "report.h"

#include "shmring/shmring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* jansson passes a NULL on, so that one check at the end is enough. */
static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *make_host(const struct report *report)
{
    const struct host *host = &report->host;

    return json_pack("{s:o, s:s, s:o, s:b, s:o, s:o, s:i, s:[i,i], s:f}", "cpu",
                     text_or_null(host->cpu), "kernel", host->kernel, "governor",
                     text_or_null(host->governor), "hypervisor", (int)host->hypervisor, "thp",
                     text_or_null(host->thp), "clocksource", text_or_null(host->clocksource),
                     "cpus", (int)host->cpus, "used_cpus", report->cpus[0], report->cpus[1], "load",
                     host->load);
}

static json_t *make_tool(const struct report *report)
{
    return json_pack("{s:s, s:s, s:b, s:b}", "version", shmring_version(), "compiler",
                     report->host.compiler, "optimized", (int)report->host.optimized, "sanitized",
                     (int)report->host.sanitized);
}

static json_t *make_settings(const struct report *report)
{
    json_t *settings =
        json_pack("{s:f, s:i, s:{s:i, s:i}}", "seconds", report->seconds, "repeat",
                  (int)report->repeat, "class_limits_ns", "smt_below",
                  (int)report->limits.smt_below, "l3_below", (int)report->limits.l3_below);
    json_t *of_transports = json_object(), *only = json_array();
    json_t *rates = json_array(), *bursts = json_array();

    for (size_t i = 0; i < report->pattern_count; i++)
        json_array_append_new(only, json_string(report->patterns[i]));
    for (const uint32_t *rate = report->loads->rates; *rate != 0; rate++)
        json_array_append_new(rates, json_integer(*rate));
    for (const struct burst *burst = report->loads->bursts; burst->count != 0; burst++)
        json_array_append_new(bursts, json_pack("{s:i, s:i}", "burst", (int)burst->count,
                                                "every_us", (int)burst->every_us));
    json_object_set_new(settings, "only", only);
    json_object_set_new(settings, "rates", rates);
    json_object_set_new(settings, "bursts", bursts);
    json_object_set_new(settings, "same_core", json_boolean(report->same_core));
    json_object_set_new(settings, "quick", json_boolean(report->quick));

    for (const struct transport *const *at = transports; *at != NULL; at++) {
        char text[512];

        (*at)->settings(text, sizeof text);
        if (!(*at)->is_floor)
            json_object_set_new(of_transports, (*at)->name, json_string(text));
    }
    json_object_set_new(settings, "transports", of_transports);
    return settings;
}

struct figure {
    const char *name;
    size_t offset;
};

/* One array per figure, which lie in records, one for each sample. */
static json_t *make_arrays(const struct figure *figures, size_t figure_count, const void *records,
                           size_t record_size, unsigned record_count)
{
    json_t *arrays = json_object();

    for (size_t i = 0; i < figure_count; i++) {
        json_t *values = json_array();

        for (unsigned record = 0; record < record_count; record++) {
            const char *at = (const char *)records + record * record_size + figures[i].offset;
            double value;

            memcpy(&value, at, sizeof value);
            json_array_append_new(values, json_real(value));
        }
        json_object_set_new(arrays, figures[i].name, values);
    }
    return arrays;
}

static json_t *make_costs(const struct result *result)
{
    static const struct figure figures[] = {
        {"cpu_ns", offsetof(struct cost, cpu_ns)},
        {"switches", offsetof(struct cost, switches)},
        {"lost", offsetof(struct cost, lost)},
    };

    return make_arrays(figures, sizeof figures / sizeof figures[0], result->costs,
                       sizeof *result->costs, result->count);
}

/* Those who may sleep in a call do not count their tries. */
static json_t *make_crowd(const struct result *result, bool counts_tries)
{
    static const struct figure figures[] = {
        {"gap_ns", offsetof(struct crowd_figures, gap_ns)},
        {"own_gap_ns", offsetof(struct crowd_figures, own_gap_ns)},
        {"producer_fairness", offsetof(struct crowd_figures, fairness[ROLE_PRODUCER])},
        {"consumer_fairness", offsetof(struct crowd_figures, fairness[ROLE_CONSUMER])},
        {"producer_failed_tries", offsetof(struct crowd_figures, failed_tries[ROLE_PRODUCER])},
        {"consumer_failed_tries", offsetof(struct crowd_figures, failed_tries[ROLE_CONSUMER])},
    };

    size_t count = sizeof figures / sizeof figures[0];

    return make_arrays(figures, counts_tries ? count : count - 2, result->crowd,
                       sizeof *result->crowd, result->count);
}

/* What the transport runs with, and where its two sides do. */
static void add_transport(json_t *json, const struct bench_case *bench_case)
{
    const struct transport *transport = bench_case->transport;
    char text[512];

    if (transport == NULL)
        return;
    transport->settings(text, sizeof text);
    json_object_set_new(json, "settings", json_string(text));
    if (!case_is_crowd(bench_case))
        json_object_set_new(
            json, "members",
            json_string(transport->members == MEMBERS_THREADS ? "threads" : "processes"));
}

/* What is special to a workload. */
static void add_workload(json_t *json, const struct bench_case *bench_case,
                         const struct result *result, double middle)
{
    if (case_is_dialogue(bench_case))
        json_add_times(json, result->times, "round_trips");
    else if (case_is_timed(bench_case))
        json_add_times(json, result->times, "messages");
    else if (bench_case->workload != WORKLOAD_SOLO)
        json_object_set_new(json, "bytes_per_s",
                            json_real(middle * (double)bench_case->shape.size));
    if (bench_case->workload == WORKLOAD_OPEN)
        json_object_set_new(json, "rate", json_integer(bench_case->shape.rate));
    if (bench_case->workload == WORKLOAD_BURST) {
        json_object_set_new(json, "burst", json_integer(bench_case->shape.burst));
        json_object_set_new(json, "every_us", json_integer(bench_case->shape.every_us));
    }
    if (case_has_members(bench_case)) {
        json_object_set_new(json, "producers", json_integer(bench_case->shape.producers));
        json_object_set_new(json, "consumers", json_integer(bench_case->shape.consumers));
        json_object_set_new(json, "members",
                            json_string(bench_case->shape.processes ? "processes" : "threads"));
        json_object_set_new(json, "crowd", make_crowd(result, !case_is_fan(bench_case)));
    }
}

static json_t *make_result(const struct bench_case *bench_case, enum place place)
{
    const struct result *result = &bench_case->results[place];
    bool is_time = case_has_times(bench_case) || bench_case->workload == WORKLOAD_SOLO;
    json_t *samples = json_array();
    double *sorted = calloc(result->count, sizeof *sorted);

    if (sorted == NULL || samples == NULL) {
        free(sorted);
        return NULL;
    }
    memcpy(sorted, result->samples, result->count * sizeof *sorted);
    double middle = median(sorted, result->count);

    for (unsigned i = 0; i < result->count; i++)
        json_array_append_new(samples, json_real(result->samples[i]));
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:i, s:s, s:i, s:s, s:s, s:o, s:f, s:f, s:f, s:i}", "id", bench_case->id,
        "transport", case_transport(bench_case), "workload", case_workload(bench_case), "size",
        (int)bench_case->shape.size, "policy", policy_name(bench_case->shape.policy), "batch",
        (int)bench_case->shape.batch, "class", place_name(place), "unit", is_time ? "ns" : "msg/s",
        "samples", samples, "median", middle, "min", sorted[0], "max", sorted[result->count - 1],
        "n", (int)result->count);
    json_object_set_new(json, "median_ci95", json_interval(sorted, result->count));
    json_object_set_new(json, "cost", make_costs(result));
    json_object_set_new(json, "counters", json_counts(result));
    add_transport(json, bench_case);
    add_workload(json, bench_case, result, middle);
    free(sorted);
    return json;
}

static json_t *make_results(const struct report *report)
{
    json_t *results = json_array();

    for (size_t i = 0; i < report->cases->count; i++)
        for (enum place place = 0; place < PLACE_COUNT; place++)
            if (report->cases->list[i].results[place].count != 0)
                json_array_append_new(results, make_result(&report->cases->list[i], place));
    return results;
}

static json_t *make_failures(const struct report *report)
{
    json_t *failures = json_array();

    for (size_t i = 0; i < report->failure_count && i < FAILURES_MAX; i++) {
        const struct failure *failure = &report->failures[i];

        json_array_append_new(failures,
                              json_pack("{s:s, s:s, s:b}", "id", failure->id, "reason",
                                        failure->reason, "corrupt", (int)failure->corrupt));
    }
    return failures;
}

static json_t *make_document(const struct report *report)
{
    json_t *warnings = json_array(), *skipped = json_array(), *classes = json_object();
    char started[32] = "";
    struct tm time;

    for (size_t i = 0; i < report->warning_count; i++)
        json_array_append_new(warnings, json_string(report->warnings[i]));
    for (size_t i = 0; i < report->cases->skipped_count; i++)
        json_array_append_new(skipped,
                              json_pack("{s:s, s:s}", "what", report->cases->skipped[i].what,
                                        "reason", report->cases->skipped[i].reason));
    for (enum place place = 0; place < PLACE_COUNT; place++)
        json_object_set_new(classes, place_name(place), json_integer(report->places[place]));
    if (gmtime_r(&report->started, &time) != NULL)
        strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", &time);
    return json_pack("{s:s, s:s, s:f, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "schema", "shmring.bench/1", "started", started, "took_s", report->took_s,
                     "interrupted", (int)report->interrupted, "tool", make_tool(report), "host",
                     make_host(report), "environment", json_environment(report->host.findings),
                     "counters", json_counters(), "settings", make_settings(report), "warnings",
                     warnings, "classes", classes, "skipped", skipped, "failures",
                     make_failures(report), "results", make_results(report));
}

int report_json(const struct report *report, const char *path)
{
    json_t *document = make_document(report);
    bool to_stdout = strcmp(path, "-") == 0;
    FILE *file;
    int error = 0;

    if (document == NULL)
        return -ENOMEM;
    file = to_stdout ? stdout : fopen(path, "we");
    if (file == NULL) {
        error = -errno;
        json_decref(document);
        return error;
    }
    errno = EIO;
    if (json_dumpf(document, file, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) != 0 ||
        fputc('\n', file) == EOF || fflush(file) != 0)
        error = -errno;
    json_decref(document);
    if (!to_stdout && fclose(file) != 0 && error == 0)
        error = -errno;
    return error;
}

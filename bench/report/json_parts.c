/* SPDX-License-Identifier: MIT */
#include "json_parts.h"

#include "interval.h"

static json_t *make_ns(uint64_t ns)
{
    return json_integer((json_int_t)ns);
}

/* [share, ns] in steps that halve what is left, until less than one of them is. */
static json_t *make_spectrum(const struct histogram *times)
{
    json_t *spectrum = json_array();

    for (double left = 1; left * (double)times->total >= 0.5; left /= 2)
        for (int quarter = 0; quarter < 4; quarter++) {
            double share = 1 - left * (1 - quarter / 8.0);

            json_array_append_new(
                spectrum, json_pack("[f, o]", share, make_ns(histogram_quantile(times, share))));
        }
    json_array_append_new(spectrum, json_pack("[f, o]", 1.0, make_ns(times->max)));
    return spectrum;
}

void json_add_times(json_t *json, const struct histogram *times, const char *of)
{
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {
        {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}};

    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
        json_object_set_new(json, quantiles[i].name,
                            make_ns(histogram_quantile(times, quantiles[i].share)));
    /* Over min and max of the samples: those of all times. */
    json_object_set_new(json, "max", make_ns(times->max));
    json_object_set_new(json, of, make_ns(times->total));
    json_object_set_new(json, "spectrum", make_spectrum(times));
}

json_t *json_interval(const double *sorted, size_t count)
{
    double low, high;

    return median_interval(sorted, count, &low, &high) ? json_pack("[f, f]", low, high)
                                                       : json_null();
}

json_t *json_environment(const struct finding *findings)
{
    json_t *environment = json_object();

    for (size_t i = 0; i < check_count; i++)
        json_object_set_new(environment, checks[i].name,
                            json_pack("{s:s, s:s}", "state", state_name(findings[i].state), "found",
                                      findings[i].found));
    return environment;
}

json_t *json_counters(void)
{
    json_t *missing = json_object();

    for (enum counter counter = 0; counter < COUNTER_COUNT; counter++)
        if (counter_missing(counter) != NULL)
            json_object_set_new(missing, counter_name(counter),
                                json_string(counter_missing(counter)));
    return json_pack("{s:s, s:o}", "scope", counters_see_kernel() ? "user and kernel" : "user",
                     "missing", missing);
}

json_t *json_counts(const struct result *result)
{
    json_t *counts = json_object();

    for (enum counter counter = 0; counter < COUNTER_COUNT; counter++) {
        json_t *values = counter_missing(counter) == NULL ? json_array() : json_null();

        for (unsigned i = 0; i < result->count; i++)
            json_array_append_new(values, json_real(result->costs[i].counts.of[counter]));
        json_object_set_new(counts, counter_name(counter), values);
    }
    return counts;
}

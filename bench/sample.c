/* SPDX-License-Identifier: MIT */
#include "sample.h"

#include "clock.h"
#include "control.h"
#include "crowd/conduct.h"
#include "sides.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    WARM_SHARE = 8, /* of the time that counts, before it */
};

struct control *the_control;

static cpu_set_t all_cpus;

int sampler_pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

void sampler_unpin(void)
{
    sched_setaffinity(0, sizeof all_cpus, &all_cpus);
}

static int find_cpus(struct sampler *sampler)
{
    if (sched_getaffinity(0, sizeof all_cpus, &all_cpus) != 0)
        return -errno;
    const unsigned wanted = sampler->same_core ? 1 : 2;

    sampler->cpu_count = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && sampler->cpu_count < wanted; cpu++)
        if (CPU_ISSET((size_t)cpu, &all_cpus))
            sampler->cpus[sampler->cpu_count++] = cpu;
    if (sampler->cpu_count == 1)
        sampler->cpus[1] = sampler->cpus[0];
    return sampler_pin(sampler->cpus[0]);
}

int sampler_init(struct sampler *sampler)
{
    int error = crowd_init(sampler->same_core);

    if (error == 0)
        error = find_cpus(sampler);
    if (error != 0)
        return error;
    the_control = bench_share(sizeof *the_control);
    sampler->ticks = bench_share(BENCH_ROUND_TRIPS_MAX * sizeof *sampler->ticks);
    sampler->times = calloc(1, sizeof *sampler->times);
    if (the_control == NULL || sampler->ticks == NULL || sampler->times == NULL)
        return -ENOMEM;
    stamp_calibrate();
    counters_init();
    return sides_init();
}

void sampler_free(struct sampler *sampler)
{
    free(sampler->times);
    munmap(sampler->ticks, BENCH_ROUND_TRIPS_MAX * sizeof *sampler->ticks);
    munmap(the_control, sizeof *the_control);
}

/* Messages per second, or the median of the times, which go into the histogram. */
static void evaluate(struct sampler *sampler, const struct bench_case *bench_case,
                     const struct run *run, struct sample *sample)
{
    if (case_is_crowd(bench_case)) {
        double rate = sampler->crowd.rate;

        /* solo: what one message costs. */
        sample->value = case_has_members(bench_case) || rate <= 0 ? rate : 1e9 / rate;
        return;
    }
    if (case_is_timed(bench_case))
        run = &the_control->second;
    if (!case_has_times(bench_case)) {
        if (bench_case->workload == WORKLOAD_STREAM)
            run = &the_control->second;
        sample->value =
            run->elapsed_ns > 0 ? (double)run->messages * 1e9 / (double)run->elapsed_ns : 0;
        return;
    }
    memset(sampler->times, 0, sizeof *sampler->times);
    for (size_t i = 0; i < run->round_trips; i++)
        histogram_add(sampler->times, (uint64_t)((double)run->ticks[i] * stamp_ns + 0.5));
    sample->value = (double)histogram_quantile(sampler->times, 0.5);
}

/* Both sides together; who counts the messages is one of them. */
static struct cost cost_of(const struct run *first)
{
    const struct run *second = &the_control->second;
    uint64_t handled = first->handled + second->handled;
    double messages = (double)handled;
    struct usage all = first->usage;
    struct cost cost = {0};

    usage_add(&all, &second->usage);
    if (handled == 0)
        return cost;
    cost.cpu_ns = (double)all.cpu_ns / messages;
    cost.switches = (double)all.switches / messages;
    for (enum counter counter = 0; counter < COUNTER_COUNT; counter++)
        cost.counts.of[counter] = all.counts.of[counter] / messages;
    if (first->sent > handled)
        cost.lost = 1 - messages / (double)first->sent;
    return cost;
}

/* When the messages of a case are due, if that is set. No more count than can be kept. */
static void set_times(const struct bench_case *bench_case, struct run *run)
{
    const struct shape *shape = &bench_case->shape;

    if (!case_is_timed(bench_case))
        return;
    uint64_t burst = shape->burst != 0 ? shape->burst : 1;
    uint64_t most = BENCH_ROUND_TRIPS_MAX / burst;
    double every_ns = shape->burst != 0 ? shape->every_us * 1e3 : 1e9 / shape->rate;
    double count = (double)run->ns / every_ns; /* of times, not of messages */

    run->burst = burst;
    run->interval = every_ns / stamp_ns;
    run->warm_count = burst * (uint64_t)((double)run->warm_ns / every_ns);
    run->count = burst * (count < 1 ? 1 : count > (double)most ? most : (uint64_t)(count + 0.5));
}

enum sample_end sampler_take(struct sampler *sampler, const struct bench_case *bench_case,
                             struct sample *ret_sample)
{
    const struct transport *transport = bench_case->transport;
    bool is_ours = transport != NULL && transport->members != MEMBERS_THREADS;
    void *channels[BENCH_CHANNELS_MAX] = {NULL};
    struct sample sample = {0};
    struct run run = {.size = bench_case->shape.size,
                      .batch = bench_case->shape.batch,
                      .ns = (int64_t)(sampler->seconds * 1e9),
                      .warm_ns = (int64_t)(sampler->seconds * 1e9 / WARM_SHARE),
                      .ticks = sampler->ticks,
                      .over = &the_control->over,
                      .start = &the_control->start,
                      .one_cpu = sampler->cpu_count == 1};
    enum sample_end end = SAMPLE_FAILED;
    int error;

    memset(the_control, 0, sizeof *the_control);
    set_times(bench_case, &run);
    error = is_ours ? sides_open(bench_case, channels) : 0;
    if (error != 0)
        snprintf(sample.reason, sizeof sample.reason, "open: %s", strerror(-error));
    if (error == 0 && case_is_crowd(bench_case))
        crowd_prepare(bench_case);
    if (error == 0)
        end = sides_run(sampler, bench_case, channels, &run, &sample);
    for (int i = 0; i < BENCH_CHANNELS_MAX; i++)
        if (channels[i] != NULL)
            transport->close(channels[i]);
    if (end == SAMPLE_DONE) {
        evaluate(sampler, bench_case, &run, &sample);
        sample.cost = cost_of(&run);
        sample.place = sampler->cpu_count > 1
                           ? place_of(sample.probe_ns[0], sample.probe_ns[1], &sampler->limits)
                           : PLACE_SAME_CORE;
        /* Of a crowd that is a result: all can wait for one that does not run. */
        if (sample.value <= 0 && !case_has_members(bench_case)) {
            snprintf(sample.reason, sizeof sample.reason,
                     "nothing arrived in time: try a larger --seconds");
            end = SAMPLE_FAILED;
        }
    }
    *ret_sample = sample;
    return end;
}

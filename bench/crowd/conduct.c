/* SPDX-License-Identifier: MIT */
/* Starts and stops the crowd, counts what it did in between, and checks that nothing was lost. */
#include "crowd/conduct.h"

#include "control.h"

enum {
    DRAIN_S = 5, /* for ending and taking what is left, at most */
};

/* The counts of all members at one time. */
struct census {
    int64_t ns;
    uint64_t stamp;
    uint64_t messages[CROWD_MEMBERS_MAX];
    uint64_t misses[CROWD_MEMBERS_MAX];
};

static struct census count_all(const struct crowd *crowd)
{
    struct census census = {.ns = shmring_clock(), .stamp = stamp()};

    for (uint32_t i = 0; i < crowd_member_count(crowd); i++) {
        census.messages[i] = shmring_load64_relaxed(&crowd->members[i].messages);
        census.misses[i] = shmring_load64_relaxed(&crowd->members[i].misses);
    }
    return census;
}

static uint64_t sum(const uint64_t *values, uint32_t count)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < count; i++)
        total += values[i];
    return total;
}

static void await_end(const struct crowd *crowd)
{
    struct deadline deadline = deadline_in(&the_control->members, INT64_C(1000000000) * DRAIN_S);
    uint32_t members = crowd_member_count(crowd);

    while (shmring_load32_acquire(&crowd->gone) != members) {
        clock_sleep(CROWD_NAP_NS);
        if (!deadline_is_over(&deadline))
            continue;
        struct census now = count_all(crowd);

        if (shmring_load32_acquire(&crowd->producers_gone) != crowd->producers)
            sample_fail("a producer could not end: %u of %u members did",
                        (unsigned)shmring_load32_relaxed(&crowd->gone), members);
        sample_wrong("%llu messages were sent, %llu arrived",
                     (unsigned long long)sum(now.messages, crowd->producers),
                     (unsigned long long)sum(now.messages + crowd->producers, crowd->consumers));
    }
}

/* The least count over the mean. */
static double fairness(const uint64_t *counts, uint32_t count)
{
    uint64_t least = counts[0], total = sum(counts, count);

    for (uint32_t i = 1; i < count; i++)
        if (counts[i] < least)
            least = counts[i];
    return total != 0 ? (double)least * count / (double)total : 0;
}

static struct crowd_figures evaluate(const struct crowd *crowd, const struct census *begin,
                                     const struct census *end)
{
    struct census passed = *end;
    struct crowd_figures figures = {0};
    uint32_t counts[2] = {crowd->producers, crowd->consumers};

    for (uint32_t i = 0; i < crowd_member_count(crowd); i++) {
        passed.messages[i] -= begin->messages[i];
        passed.misses[i] -= begin->misses[i];
    }
    for (uint32_t role = 0, first = 0; role < 2; first += counts[role++]) {
        double messages = (double)sum(passed.messages + first, counts[role]);
        double misses = (double)sum(passed.misses + first, counts[role]);

        if (counts[role] != 0)
            figures.fairness[role] = fairness(passed.messages + first, counts[role]);
        if (messages + misses > 0)
            figures.failed_tries[role] = misses / (messages + misses);
        /* Of the last role that is there: consumers, or the one of solo. */
        if (counts[role] != 0)
            figures.rate = messages * 1e9 / (double)(end->ns - begin->ns);
    }
    return figures;
}

/* What all have used for all messages, also before and after the census. */
static void add_usage(const struct crowd *crowd, struct run *run)
{
    /* Those that were taken; of solo, those of the one who is both. */
    uint32_t first = crowd->consumers != 0 ? crowd->producers : 0;

    for (uint32_t i = 0; i < crowd_member_count(crowd); i++) {
        const struct crowd_member *member = &crowd->members[i];

        usage_add(&run->usage, &member->usage);
        if (i >= first)
            run->handled += shmring_load64_relaxed(&member->messages);
    }
}

void crowd_conduct(const struct bench_case *bench_case, struct run *run,
                   struct crowd_figures *ret_figures)
{
    struct crowd *crowd = the_crowd;

    while (shmring_load32_acquire(&crowd->ready) != crowd_member_count(crowd))
        clock_sleep(CROWD_NAP_NS);
    crowd->start = stamp();
    shmring_store32_release(&crowd->phase, CROWD_RUN);
    /* Members may keep us waiting longer: the time that counts is the one that passed. */
    clock_sleep(run->warm_ns);
    struct census begin = count_all(crowd);

    clock_sleep(run->ns);
    struct census end = count_all(crowd);

    /* Its one member may not have run at all. Of more that is a result: all can stand still. */
    while (bench_case->workload == WORKLOAD_SOLO && end.messages[0] == begin.messages[0]) {
        clock_sleep(CROWD_NAP_NS);
        end = count_all(crowd);
    }
    shmring_store32_release(&crowd->phase, CROWD_STOP);
    await_end(crowd);
    add_usage(crowd, run);
    *ret_figures = evaluate(crowd, &begin, &end);
    if (bench_case->workload == WORKLOAD_SOLO)
        return;
    crowd_check_books(crowd, bench_case->workload == WORKLOAD_FAN_OUT);
    ret_figures->gap_ns = (double)crowd_common_gap(crowd, begin.stamp, end.stamp) * stamp_ns;
    ret_figures->own_gap_ns = (double)crowd_own_gap(crowd, begin.stamp, end.stamp) * stamp_ns;
}

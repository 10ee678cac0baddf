/* SPDX-License-Identifier: MIT */
#include "../check.h"

#include "scenario.h"

#include <string.h>

enum {
    PAIRS_MAX = 8192,
    EACH_SITE = 3, /* so many calls of one site fail in turn */
    EACH_PAIR = 6, /* so many runs with an errno, in all: then its other errnos stand for it */
    HANG_S = 20,
    BUSY = 200, /* so many failures in one call */
    MARK = 0xa5,
    FAILURES_MAX = 50,
};

/* What was injected: where, and which errno. */
static struct pair {
    const char *site, *call;
    int error, runs;
} pairs[PAIRS_MAX];
static int pair_count;
static long run_count, injection_count;
static int failures;

static char doing[512];

static void describe(const struct scenario *scenario, const fault faults[FAULT_PLANNED])
{
    int count, at = snprintf(doing, sizeof doing, "%s (%s, %s, %d)", scenario->name,
                             backend_name(scenario->backend),
                             scenario->is_queue ? "queue" : "channel", scenario->variant);
    const fault_trace *trace = fault_traced(&count);

    for (int i = 0; i < FAULT_PLANNED && faults[i].n != 0 && at < (int)sizeof doing; i++)
        at += snprintf(doing + at, sizeof doing - (size_t)at, ", call %d (%s)%s: %s", faults[i].n,
                       faults[i].n <= count ? trace[faults[i].n - 1].call->name : "?",
                       faults[i].from_on ? " and on" : "",
                       faults[i].error == FAULT_SHORT ? "short" : strerror(faults[i].error));
}

/* Goes on: one fault in the library often shows in several ways. */
void scenario_failed(const char *what)
{
    printf("%s: %s\n", doing, what);
    if (++failures < FAILURES_MAX)
        return;
    fflush(NULL);
    _exit(1);
}

static void hung(int signal)
{
    (void)signal;
    const char *what = ": hangs\n";

    if (write(1, doing, strlen(doing)) < 0 || write(1, what, strlen(what)) < 0)
        _exit(2);
    _exit(1);
}

void scenario_mark(void *output, size_t size)
{
    memset(output, MARK, size);
}

void scenario_check_marked(const void *output, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((const unsigned char *)output)[i] != MARK) {
            scenario_failed("the output was touched");
            return;
        }
}

static bool is_documented(const struct scenario *scenario, int error)
{
    for (const int *known = scenario->errors; *known != 0; known++)
        if (error == -*known)
            return true;
    return error == 0;
}

static bool is_known_site(const char *site)
{
    for (int i = 0; i < pair_count; i++)
        if (pairs[i].site == site)
            return true;
    return false;
}

static struct pair *find_pair(const char *site, int error)
{
    for (int i = 0; i < pair_count; i++)
        if (pairs[i].site == site && pairs[i].error == error)
            return &pairs[i];
    return NULL;
}

static void note(const fault_trace *at, int error)
{
    struct pair *known = find_pair(at->site, error);

    if (known == NULL) {
        CHECK(pair_count < PAIRS_MAX);
        known = &pairs[pair_count++];
        *known = (struct pair){at->site, at->call->name, error, 0};
    }
    known->runs++;
}

/* How a site copes with an errno is shown soon; what is undone after it, in each scenario, by one
 * errno of each. */
static bool is_worth_it(const fault_trace *at, int e)
{
    const struct pair *known = find_pair(at->site, at->call->errors[e]);

    return e == 0 || known == NULL || known->runs < EACH_PAIR;
}

/* One run. The trace is of this run afterwards. */
static void run(const struct scenario *scenario, const fault faults[FAULT_PLANNED])
{
    leaks before, prepared, after;
    char what[64];
    int count;

    describe(scenario, faults);
    alarm(HANG_S);
    fault_plan((fault[FAULT_PLANNED]){{0}});
    leaks_count(&before);
    if (scenario->prepare != NULL)
        scenario->prepare(scenario);
    leaks_count(&prepared);
    fault_plan(faults);
    int error = scenario->act(scenario);

    fault_disarm();
    describe(scenario, faults);
    bool undone = !fault_undoing_failed();
    const fault_trace *trace = fault_traced(&count);

    for (int i = 0; i < FAULT_PLANNED; i++)
        if (faults[i].n != 0 && faults[i].n <= count)
            note(&trace[faults[i].n - 1], faults[i].error);
    run_count++;
    injection_count += fault_injected();
    snprintf(what, sizeof what, "returns %d, which is not documented", error);
    if (!is_documented(scenario, error))
        scenario_failed(what);
    if (fault_injected_at_once() > BUSY)
        scenario_failed("tries again and again, without a pause");
    leaks_count(&after);
    if (error != 0 && !scenario->keeps && !leaks_are_equal(&prepared, &after, undone))
        scenario_failed("something is left after a failure");
    if (scenario->clean != NULL)
        scenario->clean(scenario);
    if (!undone)
        leaks_remove_named();
    leaks_count(&after);
    if (!leaks_are_equal(&before, &after, true))
        scenario_failed("something is left at the end");
    leaks_remove_named();
}

/* How often was that site called before, in the trace? */
static int calls_before(const fault_trace *trace, int at)
{
    int count = 0;

    for (int i = 0; i < at; i++)
        count += trace[i].site == trace[at].site;
    return count;
}

/* All errors of the calls of a run, with the fault that was there already. Faults lead to calls
 * that were not made before: sites that nobody saw fail are tried, too. */
static void try_calls(const struct scenario *scenario, fault first, bool only_new)
{
    static fault_trace traces[FAULT_PLANNED][FAULT_TRACE_MAX];
    fault_trace *own = traces[first.n != 0];
    int count;
    const fault_trace *trace = fault_traced(&count);

    memcpy(own, trace, sizeof *own * (size_t)count);
    for (int i = first.n; i < count; i++) {
        if ((only_new && is_known_site(own[i].site)) || calls_before(own, i) >= EACH_SITE)
            continue;
        for (int e = 0; e < FAULT_ERRORS_MAX && own[i].call->errors[e] != 0; e++)
            for (int on = 0; on < 2 && is_worth_it(&own[i], e); on++) {
                fault next = {i + 1, own[i].call->errors[e], on != 0};

                if (first.n != 0) {
                    run(scenario, (fault[FAULT_PLANNED]){first, next});
                } else {
                    run(scenario, (fault[FAULT_PLANNED]){next});
                    try_calls(scenario, next, true);
                }
            }
    }
}

void scenario_try(const struct scenario *scenario)
{
    const fault none = {0};

    signal(SIGALRM, hung);
    run(scenario, (fault[FAULT_PLANNED]){none}); /* what is allocated once, is by now */
    run(scenario, (fault[FAULT_PLANNED]){none});
    try_calls(scenario, none, false);
    alarm(0);
}

bool scenario_report(const char *group, bool sites)
{
    int site_count = 0;

    for (int i = 0; i < pair_count; i++) {
        bool seen = false;

        for (int j = 0; j < i && !seen; j++)
            seen = pairs[j].site == pairs[i].site;
        site_count += !seen;
    }
    printf("%s: %d sites, sites x errno = %d, %ld runs, %ld injections\n", group, site_count,
           pair_count, run_count, injection_count);
    for (int i = 0; sites && i < pair_count; i++)
        printf("site %lx %s %d\n", (unsigned long)(uintptr_t)pairs[i].site, pairs[i].call,
               pairs[i].error);
    return failures == 0;
}

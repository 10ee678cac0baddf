/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <stdarg.h>
#include <string.h>

enum {
    SAMPLES_MIN = 3,
};

static __attribute__((format(printf, 2, 3))) void warn(struct report *report, const char *format,
                                                       ...)
{
    va_list arguments;

    if (report->warning_count == WARNINGS_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(report->warnings[report->warning_count++], sizeof report->warnings[0], format,
              arguments);
    va_end(arguments);
}

static void warn_of_host(struct report *report)
{
    const struct host *host = &report->host;

    if (host->cpus < 2)
        warn(report, "fewer than 2 processors: only blocking cases, and no placement");
    if (host->sanitized || !host->optimized)
        warn(report, "this build is sanitized or not optimised: the figures mean nothing");
    if (host->hypervisor)
        warn(report, "a virtual machine: processors may move and be taken away at any time");
    if (host->load > 0.5)
        warn(report, "other programs ran before the first sample: load %.2f", host->load);
    if (host->governor[0] != '\0' && strcmp(host->governor, "performance") != 0)
        warn(report, "the cpufreq governor is %s, not performance", host->governor);
}

void report_warn(struct report *report)
{
    unsigned few = 0, results = 0, total = 0;

    warn_of_host(report);
    for (size_t i = 0; i < report->cases->count; i++)
        for (int place = 0; place < PLACE_MIXED; place++) {
            unsigned count = report->cases->list[i].results[place].count;

            results += count != 0;
            few += count != 0 && count < SAMPLES_MIN;
        }
    for (int place = 0; place < PLACE_COUNT; place++)
        total += report->places[place];
    if (few != 0)
        warn(report, "%u of %u results have fewer than %d samples: use a larger --repeat", few,
             results, (int)SAMPLES_MIN);
    if (report->places[PLACE_MIXED] * 5 > total)
        warn(report, "%u of %u samples saw the processors move", report->places[PLACE_MIXED],
             total);
    if (report->interrupted)
        warn(report, "interrupted: not all samples were taken");
}

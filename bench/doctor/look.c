/* SPDX-License-Identifier: MIT */
#include "doctor.h"

#include "counters.h"

#include <glob.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct finding nothing = {STATE_UNKNOWN, "nothing to be seen"};

struct finding look_at_governors(const char *root)
{
    char pattern[512];
    glob_t paths;
    struct finding finding = nothing;

    snprintf(pattern, sizeof pattern,
             "%s/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor", root);
    if (glob(pattern, 0, NULL, &paths) != 0)
        return nothing;
    for (size_t i = 0; i < paths.gl_pathc && finding.state != STATE_BAD; i++)
        if (doctor_read("", paths.gl_pathv[i], finding.found, sizeof finding.found))
            finding.state = strcmp(finding.found, "performance") == 0 ? STATE_GOOD : STATE_BAD;
    globfree(&paths);
    return finding;
}

struct finding look_at_turbo(const char *root)
{
    static const struct {
        const char *path, *on;
    } files[] = {
        {"/sys/devices/system/cpu/intel_pstate/no_turbo", "0"},
        {"/sys/devices/system/cpu/cpufreq/boost", "1"},
    };
    char text[16];

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (doctor_read(root, files[i].path, text, sizeof text))
            return strcmp(text, files[i].on) == 0 ? (struct finding){STATE_BAD, "on"}
                                                  : (struct finding){STATE_GOOD, "off"};
    return nothing;
}

/* The file, or NULL. */
static FILE *open_under(const char *root, const char *path)
{
    char whole[512];

    snprintf(whole, sizeof whole, "%s%s", root, path);
    return fopen(whole, "re");
}

struct finding look_at_hypervisor(const char *root)
{
    FILE *file = open_under(root, "/proc/cpuinfo");
    struct finding finding = nothing;
    char *line = NULL;
    size_t line_size = 0;

    if (file == NULL)
        return nothing;
    while (finding.state != STATE_BAD && getline(&line, &line_size, file) > 0)
        if (strncmp(line, "flags", 5) == 0)
            finding = strstr(line, " hypervisor") != NULL ? (struct finding){STATE_BAD, "yes"}
                                                          : (struct finding){STATE_GOOD, "no"};
    free(line);
    fclose(file);
    return finding;
}

/* Since the machine was started. */
struct finding look_at_stolen_time(const char *root)
{
    static const double most = 0.001;
    enum { STEAL = 7, FIELDS = 8 };
    char text[256], *at = text + 3;
    double total = 0, stolen = 0;
    struct finding finding = {STATE_GOOD, ""};

    if (!doctor_read(root, "/proc/stat", text, sizeof text) || strncmp(text, "cpu", 3) != 0)
        return nothing;
    for (int i = 0; i < FIELDS; i++) {
        double ticks = strtod(at, &at);

        total += ticks;
        stolen = i == STEAL ? ticks : stolen;
    }
    if (stolen > most * total)
        finding.state = STATE_BAD;
    snprintf(finding.found, sizeof finding.found, "%.2f %% since the start",
             total > 0 ? 100 * stolen / total : 0);
    return finding;
}

/* The latency of the deepest one that is in use. */
struct finding look_at_idle_states(const char *root)
{
    static const long most_us = 10;
    struct finding finding = nothing;
    long deepest_us = 0;

    for (int i = 0; i < 16; i++) {
        char path[96], latency[24], disabled[8];

        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cpuidle/state%d/latency", i);
        if (!doctor_read(root, path, latency, sizeof latency))
            break;
        finding.state = STATE_GOOD;
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cpuidle/state%d/disable", i);
        if (doctor_read(root, path, disabled, sizeof disabled) && strcmp(disabled, "0") != 0)
            continue;
        if (atol(latency) > deepest_us)
            deepest_us = atol(latency);
    }
    if (deepest_us > most_us)
        finding.state = STATE_BAD;
    if (finding.state != STATE_UNKNOWN)
        snprintf(finding.found, sizeof finding.found, "%ld us to leave the deepest", deepest_us);
    return finding;
}

struct finding look_at_counters(const char *root)
{
    if (root[0] != '\0')
        return nothing;
    counters_init();
    for (enum counter counter = 0; counter < COUNTER_COUNT; counter++)
        if (counter_missing(counter) != NULL) {
            struct finding finding = {.state = STATE_BAD};

            snprintf(finding.found, sizeof finding.found, "no %s", counter_name(counter));
            return finding;
        }
    return (struct finding){STATE_GOOD, "all"};
}

struct finding look_at_membarrier(const char *root)
{
    long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

    if (root[0] != '\0')
        return nothing;
    if (commands >= 0 && (commands & MEMBARRIER_CMD_GLOBAL_EXPEDITED) != 0)
        return (struct finding){STATE_GOOD, "global expedited"};
    return (struct finding){STATE_BAD, "refused"};
}

struct finding look_at_build(const char *root)
{
    if (root[0] != '\0')
        return nothing;
#if defined(SHMRING_BENCH_SANITIZED)
    return (struct finding){STATE_BAD, "with sanitizers"};
#elif !defined(__OPTIMIZE__)
    return (struct finding){STATE_BAD, "not optimised"};
#else
    return (struct finding){STATE_GOOD, "optimised"};
#endif
}

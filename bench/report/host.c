/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* The first line of a file, or an empty text. */
static void first_line(const char *path, char *ret_text, size_t text_size)
{
    FILE *file = fopen(path, "re");

    ret_text[0] = '\0';
    if (file == NULL)
        return;
    if (fgets(ret_text, (int)text_size, file) == NULL)
        ret_text[0] = '\0';
    ret_text[strcspn(ret_text, "\n")] = '\0';
    fclose(file);
}

/* "always [madvise] never": what is in brackets. */
static void keep_chosen(char *text)
{
    char *begin = strchr(text, '['), *end = strchr(text, ']');

    if (begin == NULL || end == NULL || end < begin)
        return;
    *end = '\0';
    memmove(text, begin + 1, strlen(begin + 1) + 1);
}

static void read_cpu(struct host *host)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char *line = NULL;
    size_t line_size = 0;

    if (file == NULL)
        return;
    while (getline(&line, &line_size, file) > 0) {
        char *value = strchr(line, ':');

        line[strcspn(line, "\n")] = '\0';
        if (value == NULL)
            continue;
        if (strncmp(line, "model name", 10) == 0 && host->cpu[0] == '\0')
            snprintf(host->cpu, sizeof host->cpu, "%s", value + 2);
        if (strncmp(line, "flags", 5) == 0 && strstr(value, " hypervisor") != NULL)
            host->hypervisor = true;
    }
    free(line);
    fclose(file);
}

void host_read(struct host *ret_host)
{
    struct host host = {0};
    struct utsname name;
    cpu_set_t set;

    read_cpu(&host);
    if (uname(&name) == 0)
        snprintf(host.kernel, sizeof host.kernel, "%.16s %.64s", name.sysname, name.release);
    first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", host.governor,
               sizeof host.governor);
    first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource", host.clocksource,
               sizeof host.clocksource);
    first_line("/sys/kernel/mm/transparent_hugepage/enabled", host.thp, sizeof host.thp);
    keep_chosen(host.thp);
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        host.cpus = (unsigned)CPU_COUNT(&set);
    if (getloadavg(&host.load, 1) != 1)
        host.load = -1;
#if defined(__clang__)
    snprintf(host.compiler, sizeof host.compiler, "%.50s", __VERSION__);
#else
    snprintf(host.compiler, sizeof host.compiler, "gcc %.50s", __VERSION__);
#endif
#if defined(__OPTIMIZE__)
    host.optimized = true;
#endif
#if defined(SHMRING_BENCH_SANITIZED)
    host.sanitized = true;
#endif
    for (size_t i = 0; i < check_count; i++)
        host.findings[i] = doctor_look(&checks[i], "");
    *ret_host = host;
}

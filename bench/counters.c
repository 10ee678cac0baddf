/* SPDX-License-Identifier: MIT */
#include "counters.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char *name;
    uint32_t type;
    uint64_t config;
} events[COUNTER_COUNT] = {
    [COUNTER_CYCLES] = {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
    [COUNTER_INSTRUCTIONS] = {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
    [COUNTER_CACHE_MISSES] = {"cache_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
    [COUNTER_PAGE_FAULTS] = {"page_faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS},
};

static char reasons[COUNTER_COUNT][96]; /* empty: it is there */
static bool sees_kernel = true;

/* The descriptors of one thread. A forked child has a copy that counts its parent. */
static _Thread_local struct {
    pid_t owner;
    int fds[COUNTER_COUNT];
} mine;

static int open_counter(enum counter counter)
{
    struct perf_event_attr attr = {
        .size = sizeof attr,
        .type = events[counter].type,
        .config = events[counter].config,
        .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
        .exclude_kernel = !sees_kernel,
        .exclude_hv = 1,
    };

    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static void explain(enum counter counter, int error)
{
    const char *what = error == ENOENT || error == EOPNOTSUPP
                           ? "the processor, or the virtual machine, does not count it"
                       : error == EACCES || error == EPERM
                           ? "not permitted: see /proc/sys/kernel/perf_event_paranoid"
                           : strerror(error);

    snprintf(reasons[counter], sizeof reasons[counter], "%s", what);
}

/* Returns 0 or an errno. */
static int try_counter(enum counter counter)
{
    int fd = open_counter(counter);

    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

void counters_init(void)
{
    int error = try_counter(COUNTER_PAGE_FAULTS);

    /* One scope for all: figures with and without the kernel are not comparable. */
    sees_kernel = error != EACCES && error != EPERM;
    for (enum counter counter = 0; counter < COUNTER_COUNT; counter++) {
        error = try_counter(counter);
        if (error != 0)
            explain(counter, error);
    }
}

static void open_mine(pid_t owner)
{
    for (enum counter counter = 0; counter < COUNTER_COUNT; counter++) {
        if (mine.owner != 0 && mine.fds[counter] >= 0)
            close(mine.fds[counter]);
        mine.fds[counter] = reasons[counter][0] == '\0' ? open_counter(counter) : -1;
    }
    mine.owner = owner;
}

struct counts counters_now(void)
{
    struct counts counts = {0};
    pid_t self = (pid_t)syscall(SYS_gettid);

    if (mine.owner != self)
        open_mine(self);
    for (enum counter counter = 0; counter < COUNTER_COUNT; counter++) {
        uint64_t value[3] = {0}; /* count, time enabled, time running */

        if (mine.fds[counter] >= 0 &&
            read(mine.fds[counter], value, sizeof value) == sizeof value && value[2] != 0)
            counts.of[counter] = (double)value[0] * ((double)value[1] / (double)value[2]);
    }
    return counts;
}

const char *counter_name(enum counter counter)
{
    return events[counter].name;
}

const char *counter_missing(enum counter counter)
{
    return reasons[counter][0] != '\0' ? reasons[counter] : NULL;
}

bool counters_see_kernel(void)
{
    return sees_kernel;
}

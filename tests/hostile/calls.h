/* SPDX-License-Identifier: MIT */
/*
 * The calls of a victim: how many, and how long the longest took beyond the deadline that it was
 * given, also net of the time for which this thread was ready to run and others ran
 * (/proc/thread-self/schedstat, read once in a millisecond: so the net is good to a millisecond,
 * and may be less by as much). One that takes CALL_HANG_SECONDS fails the test, by name; nothing
 * less does.
 */
#ifndef SHMRING_TESTS_CALLS_H
#define SHMRING_TESTS_CALLS_H

#include "../messages.h"

#include <fcntl.h>
#include <sys/resource.h>

enum { CALLS_MAX = 24, CALL_HANG_SECONDS = 60 };

struct call {
    const char *name;
    uint64_t count, refused; /* refused: it returned an error */
    int64_t longest, longest_net;
};

static struct call calls[CALLS_MAX];

static struct {
    struct call *call;
    int64_t deadline, began;
    int64_t looked_at, delay; /* at the run delay, and what it was */
} calls_now;

/* ns; 0 where the kernel does not say. */
static inline int64_t calls_run_delay(void)
{
    static int fd = -2;
    char text[96];
    long long delay;

    if (fd == -2)
        fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    ssize_t size = pread(fd, text, sizeof text - 1, 0);

    text[size > 0 ? size : 0] = '\0';
    return sscanf(text, "%*d %lld", &delay) == 1 ? delay : 0;
}

static inline void calls_hang(int signal)
{
    const char *name = calls_now.call != NULL ? calls_now.call->name : "none";

    (void)signal;
    if (write(STDERR_FILENO, "hangs: ", 7) < 0 || write(STDERR_FILENO, name, strlen(name)) < 0 ||
        write(STDERR_FILENO, "\n", 1) < 0)
        _exit(2);
    _exit(1);
}

static inline void calls_look(int64_t now)
{
    calls_now.looked_at = now;
    calls_now.delay = calls_run_delay();
    alarm(CALL_HANG_SECONDS);
}

/* In each process that makes calls. */
static inline void calls_begin(void)
{
    CHECK(signal(SIGALRM, calls_hang) != SIG_ERR);
    calls_look(shmring_clock());
}

/* The call of that name begins, which is to be over at deadline. */
static inline void call_begin(const char *name, int64_t deadline)
{
    const int64_t often = 1000000;
    struct call *call = calls;

    while (call->name != name && call->name != NULL)
        call++;
    CHECK(call < calls + CALLS_MAX);
    call->name = name;
    calls_now.call = call;
    calls_now.deadline = deadline;
    calls_now.began = shmring_clock();
    if (calls_now.began - calls_now.looked_at > often) {
        calls_look(calls_now.began);
        calls_now.began = shmring_clock();
    }
}

/* It is over, with that result, which is returned. */
static inline int call_end(int result)
{
    struct call *call = calls_now.call;
    int64_t now = shmring_clock(), from = calls_now.began;

    if (calls_now.deadline > from)
        from = calls_now.deadline < now ? calls_now.deadline : now;
    int64_t took = now - from;

    call->count++;
    call->refused += result < 0;
    if (took > call->longest)
        call->longest = took;
    if (took > call->longest_net) {
        int64_t delay = calls_now.delay;

        calls_look(now);
        took -= calls_now.delay - delay;
        if (took > call->longest_net)
            call->longest_net = took;
    }
    calls_now.call = NULL;
    return result;
}

static inline uint64_t calls_count(void)
{
    uint64_t count = 0;

    for (int i = 0; i < CALLS_MAX; i++)
        count += calls[i].count;
    return count;
}

static inline double calls_cpu_seconds(int who)
{
    struct rusage usage;

    CHECK(getrusage(who, &usage) == 0);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* The others: those children that are over. */
static inline void calls_report(void)
{
    printf("%llu calls; %.2f s of a processor, and the others %.2f\n",
           (unsigned long long)calls_count(), calls_cpu_seconds(RUSAGE_SELF),
           calls_cpu_seconds(RUSAGE_CHILDREN));
    for (int i = 0; i < CALLS_MAX && calls[i].name != NULL; i++)
        printf("  %-16s %12llu, %12llu in vain, the longest %9.3f ms, net %9.3f ms\n",
               calls[i].name, (unsigned long long)calls[i].count,
               (unsigned long long)calls[i].refused, (double)calls[i].longest / 1e6,
               (double)calls[i].longest_net / 1e6);
}

#endif

/* SPDX-License-Identifier: MIT */
#include "sample.h"

#include "clock.h"
#include "crowd/conduct.h"
#include "work.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the two processes share besides the channels. */
struct control {
    struct probe probes[2];
    struct floor_line lines[2];
    struct run run; /* the parent reads the child's results after its end */
    bool corrupt;
    char reason[160];
};

enum {
    WARM_SHARE = 8, /* of the time that counts, before it */
    DEADLINE_S = 10,
};

/* The parent's workers run in loops without a way out: a signal takes them out of it. */
static volatile sig_atomic_t interrupted, escape_armed;
static sigjmp_buf escape;
static pid_t child;
static struct control *shared;

static bool child_ended_well(void)
{
    siginfo_t info = {0};

    if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
        return true; /* stopped, or not the one */
    return info.si_code == CLD_EXITED && info.si_status == 0;
}

static void on_signal(int number)
{
    int saved_errno = errno;

    if (number == SIGINT || number == SIGTERM)
        interrupted = 1;
    if (escape_armed && (number != SIGCHLD || !child_ended_well())) {
        escape_armed = 0;
        siglongjmp(escape, number);
    }
    errno = saved_errno;
}

bool sampler_interrupted(void)
{
    return interrupted != 0;
}

static _Noreturn void leave(void)
{
    if (child == 0)
        _exit(1);
    escape_armed = 0;
    siglongjmp(escape, SIGCHLD);
}

void sample_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    /* The first reason counts: what the other side finds then follows from it. */
    if (shared->reason[0] == '\0')
        vsnprintf(shared->reason, sizeof shared->reason, format, arguments);
    va_end(arguments);
    leave();
}

void sample_wrong(const char *format, ...)
{
    va_list arguments;

    shared->corrupt = true;
    va_start(arguments, format);
    vsnprintf(shared->reason, sizeof shared->reason, format, arguments);
    va_end(arguments);
    leave();
}

void sample_corrupt(uint64_t seq)
{
    sample_wrong("message %llu is not what was sent (seen by the %s)", (unsigned long long)seq,
                 child == 0 ? "receiver" : "sender");
}

int sampler_pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

static int find_cpus(struct sampler *sampler)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return -errno;
    sampler->cpu_count = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && sampler->cpu_count < 2; cpu++)
        if (CPU_ISSET((size_t)cpu, &set))
            sampler->cpus[sampler->cpu_count++] = cpu;
    if (sampler->cpu_count == 1)
        sampler->cpus[1] = sampler->cpus[0];
    return sampler_pin(sampler->cpus[0]);
}

int sampler_init(struct sampler *sampler)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGCHLD, SIGALRM};
    struct sigaction action = {.sa_handler = on_signal};
    size_t ticks_size = BENCH_ROUND_TRIPS_MAX * sizeof *sampler->ticks;
    int error = crowd_init();

    if (error == 0)
        error = find_cpus(sampler);
    if (error != 0)
        return error;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    sampler->ticks = mmap(NULL, ticks_size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    sampler->times = calloc(1, sizeof *sampler->times);
    if (shared == MAP_FAILED || sampler->ticks == MAP_FAILED || sampler->times == NULL)
        return -ENOMEM;
    /* Not copied, page by page, by the first writes after each fork. */
    madvise(sampler->ticks, ticks_size, MADV_DONTFORK);
    sampler->control = shared;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (sigaction(signals[i], &action, NULL) != 0)
            return -errno;
    signal(SIGPIPE, SIG_IGN); /* the child died: SIGCHLD says so */
    stamp_calibrate();
    counters_init();
    return 0;
}

void sampler_free(struct sampler *sampler)
{
    free(sampler->times);
    munmap(sampler->ticks, BENCH_ROUND_TRIPS_MAX * sizeof *sampler->ticks);
    munmap(shared, sizeof *shared);
}

static _Noreturn void run_child(const struct sampler *sampler, const struct bench_case *bench_case,
                                void *const *sides, pid_t parent)
{
    signal(SIGINT, SIG_IGN); /* the parent ends us */
    signal(SIGTERM, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(1);
    int cpu = case_is_crowd(bench_case) ? crowd_host_cpu(bench_case) : sampler->cpus[1];

    if (sampler_pin(cpu) != 0)
        sample_fail("cannot run on processor %d", cpu);
    work_attach(bench_case, sides, ROLE_CONSUMER);
    if (sampler->cpu_count > 1)
        probe_answer(&shared->probes[0]);
    work_child(bench_case, sides, shared->lines, &shared->run);
    if (sampler->cpu_count > 1)
        probe_answer(&shared->probes[1]);
    _exit(0);
}

static void run_parent(struct sampler *sampler, const struct bench_case *bench_case,
                       void *const *sides, struct run *run, struct sample *sample)
{
    work_attach(bench_case, sides, ROLE_PRODUCER);
    if (sampler->cpu_count > 1)
        sample->probe_ns[0] = probe_ask(&shared->probes[0]);
    work_parent(bench_case, sides, shared->lines, run, &sampler->crowd);
    if (sampler->cpu_count > 1)
        sample->probe_ns[1] = probe_ask(&shared->probes[1]);
}

/* Returns the status of waitpid(). */
static int reap(void)
{
    int status = -1;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

static void set_alarm(double seconds)
{
    struct itimerval timer = {0};

    timer.it_value.tv_sec = (time_t)seconds;
    setitimer(ITIMER_REAL, &timer, NULL);
}

static enum sample_end end_escaped(int number, struct sample *sample)
{
    int status;

    kill(child, SIGKILL);
    status = reap();
    if (shared->reason[0] != '\0')
        memcpy(sample->reason, shared->reason, sizeof sample->reason);
    else if (number == SIGALRM)
        snprintf(sample->reason, sizeof sample->reason, "no end within its time");
    else if (number == SIGCHLD)
        snprintf(sample->reason, sizeof sample->reason, "the receiver died (status %d)", status);
    if (interrupted)
        return SAMPLE_INTERRUPTED;
    return shared->corrupt ? SAMPLE_CORRUPT : SAMPLE_FAILED;
}

/* Forks, works, and waits for the child. */
static enum sample_end run_both(struct sampler *sampler, const struct bench_case *bench_case,
                                void *const *sides, struct run *run, struct sample *sample)
{
    pid_t parent = getpid();

    child = fork();
    if (child == 0)
        run_child(sampler, bench_case, sides, parent);
    if (child < 0) {
        snprintf(sample->reason, sizeof sample->reason, "fork: %s", strerror(errno));
        return SAMPLE_FAILED;
    }
    int number = sigsetjmp(escape, 1);

    if (number == 0) {
        escape_armed = 1;
        set_alarm(DEADLINE_S + 4 * sampler->seconds);
        /* What came before the arming. */
        if (interrupted || !child_ended_well())
            on_signal(interrupted ? SIGINT : SIGCHLD);
        run_parent(sampler, bench_case, sides, run, sample);
        int status = reap();

        escape_armed = 0;
        set_alarm(0);
        if (status == 0)
            return SAMPLE_DONE;
        snprintf(sample->reason, sizeof sample->reason, "the receiver died (status %d)", status);
        return SAMPLE_FAILED;
    }
    set_alarm(0);
    return end_escaped(number, sample);
}

/* Messages per second, or the median of the times, which go into the histogram. */
static void evaluate(struct sampler *sampler, const struct bench_case *bench_case,
                     const struct run *run, struct sample *sample)
{
    if (case_is_crowd(bench_case)) {
        double rate = sampler->crowd.rate;

        /* solo: what one message costs. */
        sample->value = bench_case->workload == WORKLOAD_MPMC || rate <= 0 ? rate : 1e9 / rate;
        return;
    }
    if (!case_is_dialogue(bench_case)) {
        if (bench_case->workload == WORKLOAD_STREAM)
            run = &shared->run;
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
static struct cost cost_of(const struct run *run)
{
    uint64_t handled = run->handled + shared->run.handled;
    struct usage all = run->usage;
    struct cost cost = {0};

    usage_add(&all, &shared->run.usage);
    if (handled == 0)
        return cost;
    cost.cpu_ns = (double)all.cpu_ns / (double)handled;
    cost.switches = (double)all.switches / (double)handled;
    for (enum counter counter = 0; counter < COUNTER_COUNT; counter++)
        cost.counts.of[counter] = all.counts.of[counter] / (double)handled;
    return cost;
}

static enum sample_end open_channels(const struct bench_case *bench_case, void **sides,
                                     struct sample *sample)
{
    int count = bench_case->transport == NULL               ? 0
                : bench_case->workload == WORKLOAD_PINGPONG ? 2
                                                            : 1;

    for (int i = 0; i < count; i++) {
        sides[i] = bench_case->transport->open(&bench_case->shape);
        if (sides[i] == NULL) {
            snprintf(sample->reason, sizeof sample->reason, "open: %s", strerror(errno));
            return SAMPLE_FAILED;
        }
    }
    return SAMPLE_DONE;
}

enum sample_end sampler_take(struct sampler *sampler, const struct bench_case *bench_case,
                             struct sample *ret_sample)
{
    void *sides[2] = {NULL, NULL};
    struct sample sample = {0};
    struct run run = {.size = bench_case->shape.size,
                      .batch = bench_case->shape.batch,
                      .ns = (int64_t)(sampler->seconds * 1e9),
                      .warm_ns = (int64_t)(sampler->seconds * 1e9 / WARM_SHARE),
                      .ticks = sampler->ticks};
    enum sample_end end;

    memset(shared, 0, sizeof *shared);
    shared->run = run;
    end = open_channels(bench_case, sides, &sample);
    if (end == SAMPLE_DONE && case_is_crowd(bench_case))
        crowd_prepare(bench_case);
    if (end == SAMPLE_DONE)
        end = run_both(sampler, bench_case, sides, &run, &sample);
    for (int i = 0; i < 2; i++)
        if (sides[i] != NULL)
            bench_case->transport->close(sides[i]);
    if (end == SAMPLE_DONE) {
        evaluate(sampler, bench_case, &run, &sample);
        sample.cost = cost_of(&run);
        sample.place = sampler->cpu_count > 1
                           ? place_of(sample.probe_ns[0], sample.probe_ns[1], &sampler->limits)
                           : PLACE_SAME_CORE;
        /* Of a crowd that is a result: all can wait for one that does not run. */
        if (sample.value <= 0 && bench_case->workload != WORKLOAD_MPMC) {
            snprintf(sample.reason, sizeof sample.reason,
                     "nothing arrived in time: try a larger --seconds");
            end = SAMPLE_FAILED;
        }
    }
    *ret_sample = sample;
    return end;
}

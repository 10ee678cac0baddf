/* SPDX-License-Identifier: MIT */
#include "sides.h"

#include "clock.h"
#include "control.h"
#include "crowd/conduct.h"
#include "work.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    DEADLINE_S = 30, /* a death is noticed at once */
    CHILDREN_MAX = 2,
};

/* The benchmark's own workers run in loops without a way out: a signal takes them out of it. */
static volatile sig_atomic_t interrupted, escape_armed;
static sigjmp_buf escape;
static pid_t children[CHILDREN_MAX]; /* 0: none */
static bool is_child;
static struct deadline deadline;
static _Thread_local bool is_second;

static bool ended_well(pid_t child)
{
    siginfo_t info = {0};

    if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
        return true; /* stopped, or not the one */
    return info.si_code == CLD_EXITED && info.si_status == 0;
}

static bool all_ended_well(void)
{
    for (int i = 0; i < CHILDREN_MAX; i++)
        if (children[i] != 0 && !ended_well(children[i]))
            return false;
    return true;
}

static bool calls_for_escape(int number)
{
    if (number == SIGALRM)
        return deadline_is_over(&deadline);
    return number != SIGCHLD || !all_ended_well();
}

static void on_signal(int number)
{
    int saved_errno = errno;

    if (number == SIGINT || number == SIGTERM)
        interrupted = 1;
    if (escape_armed && calls_for_escape(number)) {
        escape_armed = 0;
        siglongjmp(escape, number);
    }
    errno = saved_errno;
}

bool sampler_interrupted(void)
{
    return interrupted != 0;
}

int sides_init(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGCHLD, SIGALRM};
    struct sigaction action = {.sa_handler = on_signal};

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (sigaction(signals[i], &action, NULL) != 0)
            return -errno;
    signal(SIGPIPE, SIG_IGN); /* the child died: SIGCHLD says so */
    return 0;
}

static _Noreturn void leave(void)
{
    if (is_child)
        _exit(1);
    escape_armed = 0;
    siglongjmp(escape, SIGCHLD);
}

void sample_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    /* The first reason counts: what the other side finds then follows from it. */
    if (the_control->reason[0] == '\0')
        vsnprintf(the_control->reason, sizeof the_control->reason, format, arguments);
    va_end(arguments);
    leave();
}

void sample_wrong(const char *format, ...)
{
    va_list arguments;

    the_control->corrupt = true;
    va_start(arguments, format);
    vsnprintf(the_control->reason, sizeof the_control->reason, format, arguments);
    va_end(arguments);
    leave();
}

void sample_corrupt(uint64_t seq)
{
    sample_wrong("message %llu is not what was sent (seen by the %s)", (unsigned long long)seq,
                 is_second ? "receiver" : "sender");
}

int sides_open(const struct bench_case *bench_case, void **channels)
{
    uint32_t count = bench_case->transport == NULL               ? 0
                     : bench_case->workload == WORKLOAD_PINGPONG ? 2
                     : case_is_fan(bench_case)                   ? crowd_channels(bench_case)
                                                                 : 1;

    for (uint32_t i = 0; i < count; i++)
        if ((channels[i] = bench_case->transport->open(&bench_case->shape)) == NULL)
            return -errno;
    return 0;
}

static enum members members_of(const struct bench_case *bench_case)
{
    return bench_case->transport != NULL ? bench_case->transport->members : MEMBERS_HERE;
}

static void attach_pinned(const struct bench_case *bench_case, void *const *channels,
                          enum role role, int cpu)
{
    deadline_join(&the_control->members, role);
    /* What a library starts here is free to run where it likes. */
    if (members_of(bench_case) != MEMBERS_HERE)
        sampler_unpin();
    /* Those of a crowd join by themselves. */
    if (!case_is_crowd(bench_case))
        work_attach(bench_case, channels, role);
    if (sampler_pin(cpu) != 0)
        sample_fail("cannot run on processor %d", cpu);
}

static void play_first(struct sampler *sampler, const struct bench_case *bench_case,
                       void *const *channels, struct run *run, uint32_t *probe_ns)
{
    bool probes = sampler->cpu_count > 1;

    attach_pinned(bench_case, channels, ROLE_PRODUCER, sampler->cpus[0]);
    if (probes)
        probe_ns[0] = probe_ask(&the_control->probes[0]);
    work_parent(bench_case, channels, the_control->lines, run, &sampler->crowd);
    if (probes)
        probe_ns[1] = probe_ask(&the_control->probes[1]);
}

static void play_second(const struct sampler *sampler, const struct bench_case *bench_case,
                        void *const *channels)
{
    bool probes = sampler->cpu_count > 1;
    int cpu = case_is_crowd(bench_case) ? crowd_host_cpu(bench_case) : sampler->cpus[1];

    is_second = true;
    attach_pinned(bench_case, channels, ROLE_CONSUMER, cpu);
    if (probes)
        probe_answer(&the_control->probes[0]);
    work_child(bench_case, channels, the_control->lines, &the_control->second);
    if (probes)
        probe_answer(&the_control->probes[1]);
}

struct thread {
    const struct sampler *sampler;
    const struct bench_case *bench_case;
    void *const *channels;
};

static void *run_second_thread(void *opaque)
{
    const struct thread *thread = opaque;

    play_second(thread->sampler, thread->bench_case, thread->channels);
    return NULL;
}

/* Both sides, of a channel that lies in one process. What that used is what they used. */
static void play_both(struct sampler *sampler, const struct bench_case *bench_case)
{
    void *channels[2] = {NULL, NULL}, *clones[2] = {NULL, NULL};
    struct thread second = {sampler, bench_case, clones};
    pthread_t id;
    int error;

    sampler_unpin();
    if ((error = sides_open(bench_case, channels)) != 0)
        sample_fail("open: %s", strerror(-error));
    for (int i = 0; i < 2; i++)
        if (channels[i] != NULL && (clones[i] = bench_case->transport->clone(channels[i])) == NULL)
            sample_fail("clone: %s", strerror(errno));
    if ((error = pthread_create(&id, NULL, run_second_thread, &second)) != 0)
        sample_fail("pthread_create: %s", strerror(error));
    play_first(sampler, bench_case, channels, &the_control->first, the_control->probe_ns);
    pthread_join(id, NULL);
    the_control->second.usage = (struct usage){0};
}

/* In the child, after fork. */
static void begin_child(pid_t parent)
{
    is_child = true;
    signal(SIGINT, SIG_IGN); /* the parent ends us */
    signal(SIGTERM, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(1);
}

/* What a child does: the second side, the first, or both. */
enum part {
    PART_SECOND,
    PART_FIRST,
    PART_BOTH,
};

static _Noreturn void run_child(struct sampler *sampler, const struct bench_case *bench_case,
                                void *const *channels, enum part part, pid_t parent)
{
    begin_child(parent);
    if (members_of(bench_case) != MEMBERS_HERE)
        usage_of_process();
    /* Its pages, before the loop needs them. */
    if (members_of(bench_case) != MEMBERS_HERE || case_is_timed(bench_case))
        memset(sampler->ticks, 0, BENCH_ROUND_TRIPS_MAX * sizeof *sampler->ticks);
    if (part == PART_SECOND)
        play_second(sampler, bench_case, channels);
    else if (part == PART_FIRST)
        play_first(sampler, bench_case, channels, &the_control->first, the_control->probe_ns);
    else
        play_both(sampler, bench_case);
    _exit(0);
}

/* Returns the status of one that did not end well, or 0. */
static int reap(void)
{
    int found = 0;

    for (int i = 0; i < CHILDREN_MAX; i++) {
        int status = 0;

        while (children[i] != 0 && waitpid(children[i], &status, 0) < 0 && errno == EINTR)
            continue;
        children[i] = 0;
        found = status != 0 ? status : found;
    }
    return found;
}

/* Returns the status of one that did not end well by itself, or 0. */
static int end_children(void)
{
    int found = 0;

    for (int i = 0; i < CHILDREN_MAX; i++)
        if (children[i] != 0 && !ended_well(children[i])) {
            waitpid(children[i], &found, 0);
            children[i] = 0;
        }
    for (int i = 0; i < CHILDREN_MAX; i++)
        if (children[i] != 0)
            kill(children[i], SIGKILL);
    reap();
    return found;
}

/* From then on a signal each second, at which the deadline is looked at; 0: none. */
static void set_alarm(double seconds)
{
    struct itimerval timer = {.it_interval = {.tv_sec = 1}};

    timer.it_value.tv_sec = (time_t)seconds;
    setitimer(ITIMER_REAL, &timer, NULL);
}

static enum sample_end end_escaped(int number, struct sample *sample)
{
    int64_t passed = shmring_clock() - deadline.begin_ns, waited = deadline_waited_ns(&deadline);
    int status = end_children();

    if (the_control->reason[0] != '\0')
        memcpy(sample->reason, the_control->reason, sizeof sample->reason);
    else if (number == SIGALRM)
        snprintf(sample->reason, sizeof sample->reason,
                 "no end within its time: %.0f s, of which it waited %.0f s for a processor",
                 (double)passed / 1e9, (double)waited / 1e9);
    else if (number == SIGCHLD)
        snprintf(sample->reason, sizeof sample->reason, "the other side died (status %d)", status);
    if (interrupted)
        return SAMPLE_INTERRUPTED;
    return the_control->corrupt ? SAMPLE_CORRUPT : SAMPLE_FAILED;
}

/* Returns 0 or -errno. */
static int make_children(struct sampler *sampler, const struct bench_case *bench_case,
                         void *const *channels, enum members members)
{
    pid_t parent = getpid();
    int count = members == MEMBERS_APART ? 2 : 1;

    for (int i = 0; i < count; i++) {
        enum part part = members == MEMBERS_THREADS ? PART_BOTH : i == 0 ? PART_SECOND : PART_FIRST;
        pid_t pid = fork();

        if (pid == 0)
            run_child(sampler, bench_case, channels, part, parent);
        if (pid < 0)
            return -errno;
        children[i] = pid;
    }
    return 0;
}

/* The benchmark's own part, once the children run. Escapes where that fails. */
static enum sample_end play_and_wait(struct sampler *sampler, const struct bench_case *bench_case,
                                     void *const *channels, struct run *run, struct sample *sample)
{
    bool is_here = members_of(bench_case) == MEMBERS_HERE;
    int status;

    if (is_here)
        play_first(sampler, bench_case, channels, run, sample->probe_ns);
    status = reap();
    escape_armed = 0;
    set_alarm(0);
    if (!is_here) {
        *run = the_control->first;
        memcpy(sample->probe_ns, the_control->probe_ns, sizeof sample->probe_ns);
    }
    if (status == 0)
        return SAMPLE_DONE;
    snprintf(sample->reason, sizeof sample->reason, "the other side died (status %d)", status);
    return SAMPLE_FAILED;
}

enum sample_end sides_run(struct sampler *sampler, const struct bench_case *bench_case,
                          void *const *channels, struct run *run, struct sample *sample)
{
    int error;

    the_control->first = *run;
    the_control->second = *run;
    error = make_children(sampler, bench_case, channels, members_of(bench_case));
    if (error != 0) {
        end_children();
        snprintf(sample->reason, sizeof sample->reason, "fork: %s", strerror(-error));
        return SAMPLE_FAILED;
    }
    double allowed_s = DEADLINE_S + 4 * sampler->seconds;

    deadline = deadline_in(&the_control->members, (int64_t)(allowed_s * 1e9));
    int number = sigsetjmp(escape, 1);

    if (number == 0) {
        escape_armed = 1;
        set_alarm(allowed_s);
        /* What came before the arming. */
        if (interrupted || !all_ended_well())
            on_signal(interrupted ? SIGINT : SIGCHLD);
        return play_and_wait(sampler, bench_case, channels, run, sample);
    }
    set_alarm(0);
    return end_escaped(number, sample);
}

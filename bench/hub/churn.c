/* SPDX-License-Identifier: MIT */
/*
 * Do others feel it when clients join and leave? A client sends a message every INTERVAL_NS with
 * the time in it, and the hub's handler looks how old it is. Samples without and with a second
 * process that connects and leaves again and again take turns; joining is done by a thread of its
 * own (control_apart), or by the thread that dispatches. All but that one share the other
 * processor. Windows in which another program had the processor of that one do not count.
 */
#include "hub_bench.h"

#include "histogram.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WINDOWS = 300, WINDOW_MESSAGES = 4096, MESSAGES_PER_YIELD = 32 };
static const int64_t INTERVAL_NS = 3000, WINDOW_NS = 4000000;
static const int64_t CHURN_NS = 2000000; /* from one join to the next */

static struct histogram delays;
static uint64_t window_delays[WINDOW_MESSAGES];
static unsigned window_count;

static void measure(shmring_hub *hub, const shmring_hub_event *event, void *argument)
{
    int64_t sent;

    (void)hub;
    (void)argument;
    if (event->kind != SHMRING_HUB_MESSAGE || window_count == WINDOW_MESSAGES)
        return;
    memcpy(&sent, event->message, sizeof sent);
    window_delays[window_count++] = (uint64_t)(shmring_clock() - sent);
}

static void run_window(shmring_hub *hub)
{
    const double all = 0.995;

    shmring_hub_dispatch(hub, measure, NULL, shmring_deadline(WINDOW_NS / 4));
    struct running begin = bench_running(BENCH_SELF);
    int64_t begin_ns = shmring_clock();

    /* What came while that file was read waited for it. */
    shmring_hub_dispatch(hub, measure, NULL, shmring_deadline(INTERVAL_NS));
    window_count = 0;
    shmring_hub_dispatch(hub, measure, NULL, shmring_deadline(WINDOW_NS));
    int64_t took = shmring_clock() - begin_ns;

    if ((double)(bench_running(BENCH_SELF).ran - begin.ran) < all * (double)took)
        return;
    for (unsigned i = 0; i < window_count; i++)
        histogram_add(&delays, window_delays[i]);
}

static void send_in_time(struct hub_bench *bench, void *argument)
{
    shmring_link link;

    (void)argument;
    bench_check("connect", shmring_link_connect(&link, bench->path, NULL, SHMRING_NEVER));
    shmring_store32_release(&bench->stage->ready, 1);
    for (uint64_t sent = 0; !bench_is_stopped(bench); sent++) {
        int64_t now = shmring_clock();

        shmring_sender_send(&link.sender, &now, sizeof now, 0, SHMRING_NOW);
        while (shmring_clock() < now + INTERVAL_NS)
            shmring_cpu_pause();
        if (sent % MESSAGES_PER_YIELD == 0) /* the processor is for those that come and go, too */
            sched_yield();
    }
    shmring_link_close(&link);
}

enum churn { QUIET, APART, INLINE, CHURNS };

/* Comes and goes. */
static _Noreturn void churn(struct hub_bench *bench, enum churn how)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bench_pin(bench->cpus[1]);
    for (;;) {
        const struct timespec pause = {.tv_nsec = CHURN_NS};
        shmring_link link;

        nanosleep(&pause, NULL);
        if (how == QUIET)
            continue;
        if (shmring_link_connect(&link, bench->path, NULL, SHMRING_NEVER) != 0)
            continue;
        shmring_link_close(&link);
        shmring_add64_relaxed(&bench->stage->made, 1);
    }
}

struct controller {
    struct hub_bench *bench;
    shmring_hub *hub;
};

static void *control(void *argument)
{
    struct controller *controller = argument;

    bench_pin(controller->bench->cpus[1]);
    shmring_hub_control(controller->hub, SHMRING_NEVER);
    return NULL;
}

/* Of a sample: the shares of messages that were not later than that. */
static const double shares[] = {0.5, 0.99, 0.999};
enum { SHARES = 3 };

static void sample(struct hub_bench *bench, enum churn how, struct figure *figures)
{
    shmring_hub *hub = bench_open_hub(
        bench, (shmring_hub_options){.wait = SHMRING_WAIT_SPIN, .control_apart = how != INLINE});
    struct controller controller = {bench, hub};
    pid_t child = bench_start(bench, send_in_time, NULL), visitor;
    uint32_t before = bench_probe(bench);
    pthread_t thread;

    if (how != INLINE && pthread_create(&thread, NULL, control, &controller) != 0)
        bench_fail("pthread_create", EAGAIN);
    visitor = fork();
    if (visitor == 0)
        churn(bench, how);
    while (shmring_load32_acquire(&bench->stage->ready) == 0)
        shmring_hub_dispatch(hub, measure, NULL, shmring_deadline(1000000));
    memset(&delays, 0, sizeof delays);
    uint64_t made = shmring_load64_relaxed(&bench->stage->made);

    for (unsigned i = 0; i < WINDOWS; i++)
        run_window(hub);
    made = shmring_load64_relaxed(&bench->stage->made) - made;
    kill(visitor, SIGKILL);
    waitpid(visitor, NULL, 0);
    enum place place = bench_end(bench, child, before);

    shmring_hub_cancel(hub);
    if (how != INLINE)
        pthread_join(thread, NULL);
    shmring_hub_close(hub);
    for (int i = 0; i < SHARES; i++)
        figure_add(&figures[i], place, (double)histogram_quantile(&delays, shares[i]) * 1e-3);
    figure_add(&figures[SHARES], place, (double)made);
}

void bench_churn(struct hub_bench *bench)
{
    static struct figure figures[CHURNS][SHARES + 1];
    static const char *const names[CHURNS][SHARES + 1] = {
        [QUIET] = {"quiet, p50", "quiet, p99", "quiet, p99.9", "quiet, joins"},
        [APART] = {"apart, p50", "apart, p99", "apart, p99.9", "apart, joins"},
        [INLINE] = {"inline, p50", "inline, p99", "inline, p99.9", "inline, joins"},
    };

    for (int how = 0; how < CHURNS; how++)
        for (int i = 0; i <= SHARES; i++)
            figures[how][i] =
                (struct figure){.name = names[how][i], .unit = i < SHARES ? "us" : ""};
    for (unsigned i = 0; i < bench->samples; i++)
        for (int how = 0; how < CHURNS; how++)
            sample(bench, (enum churn)how, figures[how]);
    figure_print(figures[0], CHURNS * (SHARES + 1));
}

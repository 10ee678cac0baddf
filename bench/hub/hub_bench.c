/* SPDX-License-Identifier: MIT */
#include "hub_bench.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void bench_fail(const char *what, int error)
{
    fprintf(stderr, "shmring-bench-hub: %s: %s\n", what, strerror(error < 0 ? -error : error));
    _exit(1);
}

void bench_check(const char *what, int error)
{
    if (error != 0)
        bench_fail(what, error);
}

void bench_pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        bench_fail("sched_setaffinity", errno);
}

bool bench_is_stopped(const struct hub_bench *bench)
{
    return shmring_load32_acquire(&bench->stage->stop) != 0;
}

pid_t bench_start(struct hub_bench *bench, void (*work)(struct hub_bench *bench, void *argument),
                  void *argument)
{
    memset(bench->stage, 0, sizeof *bench->stage);
    fflush(NULL);
    pid_t child = fork();

    if (child < 0)
        bench_fail("fork", errno);
    if (child > 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bench_pin(bench->cpus[1]);
    probe_answer(&bench->stage->probes[0]);
    work(bench, argument);
    probe_answer(&bench->stage->probes[1]);
    _exit(0);
}

uint32_t bench_probe(struct hub_bench *bench)
{
    return probe_ask(&bench->stage->probes[0]);
}

enum place bench_end(struct hub_bench *bench, pid_t child, uint32_t before_ns)
{
    int status;

    shmring_store32_release(&bench->stage->stop, 1);
    uint32_t after_ns = probe_ask(&bench->stage->probes[1]);

    if (waitpid(child, &status, 0) != child || status != 0)
        bench_fail("the other process failed", ECHILD);
    return place_of(before_ns, after_ns, &PLACE_LIMITS);
}

struct running bench_running(const char *path)
{
    struct running running = {0};
    FILE *file = fopen(path, "re");

    if (file == NULL || fscanf(file, "%lld %lld", &running.ran, &running.waited) != 2)
        bench_fail(path, errno);
    fclose(file);
    return running;
}

void figure_add(struct figure *figure, enum place place, double value)
{
    if (figure->counts[place] < HUB_BENCH_SAMPLES_MAX)
        figure->values[place][figure->counts[place]++] = value;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

void figure_print(const struct figure *figures, size_t count)
{
    for (int place = 0; place < PLACE_MIXED; place++)
        for (size_t i = 0; i < count; i++) {
            const unsigned n = figures[i].counts[place];
            double sorted[HUB_BENCH_SAMPLES_MAX];

            if (n == 0)
                continue;
            memcpy(sorted, figures[i].values[place], n * sizeof *sorted);
            double middle = bench_median(sorted, n);

            printf("%-9s %-34s %9.3f [%.3f-%.3f] n=%u %s\n", place_name((enum place)place),
                   figures[i].name, middle, sorted[0], sorted[n - 1], n, figures[i].unit);
        }
    fflush(stdout);
}

shmring_hub *bench_open_hub(struct hub_bench *bench, shmring_hub_options options)
{
    shmring_hub *hub;

    options.size = sizeof options;
    options.link.size = sizeof options.link;
    bench_check("shmring_hub_open", shmring_hub_open(&hub, bench->path, &options));
    return hub;
}

static void raise_limit(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void find_cpus(struct hub_bench *bench)
{
    cpu_set_t set;
    int found = 0;

    sched_getaffinity(0, sizeof set, &set);
    for (int cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++)
        if (CPU_ISSET((size_t)cpu, &set))
            bench->cpus[found++] = cpu;
    if (found < 2)
        bench_fail("needs two processors", ENODEV);
}

int main(int argc, char **argv)
{
    struct hub_bench bench = {.samples = 20, .links = 64};
    const char *what = argc > 1 ? argv[1] : "";
    char directory[] = "/tmp/shmring-hub-bench-XXXXXX";

    if (argc > 2)
        bench.samples = (unsigned)strtoul(argv[2], NULL, 10);
    if (argc > 3)
        bench.links = (unsigned)strtoul(argv[3], NULL, 10);
    bench.stage =
        mmap(NULL, sizeof *bench.stage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bench.stage == MAP_FAILED || mkdtemp(directory) == NULL)
        bench_fail("memory, or /tmp", errno);
    snprintf(bench.path, sizeof bench.path, "%s/hub", directory);
    raise_limit();
    find_cpus(&bench);
    /* liburcu's thread stays where the first hub is opened. */
    bench_pin(bench.cpus[1]);
    shmring_hub_close(bench_open_hub(&bench, (shmring_hub_options){.channels = 1}));
    bench_pin(bench.cpus[0]);
    stamp_calibrate();
    if (strcmp(what, "idle") == 0)
        bench_idle(&bench);
    else if (strcmp(what, "merge") == 0)
        bench_merge(&bench);
    else if (strcmp(what, "churn") == 0)
        bench_churn(&bench);
    else if (strcmp(what, "setup") == 0)
        bench_setup(&bench);
    else
        fprintf(stderr, "Usage: shmring-bench-hub idle|merge|churn|setup [SAMPLES [LINKS]]\n");
    rmdir(directory);
    return 0;
}

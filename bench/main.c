/* SPDX-License-Identifier: MIT */
#include "compare/compare.h"
#include "doctor/doctor.h"
#include "number.h"
#include "report/report.h"
#include "sample.h"

#include "shmring/shmring.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    EXIT_USAGE = 2,
    EXIT_INTERRUPTED = 130,
    PATTERNS_MAX = 256,
};

static const double SECONDS_DEFAULT = 0.2, SECONDS_QUICK = 0.05;
static const double SECONDS_MIN = 0.001, SECONDS_MAX = 60;
static const unsigned REPEAT_DEFAULT = 5, REPEAT_MAX = 1000;

static const char HELP[] =
    "Usage: shmring-bench [OPTION]...\n"
    "       shmring-bench compare [OPTION]... A.json B.json\n"
    "       shmring-bench doctor [OPTION]...\n"
    "Measures how fast messages pass from one process to another: through shmring, through other\n"
    "libraries' rings, and through the kernel; by one method, and with one way of waiting per "
    "table.\n"
    "\n"
    "  -l, --list               print the ids of the cases and exit\n"
    "  -o, --only GLOB          only cases whose id matches; commas and repeats add more\n"
    "  -q, --quick              a choice of cases, and 0.05 s each, for a first look\n"
    "  -s, --seconds S          length of a sample (default 0.2, at most 60)\n"
    "  -r, --repeat N           samples per case, round-robin over all cases (default 5)\n"
    "  -j, --json FILE          also write all results as JSON (- for stdout, without the table)\n"
    "      --rate N,...         open loop: messages per second (default 10000,100000,1000000)\n"
    "      --burst N,US,...     burst: N messages every US us (default 16,1000,256,1000)\n"
    "      --same-core          both sides on one processor: class same-core, blocking only\n"
    "      --class-limits A,B   placement class by probed round trip: below A ns smt, below B l3\n"
    "                           (default 90,180: for AMD Zen 4)\n"
    "  -h, --help               this text\n"
    "  -V, --version            the version\n"
    "\n"
    "Examples:\n"
    "  shmring-bench --quick\n"
    "  shmring-bench --only 'ring_*/stream/64B/*,pipe/stream/64B/block' --repeat 20\n"
    "  shmring-bench --only '*/pingpong/*/spin' --seconds 1 --json results.json\n"
    "  shmring-bench --only '*/mpmc-4p4c/64B/*,*/solo/*'\n"
    "\n"
    "Exit status: 0 done, 1 a sample failed or came out wrong, 2 usage, 130 interrupted (what was\n"
    "measured until then is printed).\n";

struct options {
    const char *patterns[PATTERNS_MAX];
    size_t pattern_count;
    const char *json;
    double seconds;
    unsigned repeat;
    bool list;
    bool quick;
    bool same_core;
    struct place_limits limits;
    struct loads loads;
};

static _Noreturn void usage(const char *what, const char *value)
{
    fprintf(stderr, "shmring-bench: %s%s%s\nTry 'shmring-bench --help'.\n", what,
            value != NULL ? ": " : "", value != NULL ? value : "");
    exit(EXIT_USAGE);
}

static double read_seconds(const char *text)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end != '\0' || !isfinite(seconds) || seconds < SECONDS_MIN ||
        seconds > SECONDS_MAX)
        usage("--seconds takes a number from 0.001 to 60", text);
    return seconds;
}

static unsigned read_repeat(const char *text)
{
    const char *at = text;
    uint32_t repeat;

    if (!number_read(&at, REPEAT_MAX, &repeat) || *at != '\0')
        usage("--repeat takes a whole number from 1 to 1000", text);
    return repeat;
}

static struct place_limits read_limits(const char *text)
{
    const char *at = text;
    struct place_limits limits;

    if (!number_read(&at, 1000000, &limits.smt_below) || *at++ != ',' ||
        !number_read(&at, 1000000, &limits.l3_below) || *at != '\0' ||
        limits.l3_below <= limits.smt_below)
        usage("--class-limits takes two rising numbers of nanoseconds, as in 90,180", text);
    return limits;
}

/* Takes the text apart at its commas, in place. */
static void add_patterns(struct options *options, char *text)
{
    for (char *rest = text, *pattern; (pattern = strsep(&rest, ",")) != NULL;) {
        if (pattern[0] == '\0')
            usage("--only takes a pattern, or several with commas between", NULL);
        if (options->pattern_count == PATTERNS_MAX)
            usage("too many patterns", NULL);
        options->patterns[options->pattern_count++] = pattern;
    }
}

/* Options without a letter. */
enum { OPTION_CLASS_LIMITS = 256, OPTION_RATE, OPTION_BURST, OPTION_SAME_CORE };

static const struct option known_options[] = {
    {"list", no_argument, NULL, 'l'},
    {"only", required_argument, NULL, 'o'},
    {"quick", no_argument, NULL, 'q'},
    {"seconds", required_argument, NULL, 's'},
    {"repeat", required_argument, NULL, 'r'},
    {"json", required_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {"rate", required_argument, NULL, OPTION_RATE},
    {"burst", required_argument, NULL, OPTION_BURST},
    {"same-core", no_argument, NULL, OPTION_SAME_CORE},
    {"class-limits", required_argument, NULL, OPTION_CLASS_LIMITS},
    {NULL, 0, NULL, 0},
};

static void read_options(int argc, char **argv, struct options *options)
{
    int option;

    while ((option = getopt_long(argc, argv, "lo:qs:r:j:hV", known_options, NULL)) != -1) {
        switch (option) {
        case 'l':
            options->list = true;
            break;
        case 'o':
            add_patterns(options, optarg);
            break;
        case 'q':
            options->quick = true;
            break;
        case 's':
            options->seconds = read_seconds(optarg);
            break;
        case 'r':
            options->repeat = read_repeat(optarg);
            break;
        case 'j':
            options->json = optarg;
            break;
        case OPTION_RATE:
            if (!loads_read_rates(optarg, &options->loads))
                usage("--rate takes up to 8 numbers of messages per second, as in 1000,50000",
                      optarg);
            break;
        case OPTION_BURST:
            if (!loads_read_bursts(optarg, &options->loads))
                usage("--burst takes up to 8 pairs of messages and us, as in 16,1000,256,500",
                      optarg);
            break;
        case OPTION_SAME_CORE:
            options->same_core = true;
            break;
        case OPTION_CLASS_LIMITS:
            options->limits = read_limits(optarg);
            break;
        case 'h':
            fputs(HELP, stdout);
            exit(EXIT_SUCCESS);
        case 'V':
            printf("shmring-bench %s\n", shmring_version());
            exit(EXIT_SUCCESS);
        default:
            fprintf(stderr, "Try 'shmring-bench --help'.\n");
            exit(EXIT_USAGE);
        }
    }
    if (optind < argc)
        usage("no argument is expected", argv[optind]);
    if (options->seconds <= 0)
        options->seconds = options->quick ? SECONDS_QUICK : SECONDS_DEFAULT;
}

static void show_progress(size_t done, size_t total, const char *id, int64_t begin)
{
    double passed = (double)(shmring_clock() - begin) / 1e9;

    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K%zu of %zu  %s", done + 1, total, id);
    if (done > 4)
        fprintf(stderr, "  %.0f s left", passed / (double)done * (double)(total - done));
    fflush(stderr);
}

static void add_failure(struct report *report, const char *id, const struct sample *sample,
                        bool corrupt)
{
    struct failure *failure;

    if (report->failure_count < FAILURES_MAX) {
        failure = &report->failures[report->failure_count];
        snprintf(failure->id, sizeof failure->id, "%s", id);
        memcpy(failure->reason, sample->reason, sizeof failure->reason);
        failure->corrupt = corrupt;
    }
    report->failure_count++;
    fprintf(stderr, "%sshmring-bench: %s: %s%s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "", id,
            corrupt ? "payload check failed: " : "", sample->reason);
}

/* One sample of one case; false: stop. */
static bool measure(struct sampler *sampler, struct bench_case *bench_case, struct report *report)
{
    struct sample sample;
    enum sample_end end = sampler_take(sampler, bench_case, &sample);

    if (end == SAMPLE_INTERRUPTED)
        return false;
    if (end != SAMPLE_DONE) {
        add_failure(report, bench_case->id, &sample, end == SAMPLE_CORRUPT);
        return true;
    }
    struct measured measured = {
        .value = sample.value,
        .cost = sample.cost,
        .times = case_has_times(bench_case) ? sampler->times : NULL,
        .crowd = case_has_members(bench_case) ? &sampler->crowd : NULL,
    };

    if (case_add(bench_case, sample.place, &measured) != 0) {
        fprintf(stderr, "shmring-bench: no memory\n");
        return false;
    }
    report->places[sample.place]++;
    return true;
}

/* Round-robin, so that what changes in time meets all cases alike. */
static void measure_all(struct sampler *sampler, struct cases *cases, struct report *report)
{
    size_t total = cases->count * report->repeat, done = 0;
    int64_t begin = shmring_clock();

    for (unsigned round = 0; round < report->repeat; round++)
        for (size_t i = 0; i < cases->count; i++) {
            show_progress(done++, total, cases->list[i].id, begin);
            if (sampler_interrupted() || !measure(sampler, &cases->list[i], report)) {
                report->interrupted = true;
                round = report->repeat - 1;
                break;
            }
        }
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    report->took_s = (double)(shmring_clock() - begin) / 1e9;
}

static int run(const struct options *options, struct cases *cases)
{
    static struct report report;
    struct sampler sampler = {
        .limits = options->limits, .seconds = options->seconds, .same_core = options->same_core};
    int error;

    report.cases = cases;
    report.limits = options->limits;
    report.seconds = options->seconds;
    report.repeat = options->repeat;
    report.quick = options->quick;
    report.same_core = options->same_core;
    report.loads = &options->loads;
    report.patterns = options->patterns;
    report.pattern_count = options->pattern_count;
    report.started = time(NULL);
    host_read(&report.host);
    error = sampler_init(&sampler);
    if (error != 0) {
        fprintf(stderr, "shmring-bench: cannot start: %s\n", strerror(-error));
        return EXIT_FAILURE;
    }
    memcpy(report.cpus, sampler.cpus, sizeof report.cpus);
    if (sampler.cpu_count < 2 && !options->same_core)
        cases_keep_blocking(cases);
    measure_all(&sampler, cases, &report);
    sampler_free(&sampler);
    report_warn(&report);
    if (options->json == NULL || strcmp(options->json, "-") != 0)
        report_table(&report, stdout);
    if (options->json != NULL && (error = report_json(&report, options->json)) != 0) {
        fprintf(stderr, "shmring-bench: %s: %s\n", options->json, strerror(-error));
        return EXIT_FAILURE;
    }
    if (fflush(stdout) != 0)
        return EXIT_FAILURE;
    if (report.interrupted)
        return EXIT_INTERRUPTED;
    return report.failure_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What else the program does, by its first argument; no case has such a name. */
static int (*find_command(int argc, char **argv))(int, char **)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {{"compare", compare_main}, {"doctor", doctor_main}};

    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run;
    return NULL;
}

int main(int argc, char **argv)
{
    int (*command)(int, char **) = find_command(argc, argv);

    if (command != NULL)
        return command(argc - 1, argv + 1);
    struct options options = {
        .repeat = REPEAT_DEFAULT, .limits = PLACE_LIMITS, .loads = LOADS_DEFAULT};
    struct cases cases;
    const char *pattern = NULL;
    int status = EXIT_SUCCESS;

    read_options(argc, argv, &options);
    if (cases_make(&options.loads, &cases) != 0) {
        fprintf(stderr, "shmring-bench: no memory\n");
        return EXIT_FAILURE;
    }
    if (cases_select(&cases, options.patterns, options.pattern_count, options.quick, &pattern) != 0)
        usage("no case matches (see --list)", pattern);
    if (options.same_core)
        cases_keep_blocking(&cases);
    if (cases.count == 0)
        usage("none of these cases can run on one processor", NULL);
    if (options.list)
        for (size_t i = 0; i < cases.count; i++)
            puts(cases.list[i].id);
    else
        status = run(&options, &cases);
    cases_free(&cases);
    return status;
}

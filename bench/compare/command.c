/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXIT_WORSE = 1,
    EXIT_TROUBLE = 2,
};

static const char HELP[] =
    "Usage: shmring-bench compare [OPTION]... A.json B.json\n"
    "Compares two files of --json, A the older one: what has become faster or slower, case by "
    "case\n"
    "and class by class, and what could be chance.\n"
    "\n"
    "  -n, --noise AA.json    a second run of what A is a run of: a change that is no larger than\n"
    "                         theirs, in this cell or in half of all, is noise\n"
    "  -f, --fail-over P%     exit 1 if anything became worse by more than that\n"
    "  -j, --json             JSON (schema shmring.compare/1) instead of the table\n"
    "  -h, --help             this text\n"
    "\n"
    "Exit status: 0 done, 1 worse by more than --fail-over, 2 usage, or a file that is none of "
    "ours.\n";

struct options {
    const char *noise;
    double fail_over;
    bool json;
};

static _Noreturn void usage(const char *what)
{
    fprintf(stderr, "shmring-bench compare: %s\nTry 'shmring-bench compare --help'.\n", what);
    exit(EXIT_TROUBLE);
}

/* "5%" or "5". */
static double read_percent(const char *text)
{
    char *end;
    double percent = strtod(text, &end);

    if (end == text || (strcmp(end, "") != 0 && strcmp(end, "%") != 0) || !isfinite(percent) ||
        percent < 0)
        usage("--fail-over takes a percentage from 0 on, as in 5%");
    return percent / 100;
}

static struct options read_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"noise", required_argument, NULL, 'n'},
        {"fail-over", required_argument, NULL, 'f'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.fail_over = (double)INFINITY};
    int option;

    while ((option = getopt_long(argc, argv, "n:f:jh", known, NULL)) != -1) {
        switch (option) {
        case 'n':
            options.noise = optarg;
            break;
        case 'f':
            options.fail_over = read_percent(optarg);
            break;
        case 'j':
            options.json = true;
            break;
        case 'h':
            fputs(HELP, stdout);
            exit(EXIT_SUCCESS);
        default:
            usage("an option that it does not have");
        }
    }
    if (argc - optind != 2)
        usage("takes two files");
    return options;
}

static int tell(const struct comparisons *all, const struct options *options)
{
    int status = EXIT_SUCCESS;

    if (!options->json)
        comparisons_print(all, stdout);
    else if (comparisons_write(all, stdout) != 0)
        status = EXIT_TROUBLE;
    if (fflush(stdout) != 0)
        status = EXIT_TROUBLE;
    for (size_t i = 0; i < all->count && status == EXIT_SUCCESS; i++)
        if (comparison_loss(&all->list[i]) > options->fail_over)
            status = EXIT_WORSE;
    return status;
}

int compare_main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    struct results a = {0}, b = {0}, noise = {0};
    struct comparisons all;
    int status = EXIT_TROUBLE;

    if (results_load(&a, argv[optind]) == 0 && results_load(&b, argv[optind + 1]) == 0 &&
        (options.noise == NULL || results_load(&noise, options.noise) == 0)) {
        if (compare_results(&all, &a, &b, options.noise != NULL ? &noise : NULL) == 0) {
            status = tell(&all, &options);
            comparisons_free(&all);
        } else {
            fprintf(stderr, "shmring-bench: no memory\n");
        }
    }
    results_free(&a);
    results_free(&b);
    results_free(&noise);
    return status;
}

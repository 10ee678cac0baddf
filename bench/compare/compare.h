/* SPDX-License-Identifier: MIT */
/* shmring-bench compare: two files of results, cell by cell. A cell is a case in one class. */
#ifndef BENCH_COMPARE_COMPARE_H
#define BENCH_COMPARE_COMPARE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* All texts lie in the document. */
struct cell {
    const char *id;
    const char *class;
    bool less_is_better; /* times, not rates */
    double *samples;
    size_t count;
    double median;
};

struct results {
    const char *path;
    json_t *document;
    struct cell *cells; /* sorted, none twice, none of class mixed */
    size_t count;
};

/* Tells on stderr what is wrong with the file, and returns -errno; else 0. */
int results_load(struct results *ret_results, const char *path);
void results_free(struct results *results);

/* NULL if there is none. */
const struct cell *results_find(const struct results *results, const struct cell *wanted);

enum verdict {
    VERDICT_SAME, /* nothing that could not be chance or noise */
    VERDICT_BETTER,
    VERDICT_WORSE,
};

struct comparison {
    const struct cell *a, *b;
    double change; /* of the median, over that of a: 0.05 is 5 % more */
    double chance; /* of that by chance, before correction and after it */
    double corrected;
    double noise; /* a change that the same program shows too */
    enum verdict verdict;
};

struct comparisons {
    const struct results *a, *b, *noise; /* noise may be NULL */
    struct comparison *list;
    size_t count;
    size_t only_a, only_b; /* cells without a partner */
    size_t too_few;        /* cells that no difference could show in */
    double gain;           /* geometric mean: B is so many times as fast as A */
};

/* noise: a second run of what a is a run of, or NULL. Returns 0 or -ENOMEM. */
int compare_results(struct comparisons *ret_all, const struct results *a, const struct results *b,
                    const struct results *noise);
void comparisons_free(struct comparisons *all);

/* By how much it is worse: 0.05 is 5 %; 0 if it is not. */
double comparison_loss(const struct comparison *comparison);

void comparisons_print(const struct comparisons *all, FILE *file);

/* Returns 0 or -errno. */
int comparisons_write(const struct comparisons *all, FILE *file);

/* The command: arguments from its name on. Returns the exit status. */
int compare_main(int argc, char **argv);

#endif

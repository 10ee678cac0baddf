/* SPDX-License-Identifier: MIT */
/* At most 100 columns. */
#include "compare.h"

#include "report/figures.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum {
    ID_WIDTH = 39,
};

static const char *const verdicts[] = {
    [VERDICT_SAME] = "~", [VERDICT_BETTER] = "better", [VERDICT_WORSE] = "worse"};

static const char *value_text(const struct cell *cell, char *text, size_t text_size)
{
    char number[16];

    if (cell->less_is_better)
        return time_text(cell->median, text, text_size);
    if (cell->median < 1e3)
        snprintf(text, text_size, "%.0f/s", cell->median);
    else
        snprintf(text, text_size, "%sM/s", three_digits(cell->median / 1e6, number, sizeof number));
    return text;
}

static const char *const marks[] = {
    [VERDICT_SAME] = "", [VERDICT_BETTER] = " better", [VERDICT_WORSE] = " WORSE"};

/* Those that differ tell how much; of the others it would be noise. */
static void print_cell(const struct comparison *at, FILE *file)
{
    char a[24], b[24], change[16] = "~", counts[24];

    if (at->verdict != VERDICT_SAME)
        snprintf(change, sizeof change, "%+.1f%%", at->change * 100);
    snprintf(counts, sizeof counts, "%zu+%zu", at->a->count, at->b->count);
    if (strlen(at->a->id) > ID_WIDTH)
        fprintf(file, "%s\n%*s", at->a->id, (int)ID_WIDTH, "");
    else
        fprintf(file, "%-*s", (int)ID_WIDTH, at->a->id);
    fprintf(file, " %-9s %8s %8s %8s %6.3f %9s%s\n", at->a->class, value_text(at->a, a, sizeof a),
            value_text(at->b, b, sizeof b), change, at->corrected, counts, marks[at->verdict]);
}

/* Is the text at this place of both documents the same? Says so if not. */
static void warn_if_differs(const struct comparisons *all, const char *section, const char *name,
                            FILE *file)
{
    json_t *a = json_object_get(json_object_get(all->a->document, section), name);
    json_t *b = json_object_get(json_object_get(all->b->document, section), name);

    if (a != b && !json_equal(a, b))
        fprintf(file, "Warning: %s.%s is not the same in both\n", section, name);
}

static void print_warnings(const struct comparisons *all, FILE *file)
{
    static const char *const same[][2] = {
        {"host", "cpu"},
        {"host", "kernel"},
        {"tool", "compiler"},
        {"tool", "optimized"},
        {"tool", "sanitized"},
        {"settings", "seconds"},
        {"settings", "same_core"},
        {"settings", "class_limits_ns"},
        {"settings", "transports"},
    };

    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        warn_if_differs(all, same[i][0], same[i][1], file);
    if (all->only_a + all->only_b != 0)
        fprintf(file, "Warning: not compared: %zu cells that are only in A, %zu only in B\n",
                all->only_a, all->only_b);
    if (all->too_few != 0)
        fprintf(file,
                "Warning: %zu of %zu cells have too few samples for any difference to show: use a "
                "larger\n         --repeat, or fewer cases\n",
                all->too_few, all->count);
    if (all->noise == NULL)
        fprintf(file, "Warning: no noise floor: a second run of A, with --noise, gives one\n");
}

void comparisons_print(const struct comparisons *all, FILE *file)
{
    size_t better = 0, worse = 0;

    fprintf(file, "A %s\nB %s\n\n%-*s %-9s %8s %8s %8s %6s %9s\n", all->a->path, all->b->path,
            (int)ID_WIDTH, "median of the samples", "class", "A", "B", "change", "p", "n");
    for (size_t i = 0; i < all->count; i++) {
        print_cell(&all->list[i], file);
        better += all->list[i].verdict == VERDICT_BETTER;
        worse += all->list[i].verdict == VERDICT_WORSE;
    }
    fprintf(file,
            "\n%zu cells: %zu better, %zu worse, %zu ~ (could be chance, p > 0.05 by "
            "Mann-Whitney and Holm,\nor noise). All together B is %.3f times as fast as A.\n",
            all->count, better, worse, all->count - better - worse, all->gain);
    print_warnings(all, file);
}

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *make_cell(const struct comparison *at)
{
    return json_pack("{s:s, s:s, s:[i,i], s:[f,f], s:o, s:f, s:f, s:o, s:s}", "id", at->a->id,
                     "class", at->a->class, "n", (int)at->a->count, (int)at->b->count, "medians",
                     at->a->median, at->b->median, "change", real_or_null(at->change), "p",
                     at->chance, "p_holm", at->corrected, "noise", real_or_null(at->noise),
                     "verdict", verdicts[at->verdict]);
}

int comparisons_write(const struct comparisons *all, FILE *file)
{
    json_t *cells = json_array(), *document;
    int error = 0;

    for (size_t i = 0; i < all->count; i++)
        json_array_append_new(cells, make_cell(&all->list[i]));
    document =
        json_pack("{s:s, s:f, s:i, s:i, s:o}", "schema", "shmring.compare/1", "gain", all->gain,
                  "only_a", (int)all->only_a, "only_b", (int)all->only_b, "cells", cells);
    if (document == NULL)
        return -ENOMEM;
    if (json_dumpf(document, file, JSON_INDENT(2)) != 0 || fputc('\n', file) == EOF)
        error = -EIO;
    json_decref(document);
    return error;
}

/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include "cases.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    SAMPLES_MAX = 100000, /* of one cell */
};

static int refuse(const struct results *results, const char *what, const char *id)
{
    fprintf(stderr, "shmring-bench: %s: %s%s%s\n", results->path, what, id[0] != '\0' ? ": " : "",
            id);
    return -EINVAL;
}

static int by_key(const void *left, const void *right)
{
    const struct cell *a = left, *b = right;
    int order = strcmp(a->id, b->id);

    return order != 0 ? order : strcmp(a->class, b->class);
}

/* Sorts the samples as well. */
static int read_samples(const struct results *results, struct cell *cell, json_t *samples)
{
    size_t i;
    json_t *value;

    cell->count = json_array_size(samples);
    if (cell->count == 0 || cell->count > SAMPLES_MAX)
        return refuse(results, "no samples, or too many", cell->id);
    cell->samples = calloc(cell->count, sizeof *cell->samples);
    if (cell->samples == NULL)
        return -ENOMEM;
    json_array_foreach(samples, i, value)
    {
        if (!json_is_number(value) || json_number_value(value) < 0)
            return refuse(results, "a sample is no number from 0 on", cell->id);
        cell->samples[i] = json_number_value(value);
    }
    cell->median = median(cell->samples, cell->count);
    return 0;
}

/* Has it come to a cell? Not if the processors moved. */
static int read_cell(struct results *results, json_t *result)
{
    struct cell *cell = &results->cells[results->count];
    const char *unit;
    json_t *samples;

    if (json_unpack(result, "{s:s, s:s, s:s, s:o}", "id", &cell->id, "class", &cell->class, "unit",
                    &unit, "samples", &samples) != 0)
        return refuse(results, "a result lacks id, class, unit or samples", "");
    cell->less_is_better = strcmp(unit, "ns") == 0;
    if (!cell->less_is_better && strcmp(unit, "msg/s") != 0)
        return refuse(results, "an unknown unit", cell->id);
    if (strcmp(cell->class, place_name(PLACE_MIXED)) == 0)
        return 0;
    results->count++;
    return read_samples(results, cell, samples);
}

static int read_cells(struct results *results)
{
    json_t *list = json_object_get(results->document, "results");
    const char *schema = json_string_value(json_object_get(results->document, "schema"));
    int error = 0;

    if (schema == NULL || strcmp(schema, "shmring.bench/1") != 0)
        return refuse(results, "is not of schema shmring.bench/1", "");
    results->cells = calloc(json_array_size(list) + 1, sizeof *results->cells);
    if (results->cells == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < json_array_size(list) && error == 0; i++)
        error = read_cell(results, json_array_get(list, i));
    if (error != 0)
        return error;
    qsort(results->cells, results->count, sizeof *results->cells, by_key);
    for (size_t i = 1; i < results->count; i++)
        if (by_key(&results->cells[i - 1], &results->cells[i]) == 0)
            return refuse(results, "twice in one class", results->cells[i].id);
    return 0;
}

int results_load(struct results *ret_results, const char *path)
{
    struct results results = {.path = path};
    json_error_t problem;
    int error;

    results.document = json_load_file(path, JSON_REJECT_DUPLICATES, &problem);
    if (results.document == NULL) {
        fprintf(stderr, "shmring-bench: %s, line %d: %s\n", path, problem.line, problem.text);
        return -EINVAL;
    }
    error = read_cells(&results);
    if (error != 0)
        results_free(&results);
    *ret_results = results;
    return error;
}

void results_free(struct results *results)
{
    /* The last one may have failed to get samples. */
    for (size_t i = 0; i < results->count; i++)
        free(results->cells[i].samples);
    free(results->cells);
    json_decref(results->document);
    *results = (struct results){0};
}

const struct cell *results_find(const struct results *results, const struct cell *wanted)
{
    return bsearch(wanted, results->cells, results->count, sizeof *wanted, by_key);
}

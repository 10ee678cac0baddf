/* SPDX-License-Identifier: MIT */
/* Latencies of messages at set times: a table for each load, size and policy. At most 100 columns.
 */
#include "figures.h"
#include "report.h"

enum {
    NAME_WIDTH = 16,
    CELL_WIDTH = 13,
    COLUMNS = 6,
};

static const struct {
    const char *name;
    double share;
} columns[COLUMNS] = {{"p50", 0.5},     {"p90", 0.9},       {"p99", 0.99},
                      {"p99.9", 0.999}, {"p99.99", 0.9999}, {"max", 1}};

/* Cases that stand in one table. */
static bool same_table(const struct bench_case *left, const struct bench_case *right)
{
    return left->workload == right->workload && left->shape.rate == right->shape.rate &&
           left->shape.burst == right->shape.burst &&
           left->shape.every_us == right->shape.every_us && left->shape.size == right->shape.size &&
           left->shape.policy == right->shape.policy;
}

static uint64_t time_of(const struct bench_case *bench_case, enum place place, size_t column)
{
    const struct histogram *times = bench_case->results[place].times;

    return columns[column].share < 1 ? histogram_quantile(times, columns[column].share)
                                     : times->max;
}

/* The table of the first case and all after it. */
struct table {
    const struct bench_case *first, *end;
    enum place place;
    unsigned min_count, max_count; /* samples per row */
    unsigned rows;
    uint64_t best[COLUMNS];
};

static bool has_row(const struct table *table, const struct bench_case *at)
{
    return same_table(table->first, at) && at->results[table->place].count != 0;
}

static void fill_table(struct table *table)
{
    unsigned counts[PLACE_COUNT] = {0};

    for (const struct bench_case *at = table->first; at < table->end; at++)
        for (int place = 0; same_table(table->first, at) && place < PLACE_COUNT; place++)
            counts[place] += at->results[place].count;
    table->place = figure_place(counts);
    for (const struct bench_case *at = table->first; at < table->end; at++) {
        unsigned count = at->results[table->place].count;

        if (!has_row(table, at))
            continue;
        if (table->rows == 0 || count < table->min_count)
            table->min_count = count;
        table->max_count = count > table->max_count ? count : table->max_count;
        for (size_t column = 0; column < COLUMNS; column++) {
            uint64_t ns = time_of(at, table->place, column);

            if (table->rows == 0 || ns < table->best[column])
                table->best[column] = ns;
        }
        table->rows++;
    }
}

static void print_head(const struct table *table, FILE *file)
{
    const struct shape *shape = &table->first->shape;
    char size[16];

    if (table->first->workload == WORKLOAD_OPEN)
        fprintf(file, "\nOpen loop, %u messages/s", shape->rate);
    else
        fprintf(file, "\nBurst, %u messages every %u us", shape->burst, shape->every_us);
    fprintf(file, ", %s, %s: latency from the intended time, ns\n",
            size_text(shape->size, size, sizeof size), policy_name(shape->policy));
    fprintf(file, "class %s, n = %u to %u, * best of its column\n%-*s", place_name(table->place),
            table->min_count, table->max_count, (int)NAME_WIDTH, "");
    for (size_t column = 0; column < COLUMNS; column++)
        fprintf(file, "%*s ", (int)CELL_WIDTH - 1, columns[column].name);
    fputc('\n', file);
}

static void print_row(const struct table *table, const struct bench_case *row, FILE *file)
{
    char name[48];

    snprintf(name, sizeof name, "%s%s", case_transport(row),
             row->transport->members == MEMBERS_THREADS ? "/thr" : "");
    fprintf(file, "%-*s", (int)NAME_WIDTH, name);
    for (size_t column = 0; column < COLUMNS; column++) {
        uint64_t ns = time_of(row, table->place, column);
        char text[40];

        fprintf(file, "%*s%c", (int)CELL_WIDTH - 1, time_text((double)ns, text, sizeof text),
                table->rows > 1 && ns == table->best[column] ? '*' : ' ');
    }
    fputc('\n', file);
}

void report_timed(const struct report *report, FILE *file)
{
    const struct bench_case *list = report->cases->list, *end = list + report->cases->count;

    for (const struct bench_case *first = list; first < end; first++) {
        struct table table = {.first = first, .end = end};
        const struct bench_case *known = list;

        while (known < first && !same_table(known, first))
            known++;
        if (!case_is_timed(first) || known < first)
            continue;
        fill_table(&table);
        if (table.rows == 0)
            continue;
        print_head(&table, file);
        for (const struct bench_case *at = first; at < end; at++)
            if (has_row(&table, at))
                print_row(&table, at, file);
    }
}

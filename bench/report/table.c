/* SPDX-License-Identifier: MIT */
/* At most 100 columns. */
#include "figures.h"
#include "report.h"

#include <string.h>

enum {
    NAME_WIDTH = 16,
    CELL_WIDTH = 14,
    FLOOR_WIDTH = 26,
    COLUMNS_MAX = 6, /* side by side: the rest of a table is below it */
    ROWS_MAX = 64,
};

/* One table: all cases of one workload and one policy, in the class that has most of its samples.
 */
struct table {
    const struct report *report;
    bool costs; /* what they cost; else what they achieved */
    enum workload workload;
    enum policy policy;
    enum place place;
    unsigned min_count, max_count;           /* samples per cell */
    const struct bench_case *rows[ROWS_MAX]; /* the first case of each */
    size_t row_count;
    const struct bench_case *best[BENCH_SIZES]; /* of each column; NULL: nothing to compare */
    unsigned columns[BENCH_SIZES];              /* cases in it */
    size_t from, to;                            /* columns that are printed */
};

/* "612 39.2": million messages and gigabytes per second; "190 461": p50 and p99.9. */
static const char *figures(const struct bench_case *bench_case, const struct result *result,
                           bool costs, char *text, size_t text_size)
{
    char first[16], second[16];

    if (costs)
        return cost_text(result, text, text_size);
    if (case_is_dialogue(bench_case)) {
        double p50 = (double)histogram_quantile(result->times, 0.5);
        double p999 = (double)histogram_quantile(result->times, 0.999);

        time_text(p50, first, sizeof first);
        time_text(p999, second, sizeof second);
    } else {
        double rate = figure_middle(result);

        three_digits(rate / 1e6, first, sizeof first);
        three_digits(rate * bench_case->shape.size / 1e9, second, sizeof second);
    }
    snprintf(text, text_size, "%s %s", first, second);
    return text;
}

/* Has a floor been measured in that class? */
static bool has_floor(const struct report *report, enum place place)
{
    for (size_t i = 0; i < report->cases->count; i++)
        if (report->cases->list[i].is_floor && report->cases->list[i].results[place].count != 0)
            return true;
    return false;
}

static void print_floor(const struct report *report, const struct bench_case *floor, bool costs,
                        FILE *file)
{
    fprintf(file, "%-*s", (int)FLOOR_WIDTH, floor->id);
    for (enum place place = 0; place < PLACE_MIXED; place++) {
        const struct result *result = &floor->results[place];
        char text[40], cell[56] = "-";

        if (!has_floor(report, place))
            continue;
        if (result->count != 0)
            snprintf(cell, sizeof cell, "%s (n=%u)",
                     figures(floor, result, costs, text, sizeof text), result->count);
        fprintf(file, "%22s", cell);
    }
    fputc('\n', file);
}

static void print_floors(const struct report *report, bool costs, FILE *file)
{
    bool head = false;

    for (size_t i = 0; i < report->cases->count; i++) {
        const struct bench_case *floor = &report->cases->list[i];

        if (!floor->is_floor)
            continue;
        if (!head) {
            fprintf(file, "\n%s\n%-*s",
                    costs ? "Floors, cost: ns of processors and context switches, per message "
                            "(pingpong: per round trip)"
                          : "Floors: what nothing can beat. pingpong: p50 and p99.9 in ns; "
                            "others: million/s and GB/s",
                    (int)FLOOR_WIDTH, "");
            for (enum place place = 0; place < PLACE_MIXED; place++)
                if (has_floor(report, place))
                    fprintf(file, "%22s", place_name(place));
            fputc('\n', file);
            head = true;
        }
        print_floor(report, floor, costs, file);
    }
}

static bool belongs(const struct table *table, const struct bench_case *bench_case)
{
    return !bench_case->is_floor && !case_is_crowd(bench_case) &&
           bench_case->workload == table->workload && bench_case->shape.policy == table->policy;
}

static bool same_row(const struct bench_case *left, const struct bench_case *right)
{
    return left->transport == right->transport && left->shape.batch == right->shape.batch;
}

static size_t column_of(const struct bench_case *bench_case)
{
    size_t column = 0;

    while (column < BENCH_SIZES - 1 && bench_sizes[column] != bench_case->shape.size)
        column++;
    return column;
}

static void add_row(struct table *table, const struct bench_case *bench_case)
{
    for (size_t i = 0; i < table->row_count; i++)
        if (same_row(table->rows[i], bench_case))
            return;
    if (table->row_count < ROWS_MAX)
        table->rows[table->row_count++] = bench_case;
}

/* Is a better than b? */
static bool better(const struct table *table, const struct bench_case *a,
                   const struct bench_case *b)
{
    double left = figure_middle(&a->results[table->place]);
    double right = figure_middle(&b->results[table->place]);

    return case_is_dialogue(a) ? left < right : left > right;
}

/* Rows, class, best of each column. */
static void fill_table(struct table *table)
{
    const struct cases *cases = table->report->cases;
    unsigned counts[PLACE_COUNT] = {0};
    unsigned in_column[BENCH_SIZES] = {0};

    for (size_t i = 0; i < cases->count; i++)
        if (belongs(table, &cases->list[i])) {
            add_row(table, &cases->list[i]);
            table->columns[column_of(&cases->list[i])]++;
            for (int place = 0; place < PLACE_COUNT; place++)
                counts[place] += cases->list[i].results[place].count;
        }
    table->place = figure_place(counts);
    for (size_t i = 0; i < cases->count; i++) {
        const struct bench_case *at = &cases->list[i];
        unsigned count = at->results[table->place].count;
        size_t column = column_of(at);

        if (!belongs(table, at) || count == 0)
            continue;
        table->min_count =
            table->max_count == 0 || count < table->min_count ? count : table->min_count;
        table->max_count = count > table->max_count ? count : table->max_count;
        in_column[column]++;
        if (table->best[column] == NULL || better(table, at, table->best[column]))
            table->best[column] = at;
    }
    for (size_t column = 0; column < BENCH_SIZES; column++)
        if (in_column[column] < 2)
            table->best[column] = NULL;
}

static void print_cell(const struct table *table, const struct bench_case *row, size_t column,
                       FILE *file)
{
    const struct cases *cases = table->report->cases;

    for (size_t i = 0; i < cases->count; i++) {
        const struct bench_case *at = &cases->list[i];
        const struct result *result = &at->results[table->place];
        char text[40];

        if (!belongs(table, at) || !same_row(at, row) || column_of(at) != column ||
            result->count == 0)
            continue;
        fprintf(file, "%*s%c", CELL_WIDTH - 1, figures(at, result, table->costs, text, sizeof text),
                table->best[column] == at && !table->costs ? '*' : ' ');
        return;
    }
    fprintf(file, "%*s ", CELL_WIDTH - 1, "-");
}

static void print_sizes(const struct table *table, FILE *file)
{
    for (size_t column = table->from; column < table->to; column++) {
        char text[16];

        if (table->columns[column] != 0)
            fprintf(file, "%*s ", CELL_WIDTH - 1,
                    size_text(bench_sizes[column], text, sizeof text));
    }
    fputc('\n', file);
}

static void print_head(const struct table *table, FILE *file)
{
    bool is_stream = table->workload == WORKLOAD_STREAM;
    const char *name = is_stream ? "Stream" : "Ping-pong", *policy = policy_name(table->policy);

    if (table->costs)
        fprintf(file,
                "\n%s, %s, cost: ns of processors and context switches of both sides, per %s\n",
                name, policy, is_stream ? "message" : "round trip");
    else
        fprintf(file, "\n%s, %s: %s\n", name, policy,
                is_stream ? "million messages/s and GB/s"
                          : "p50 and p99.9 of the round trip, ns where no unit is given");
    fprintf(file, "class %s, n = %u to %u%s\n", place_name(table->place), table->min_count,
            table->max_count, table->costs ? "" : ", * best of its column");
}

static void print_row(const struct table *table, const struct bench_case *row, FILE *file)
{
    char name[48], batch[16] = "";

    if (row->shape.batch != 1)
        snprintf(batch, sizeof batch, "/b%u", row->shape.batch);
    snprintf(name, sizeof name, "%s%s%s", case_transport(row), batch,
             row->transport->members == MEMBERS_THREADS ? "/thr" : "");
    fprintf(file, "%-*s", (int)NAME_WIDTH, name);
    for (size_t column = table->from; column < table->to; column++)
        if (table->columns[column] != 0)
            print_cell(table, row, column, file);
    fputc('\n', file);
}

/* The next columns, as many of those that are used. */
static void print_columns(struct table *table, size_t count, FILE *file)
{
    table->from = table->to;
    for (; count != 0 && table->to < BENCH_SIZES; table->to++)
        count -= table->columns[table->to] != 0;
    fprintf(file, "%-*s", (int)NAME_WIDTH, "");
    print_sizes(table, file);
    for (size_t row = 0; row < table->row_count; row++)
        print_row(table, table->rows[row], file);
}

static void print_table(const struct report *report, enum workload workload, enum policy policy,
                        bool costs, FILE *file)
{
    struct table table = {.report = report, .costs = costs, .workload = workload, .policy = policy};

    fill_table(&table);
    if (table.row_count == 0)
        return;
    size_t used = 0;

    for (size_t column = 0; column < BENCH_SIZES; column++)
        used += table.columns[column] != 0;
    print_head(&table, file);
    size_t parts = (used + COLUMNS_MAX - 1) / COLUMNS_MAX;

    for (size_t part = 0; part < parts; part++)
        print_columns(&table, (used + parts - 1) / parts, file);
}

/* The largest share that one case has lost, if any has. */
static void print_losses(const struct cases *cases, const struct transport *transport, FILE *file)
{
    const struct bench_case *worst = NULL;
    double share = 0;

    for (size_t i = 0; i < cases->count; i++)
        for (int place = 0; place < PLACE_COUNT && cases->list[i].transport == transport; place++)
            for (unsigned n = 0; n < cases->list[i].results[place].count; n++)
                if (cases->list[i].results[place].costs[n].lost > share) {
                    share = cases->list[i].results[place].costs[n].lost;
                    worst = &cases->list[i];
                }
    if (worst != NULL)
        fprintf(file, "  %s: lost up to %.3g %% of what was sent (%s)\n", transport->name,
                share * 100, worst->id);
}

static void print_notes(const struct report *report, FILE *file)
{
    const struct cases *cases = report->cases;

    fprintf(file,
            "\nNotes\n"
            "  One message per publication, or N with /bN. Rings hold %d MiB, in mpmc and solo %d "
            "messages.\n"
            "  - nothing there: not possible (below), not chosen, or no sample in that "
            "class.\n",
            (int)BENCH_RING_BYTES >> 20, (int)BENCH_CROWD_SLOTS);
    for (const struct transport *const *at = transports; *at != NULL; at++)
        for (size_t i = 0; i < cases->count; i++)
            if (!cases->list[i].is_floor && cases->list[i].transport == *at) {
                fprintf(file, "  %s: %s\n", (*at)->name, (*at)->note);
                print_losses(cases, *at, file);
                break;
            }
    for (size_t i = 0; i < cases->skipped_count; i++)
        fprintf(file, "  %s: %s\n", cases->skipped[i].what, cases->skipped[i].reason);
    for (size_t i = 0; i < report->warning_count; i++)
        fprintf(file, "  Warning: %s\n", report->warnings[i]);
    for (size_t i = 0; i < report->failure_count && i < FAILURES_MAX; i++)
        fprintf(file, "  Failed: %s: %s\n", report->failures[i].id, report->failures[i].reason);
}

void report_table(const struct report *report, FILE *file)
{
    const struct host *host = &report->host;

    fprintf(file, "%s, %s%s, processors %d and %d\n", host->cpu[0] != '\0' ? host->cpu : "?",
            host->kernel, host->hypervisor ? ", virtual machine" : "", report->cpus[0],
            report->cpus[1]);
    fprintf(file, "%u x %g s per case in %.0f s; samples per class:", report->repeat,
            report->seconds, report->took_s);
    for (enum place place = 0; place < PLACE_COUNT; place++)
        if (report->places[place] != 0 || (place != PLACE_SAME_CORE && report->host.cpus > 1))
            fprintf(file, " %s %u", place_name(place), report->places[place]);
    fprintf(file, "\n");
    print_floors(report, false, file);
    print_floors(report, true, file);
    for (enum policy policy = POLICY_SPIN; policy < POLICY_COUNT; policy++) {
        print_table(report, WORKLOAD_STREAM, policy, false, file);
        print_table(report, WORKLOAD_STREAM, policy, true, file);
        print_table(report, WORKLOAD_PINGPONG, policy, false, file);
        print_table(report, WORKLOAD_PINGPONG, policy, true, file);
    }
    report_timed(report, file);
    report_crowd(report, file);
    print_notes(report, file);
}

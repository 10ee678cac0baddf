/* SPDX-License-Identifier: MIT */
/* The tables of crowds: mpmc and fans by how many members, solo by size. At most 100 columns. */
#include "crowd/crowd.h"
#include "figures.h"
#include "report.h"

#include <string.h>

enum {
    NAME_WIDTH = 23,
    CELL_WIDTH = 19,
    COLUMNS_MAX = 4,
    ROWS_MAX = 128,
};

/* What a cell tells of its samples, and what the table is headed with. */
struct view {
    const char *title;
    enum workload workload;
    enum policy policy;
    bool less_is_better;
    bool has_no_best;
    const char *(*cell)(const struct result *result, char *text, size_t text_size);
};

struct table {
    const struct report *report;
    const struct view *view;
    uint32_t size; /* 0: a column for each */
    enum place place;
    unsigned min_count, max_count; /* samples per cell */
    const struct bench_case *rows[ROWS_MAX];
    size_t row_count;
    const struct bench_case *best[COLUMNS_MAX];
    unsigned columns[COLUMNS_MAX]; /* cases in it, with or without samples */
};

/* The median of one of the figures. */
static double middle(const struct result *result, size_t offset)
{
    double values[1024];
    size_t count = 0;

    for (unsigned i = 0; i < result->count && count < sizeof values / sizeof values[0]; i++)
        memcpy(&values[count++], (const char *)&result->crowd[i] + offset, sizeof values[0]);
    return median(values, count);
}

/* "12.3 4.1ms 0.98": million/s, longest gap of all samples, fairness to those of a role. */
static const char *fair_cell(const struct result *result, enum role role, char *text,
                             size_t text_size)
{
    size_t share = role == ROLE_CONSUMER ? offsetof(struct crowd_figures, fairness[ROLE_CONSUMER])
                                         : offsetof(struct crowd_figures, fairness[ROLE_PRODUCER]);
    double gap_ns = 0, fairness = middle(result, share);
    char rate[16], gap[16];

    for (unsigned i = 0; i < result->count; i++)
        if (result->crowd[i].gap_ns > gap_ns)
            gap_ns = result->crowd[i].gap_ns;
    /* Some all but stand still where members share processors. */
    if (figure_middle(result) < 1000)
        snprintf(rate, sizeof rate, "%.0f/s", figure_middle(result));
    else
        three_digits(figure_middle(result) / 1e6, rate, sizeof rate);
    snprintf(text, text_size, "%s %s %.2f", rate, time_text(gap_ns, gap, sizeof gap), fairness);
    return text;
}

static const char *rate_cell(const struct result *result, char *text, size_t text_size)
{
    return fair_cell(result, ROLE_CONSUMER, text, text_size);
}

static const char *fan_in_cell(const struct result *result, char *text, size_t text_size)
{
    return fair_cell(result, ROLE_PRODUCER, text, text_size);
}

/* "31 4": failed tries of producers and consumers, in percent. */
static const char *tries_cell(const struct result *result, char *text, size_t text_size)
{
    snprintf(text, text_size, "%.0f %.0f",
             100 * middle(result, offsetof(struct crowd_figures, failed_tries[ROLE_PRODUCER])),
             100 * middle(result, offsetof(struct crowd_figures, failed_tries[ROLE_CONSUMER])));
    return text;
}

static const char *solo_cell(const struct result *result, char *text, size_t text_size)
{
    return three_digits(figure_middle(result), text, text_size);
}

static bool belongs(const struct table *table, const struct bench_case *bench_case)
{
    return bench_case->workload == table->view->workload &&
           bench_case->shape.policy == table->view->policy &&
           (table->size == 0 || bench_case->shape.size == table->size);
}

static bool same_row(const struct bench_case *left, const struct bench_case *right)
{
    return left->transport == right->transport && left->shape.batch == right->shape.batch &&
           left->shape.processes == right->shape.processes;
}

static size_t column_of(const struct table *table, const struct bench_case *bench_case)
{
    uint32_t value = table->size == 0 ? bench_case->shape.size : fan_many(&bench_case->shape);
    const uint32_t *values = table->size == 0 ? crowd_sizes : crowd_sides;
    size_t column = 0;

    while (values[column] != value && values[column + 1] != 0)
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

static bool better(const struct table *table, const struct bench_case *a,
                   const struct bench_case *b)
{
    double left = figure_middle(&a->results[table->place]);
    double right = figure_middle(&b->results[table->place]);

    return table->view->less_is_better ? left < right : left > right;
}

/* A cell that has samples: counts them, and is it the best of its column so far? */
static void look_at_cell(struct table *table, const struct bench_case *at)
{
    unsigned count = at->results[table->place].count;
    size_t column = column_of(table, at);

    table->min_count = table->max_count == 0 || count < table->min_count ? count : table->min_count;
    table->max_count = count > table->max_count ? count : table->max_count;
    if (table->best[column] == NULL || better(table, at, table->best[column]))
        table->best[column] = at;
}

static void fill_table(struct table *table)
{
    const struct cases *cases = table->report->cases;
    unsigned counts[PLACE_COUNT] = {0};

    for (size_t i = 0; i < cases->count; i++)
        if (belongs(table, &cases->list[i])) {
            add_row(table, &cases->list[i]);
            table->columns[column_of(table, &cases->list[i])]++;
            for (int place = 0; place < PLACE_COUNT; place++)
                counts[place] += cases->list[i].results[place].count;
        }
    table->place = figure_place(counts);
    for (size_t i = 0; i < cases->count; i++)
        if (belongs(table, &cases->list[i]) && cases->list[i].results[table->place].count != 0)
            look_at_cell(table, &cases->list[i]);
}

static void print_head(const struct table *table, FILE *file)
{
    char text[16];

    fprintf(file, "\n%s", table->view->title);
    if (table->size != 0)
        fprintf(file, "; messages of %s", size_text(table->size, text, sizeof text));
    fprintf(file, "\nclass %s, n = %u to %u, * best of its column\n%-*s", place_name(table->place),
            table->min_count, table->max_count, (int)NAME_WIDTH, "");
    for (size_t column = 0; column < COLUMNS_MAX; column++) {
        if (table->columns[column] == 0)
            continue;
        if (table->size == 0)
            size_text(crowd_sizes[column], text, sizeof text);
        else
            snprintf(text, sizeof text, "%up%uc",
                     table->view->workload == WORKLOAD_FAN_OUT ? 1 : crowd_sides[column],
                     table->view->workload == WORKLOAD_FAN_IN ? 1 : crowd_sides[column]);
        fprintf(file, "%*s ", CELL_WIDTH - 1, text);
    }
    fputc('\n', file);
}

static void print_cell(const struct table *table, const struct bench_case *row, size_t column,
                       FILE *file)
{
    const struct cases *cases = table->report->cases;

    for (size_t i = 0; i < cases->count; i++) {
        const struct bench_case *at = &cases->list[i];
        const struct result *result = &at->results[table->place];
        bool is_best = table->best[column] == at && table->columns[column] > 1;
        char text[64];

        if (!belongs(table, at) || !same_row(at, row) || column_of(table, at) != column ||
            result->count == 0)
            continue;
        fprintf(file, "%*s%c", CELL_WIDTH - 1, table->view->cell(result, text, sizeof text),
                is_best && !table->view->has_no_best ? '*' : ' ');
        return;
    }
    fprintf(file, "%*s ", CELL_WIDTH - 1, "-");
}

static void print_table(const struct report *report, const struct view *view, uint32_t size,
                        FILE *file)
{
    struct table table = {.report = report, .view = view, .size = size};

    fill_table(&table);
    if (table.row_count == 0)
        return;
    print_head(&table, file);
    for (size_t row = 0; row < table.row_count; row++) {
        const struct shape *shape = &table.rows[row]->shape;
        char name[64], batch[16] = "";

        if (shape->batch != 1)
            snprintf(batch, sizeof batch, "/b%u", shape->batch);
        snprintf(name, sizeof name, "%s%s%s", case_transport(table.rows[row]), batch,
                 shape->processes && !case_is_fan(table.rows[row]) ? "/proc" : "");
        fprintf(file, "%-*s", (int)NAME_WIDTH, name);
        for (size_t column = 0; column < COLUMNS_MAX; column++)
            if (table.columns[column] != 0)
                print_cell(&table, table.rows[row], column, file);
        fputc('\n', file);
    }
}

static void report_fans(const struct report *report, enum policy policy, uint32_t size, FILE *file)
{
    static const struct {
        const char *name, *fairness;
        enum workload workload;
        const char *(*cell)(const struct result *result, char *text, size_t text_size);
    } fans[] = {{"Fan-in", "producers", WORKLOAD_FAN_IN, fan_in_cell},
                {"Fan-out", "consumers", WORKLOAD_FAN_OUT, rate_cell}};

    for (size_t i = 0; i < sizeof fans / sizeof fans[0]; i++) {
        char title[96], cost_title[96];
        struct view view = {
            .title = title, .workload = fans[i].workload, .policy = policy, .cell = fans[i].cell};
        struct view cost = {.title = cost_title,
                            .workload = fans[i].workload,
                            .policy = policy,
                            .has_no_best = true,
                            .cell = cost_text};

        snprintf(title, sizeof title,
                 "%s, %s: million/s, longest time without a take, fairness to %s", fans[i].name,
                 policy_name(policy), fans[i].fairness);
        snprintf(cost_title, sizeof cost_title,
                 "%s, %s, cost per message: ns of processors and context switches", fans[i].name,
                 policy_name(policy));
        print_table(report, &view, size, file);
        print_table(report, &cost, size, file);
    }
}

void report_crowd(const struct report *report, FILE *file)
{
    static const struct view rates = {
        "Many to many (mpmc): million/s, longest time without a take, fairness", WORKLOAD_MPMC,
        .cell = rate_cell};
    static const struct view tries = {
        "Many to many (mpmc): failed tries of producers and of consumers, %", WORKLOAD_MPMC,
        .has_no_best = true, .cell = tries_cell};
    static const struct view costs = {
        "Many to many (mpmc), cost per message: ns of processors and context switches",
        WORKLOAD_MPMC, .has_no_best = true, .cell = cost_text};
    static const struct view solo = {"One thread sends and takes (solo): ns per message",
                                     WORKLOAD_SOLO, .less_is_better = true, .cell = solo_cell};
    static const struct view solo_costs = {
        "One thread (solo), cost per message: ns of its processor and context switches",
        WORKLOAD_SOLO, .has_no_best = true, .cell = cost_text};

    print_table(report, &solo, 0, file);
    print_table(report, &solo_costs, 0, file);
    for (const uint32_t *size = crowd_sizes; *size != 0; size++) {
        print_table(report, &rates, *size, file);
        print_table(report, &tries, *size, file);
        print_table(report, &costs, *size, file);
    }
    for (enum policy policy = POLICY_SPIN; policy < POLICY_COUNT; policy++)
        for (const uint32_t *size = fan_sizes; *size != 0; size++)
            report_fans(report, policy, *size, file);
}

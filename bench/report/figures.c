/* SPDX-License-Identifier: MIT */
#include "figures.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *three_digits(double value, char *text, size_t text_size)
{
    int decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;

    snprintf(text, text_size, "%.*f", decimals, value);
    return text;
}

const char *time_text(double ns, char *text, size_t text_size)
{
    char number[12];

    if (ns < 1e4)
        snprintf(text, text_size, "%.0f", ns);
    else if (ns < 999500)
        snprintf(text, text_size, "%sus", three_digits(ns / 1e3, number, sizeof number));
    else
        snprintf(text, text_size, "%sms", three_digits(ns / 1e6, number, sizeof number));
    return text;
}

double figure_middle(const struct result *result)
{
    double *sorted = calloc(result->count + 1, sizeof *sorted), middle = 0;

    if (sorted != NULL && result->count != 0) {
        memcpy(sorted, result->samples, result->count * sizeof *sorted);
        middle = median(sorted, result->count);
    }
    free(sorted);
    return middle;
}

/* The median of one of the figures of struct cost. */
static double middle_cost(const struct result *result, size_t offset)
{
    double *sorted = calloc(result->count + 1, sizeof *sorted), middle = 0;

    for (unsigned i = 0; sorted != NULL && i < result->count; i++)
        memcpy(&sorted[i], (const char *)&result->costs[i] + offset, sizeof sorted[i]);
    if (sorted != NULL)
        middle = median(sorted, result->count);
    free(sorted);
    return middle;
}

const char *cost_text(const struct result *result, char *text, size_t text_size)
{
    double ns = middle_cost(result, offsetof(struct cost, cpu_ns));
    double switches = middle_cost(result, offsetof(struct cost, switches));
    char first[16], second[16];

    if (ns < 100)
        three_digits(ns, first, sizeof first);
    else
        time_text(ns, first, sizeof first);
    snprintf(text, text_size, "%s %s", first, three_digits(switches, second, sizeof second));
    return text;
}

enum place figure_place(const unsigned *counts)
{
    enum place most = PLACE_MIXED;

    for (enum place place = 0; place < PLACE_MIXED; place++)
        if (counts[place] != 0 && (most == PLACE_MIXED || counts[place] > counts[most]))
            most = place;
    return most;
}

/* SPDX-License-Identifier: MIT */
#include "rank.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum {
    EXACT_MAX = 100,
};

/* Of both samples together. Ranks are doubled, so that those of ties are whole numbers too. */
struct ranked {
    double value;
    uint64_t rank;
    bool is_a;
};

static int by_value(const void *left, const void *right)
{
    double a = ((const struct ranked *)left)->value, b = ((const struct ranked *)right)->value;

    return (a > b) - (a < b);
}

/* Returns the sum of t^3 - t over all groups of t ties. */
static double give_ranks(struct ranked *all, size_t count)
{
    double ties = 0;

    qsort(all, count, sizeof *all, by_value);
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && all[end].value <= all[first].value; end++)
            ;
        for (size_t i = first; i < end; i++)
            all[i].rank = first + 1 + end;
        double group = (double)(end - first);

        ties += group * group * group - group;
    }
    return ties;
}

/* How many choices of a_count ranks out of all have which sum? ways[chosen * sums + sum]. */
static void count_ways(const struct ranked *all, size_t count, size_t a_count, double *ways,
                       size_t sums)
{
    ways[0] = 1;
    for (size_t i = 0; i < count; i++)
        for (size_t chosen = i < a_count ? i + 1 : a_count; chosen > 0; chosen--)
            for (size_t sum = all[i].rank; sum < sums; sum++)
                ways[chosen * sums + sum] += ways[(chosen - 1) * sums + sum - all[i].rank];
}

static double exact_chance(const struct ranked *all, size_t count, size_t a_count, uint64_t a_sum)
{
    size_t sums = count * (count + 1) + 1;
    double *ways = calloc((a_count + 1) * sums, sizeof *ways), below = 0, above = 0, total = 0;

    if (ways == NULL)
        return -1;
    count_ways(all, count, a_count, ways, sums);
    for (size_t sum = 0; sum < sums; sum++) {
        double here = ways[a_count * sums + sum];

        total += here;
        below += sum <= a_sum ? here : 0;
        above += sum >= a_sum ? here : 0;
    }
    free(ways);
    return fmin(1, 2 * fmin(below, above) / total);
}

static double normal_chance(double a_count, double b_count, double a_sum, double ties)
{
    double count = a_count + b_count;
    double mean = a_count * (count + 1) / 2;
    double variance = a_count * b_count / 12 * (count + 1 - ties / (count * (count - 1)));
    double distance = fmax(0, fabs(a_sum - mean) - 0.5);

    return variance > 0 ? erfc(distance / sqrt(2 * variance)) : 1;
}

double rank_test(const double *a, size_t a_count, const double *b, size_t b_count)
{
    size_t count = a_count + b_count;
    struct ranked *all = calloc(count + 1, sizeof *all);
    uint64_t a_sum = 0;
    double chance;

    if (all == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        all[i] = (struct ranked){.value = i < a_count ? a[i] : b[i - a_count], .is_a = i < a_count};
    double ties = give_ranks(all, count);

    for (size_t i = 0; i < count; i++)
        a_sum += all[i].is_a ? all[i].rank : 0;
    if (a_count == 0 || b_count == 0)
        chance = 1;
    else if (count <= EXACT_MAX)
        chance = exact_chance(all, count, a_count, a_sum);
    else
        chance = normal_chance((double)a_count, (double)b_count, (double)a_sum / 2, ties);
    free(all);
    return chance;
}

double rank_test_least(size_t a_count, size_t b_count)
{
    double choices = 1; /* of a_count out of all: two of them are the farthest apart */

    for (size_t i = 1; i <= a_count; i++)
        choices *= (double)(b_count + i) / (double)i;
    return fmin(1, 2 / choices);
}

static int by_chance(const void *left, const void *right)
{
    double a = **(double *const *)left, b = **(double *const *)right;

    return (a > b) - (a < b);
}

int rank_correct(double *chances, size_t count)
{
    double **sorted = calloc(count + 1, sizeof *sorted), before = 0;

    if (sorted == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &chances[i];
    qsort(sorted, count, sizeof *sorted, by_chance);
    for (size_t i = 0; i < count; i++) {
        before = fmax(before, fmin(1, *sorted[i] * (double)(count - i)));
        *sorted[i] = before;
    }
    free(sorted);
    return 0;
}

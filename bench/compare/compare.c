/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include "cases.h"
#include "rank.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static const double CHANCE_MAX = 0.05;

static double change_of(const struct cell *a, const struct cell *b)
{
    if (a->median > 0)
        return b->median / a->median - 1;
    return b->median > 0 ? (double)INFINITY : 0;
}

/* What two runs of the same program differ by in one cell; below 0: not known. */
static double own_noise(const struct results *noise, const struct cell *a)
{
    const struct cell *again = noise != NULL ? results_find(noise, a) : NULL;

    return again != NULL ? fabs(change_of(a, again)) : -1;
}

/* In one cell two runs may agree by luck: so it is at least what is usual among all cells. */
static int find_noise(struct comparisons *all)
{
    double *known = calloc(all->count + 1, sizeof *known), usual;
    size_t count = 0;

    if (known == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < all->count; i++) {
        all->list[i].noise = own_noise(all->noise, all->list[i].a);
        if (all->list[i].noise >= 0)
            known[count++] = all->list[i].noise;
    }
    usual = median(known, count);
    for (size_t i = 0; i < all->count; i++)
        all->list[i].noise = fmax(all->list[i].noise, usual);
    free(known);
    return 0;
}

static int find_chances(struct comparisons *all)
{
    double *chances = calloc(all->count + 1, sizeof *chances);
    int error;

    if (chances == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < all->count; i++) {
        struct comparison *at = &all->list[i];

        at->chance = rank_test(at->a->samples, at->a->count, at->b->samples, at->b->count);
        if (at->chance < 0) {
            free(chances);
            return -ENOMEM;
        }
        chances[i] = at->chance;
    }
    error = rank_correct(chances, all->count);
    for (size_t i = 0; i < all->count; i++)
        all->list[i].corrected = chances[i];
    free(chances);
    return error;
}

static void judge(struct comparisons *all)
{
    double gains = 0;
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++) {
        struct comparison *at = &all->list[i];
        double ratio = 1 + at->change;

        if (at->corrected <= CHANCE_MAX && fabs(at->change) > at->noise)
            at->verdict =
                (at->change < 0) == at->a->less_is_better ? VERDICT_BETTER : VERDICT_WORSE;
        all->too_few +=
            rank_test_least(at->a->count, at->b->count) * (double)all->count > CHANCE_MAX;
        if (ratio > 0 && isfinite(ratio)) {
            gains += log(ratio) * (at->a->less_is_better ? -1 : 1);
            count++;
        }
    }
    all->gain = count != 0 ? exp(gains / (double)count) : 1;
}

int compare_results(struct comparisons *ret_all, const struct results *a, const struct results *b,
                    const struct results *noise)
{
    struct comparisons all = {.a = a, .b = b, .noise = noise};
    int error;

    all.list = calloc(a->count + 1, sizeof *all.list);
    if (all.list == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < a->count; i++) {
        const struct cell *other = results_find(b, &a->cells[i]);

        if (other != NULL && other->less_is_better == a->cells[i].less_is_better)
            all.list[all.count++] = (struct comparison){
                .a = &a->cells[i], .b = other, .change = change_of(&a->cells[i], other)};
    }
    all.only_a = a->count - all.count;
    all.only_b = b->count - all.count;
    error = find_noise(&all);
    if (error == 0)
        error = find_chances(&all);
    if (error != 0) {
        comparisons_free(&all);
        return error;
    }
    judge(&all);
    *ret_all = all;
    return 0;
}

void comparisons_free(struct comparisons *all)
{
    free(all->list);
    all->list = NULL;
}

double comparison_loss(const struct comparison *comparison)
{
    return comparison->verdict == VERDICT_WORSE ? fabs(comparison->change) : 0;
}

/* SPDX-License-Identifier: MIT */
#include "visited.h"

#include "explore.h"

#include <stdlib.h>

enum {
    FIRST_SIZE = 1 << 16,
};

static uint64_t *set;
static size_t count, size;

static bool insert(uint64_t *into, size_t into_size, uint64_t hash)
{
    size_t i = hash & (into_size - 1);

    while (into[i] != 0 && into[i] != hash)
        i = (i + 1) & (into_size - 1);
    bool is_new = into[i] == 0;

    into[i] = hash;
    return is_new;
}

static void grow(void)
{
    size_t larger_size = size == 0 ? FIRST_SIZE : 2 * size;
    uint64_t *larger = calloc(larger_size, sizeof *larger);

    if (larger == NULL)
        explore_fail("no memory for %zu states", larger_size);
    for (size_t i = 0; i < size; i++)
        if (set[i] != 0)
            insert(larger, larger_size, set[i]);
    free(set);
    set = larger;
    size = larger_size;
}

bool visited_add(uint64_t hash)
{
    if (count * 10 >= size * 7)
        grow();
    bool is_new = insert(set, size, hash);

    count += is_new;
    return is_new;
}

size_t visited_count(void)
{
    return count;
}

/* SPDX-License-Identifier: MIT */
#include "image.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEEPS_MAX = 96 };

static struct {
    char *memory;
    size_t size;
} keeps[KEEPS_MAX];
static size_t keep_count, kept;
static char images[IMAGE_LEVELS][IMAGE_SIZE_MAX];

static void (*hook)(void);
static int player = EXPLORE_NOBODY;
static uint64_t first_seed, state;

void image_begin(uint64_t seed, void (*step)(void))
{
    keep_count = kept = 0;
    player = EXPLORE_NOBODY;
    first_seed = state = seed;
    hook = step;
}

uint32_t image_random(uint32_t below)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) >> 32) % below;
}

void image_save(int level)
{
    char *to = images[level];

    for (size_t i = 0; i < keep_count; to += keeps[i].size, i++)
        memcpy(to, keeps[i].memory, keeps[i].size);
}

void image_restore(int level)
{
    const char *from = images[level];

    for (size_t i = 0; i < keep_count; from += keeps[i].size, i++)
        memcpy(keeps[i].memory, from, keeps[i].size);
}

int image_play(int seat)
{
    int before = player;

    player = seat;
    return before;
}

void explore_keep(enum explore_kind kind, void *memory, size_t size)
{
    (void)kind;
    if (keep_count == KEEPS_MAX || (kept += size) > IMAGE_SIZE_MAX)
        explore_fail("more is kept than there is room for");
    keeps[keep_count].memory = memory;
    keeps[keep_count++].size = size;
}

void explore_point(const char *verb, const void *where)
{
    (void)verb;
    (void)where;
    hook();
}

void explore_saw(const void *where, uint64_t value)
{
    (void)where;
    (void)value;
}

void explore_forget(uint64_t digest)
{
    (void)digest;
}

int explore_me(void)
{
    return player;
}

uint64_t explore_mix(uint64_t hash, uint64_t value)
{
    return hash ^ value;
}

void explore_fail(const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "seed %#llx: ", (unsigned long long)first_seed);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

/* SPDX-License-Identifier: MIT */
/*
 * Crash images: the memory of a ring as it is between two verbs of the library, copied, so that all
 * that comes after a crash can be tried there, and undone.
 *
 * image.c stands in for model/explore.c, under the same ring, members and specification: in place
 * of every order of the steps, one, and a hook before each of them.
 */
#ifndef SHMRING_TESTS_CRASH_IMAGE_H
#define SHMRING_TESTS_CRASH_IMAGE_H

#include "../model/explore.h"

enum {
    IMAGE_LEVELS = 2, /* of the crash of what comes after a crash, too */
    IMAGE_SIZE_MAX = 1 << 17,
};

/* Forgets what was kept, and calls that before each step from now on. */
void image_begin(uint64_t seed, void (*step)(void));

void image_save(int level);
void image_restore(int level);

/* Sets who explore_me() is; returns who it was. */
int image_play(int seat);

/* splitmix64, of the seed; below that. */
uint32_t image_random(uint32_t below);

#endif

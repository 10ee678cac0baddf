/* SPDX-License-Identifier: MIT */
#ifndef SHMRING_TESTS_MODEL_VISITED_H
#define SHMRING_TESTS_MODEL_VISITED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set of hashes, none of which is 0. True if this one is new. */
bool visited_add(uint64_t hash);
size_t visited_count(void);

#endif

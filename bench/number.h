/* SPDX-License-Identifier: MIT */
/* Numbers that users give. */
#ifndef BENCH_NUMBER_H
#define BENCH_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Digits only, 1 to max; text ends where the number does. */
bool number_read(const char **text, unsigned long max, uint32_t *ret_number);

#endif

/* SPDX-License-Identifier: MIT */
/* Not built: what tests/analyse/run has each analyser find before it is believed to look. */
#include "shmring/shmring.h"

int wrong(bool is_missing);

int wrong(bool is_missing)
{
    int value = 1, *place = is_missing ? NULL : &value;

    return *place;
}

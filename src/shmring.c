/* SPDX-License-Identifier: MIT */
#include "shmring/shmring.h"

const char *shmring_version(void)
{
    return SHMRING_VERSION_STRING;
}

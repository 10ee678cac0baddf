/* SPDX-License-Identifier: MIT */
#include "limit.h"

#include <stdio.h>

long system_limit(const char *path)
{
    FILE *file = fopen(path, "re");
    long value = -1, next;

    if (file == NULL)
        return -1;
    while (fscanf(file, "%ld", &next) == 1)
        value = next;
    fclose(file);
    return value;
}

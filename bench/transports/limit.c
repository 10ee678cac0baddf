/* SPDX-License-Identifier: MIT */
#include "limit.h"

#include <stdio.h>
#include <stdlib.h>

long system_limit(const char *path)
{
    FILE *file = fopen(path, "re");
    long value = -1;
    char line[32];

    if (file == NULL)
        return -1;
    if (fgets(line, sizeof line, file) != NULL)
        value = strtol(line, NULL, 10);
    fclose(file);
    return value;
}

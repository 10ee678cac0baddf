/* SPDX-License-Identifier: MIT */
#include "number.h"

#include <errno.h>
#include <stdlib.h>

bool number_read(const char **text, unsigned long max, uint32_t *ret_number)
{
    char *end;

    if (**text < '0' || **text > '9')
        return false;
    errno = 0;
    unsigned long number = strtoul(*text, &end, 10);

    if (errno != 0 || number == 0 || number > max)
        return false;
    *text = end;
    *ret_number = (uint32_t)number;
    return true;
}

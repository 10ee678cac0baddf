/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <string.h>

int options_read(void *ret_own, size_t own_size, const void *options)
{
    size_t size = 0;

    memset(ret_own, 0, own_size);
    if (options != NULL)
        memcpy(&size, options, sizeof size);
    for (size_t i = own_size; i < size; i++)
        if (((const unsigned char *)options)[i] != 0)
            return -EINVAL;
    if (size != 0)
        memcpy(ret_own, options, size < own_size ? size : own_size);
    memcpy(ret_own, &own_size, sizeof own_size);
    return 0;
}

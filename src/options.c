/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_any_set(const unsigned char *bytes, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (bytes[i] != 0)
            return true;
    return false;
}

int options_read(void *ret_own, size_t own_size, const void *options)
{
    size_t size = 0;

    memset(ret_own, 0, own_size);
    if (options != NULL)
        memcpy(&size, options, sizeof size);
    /* A struct without its size is as long as the first version, which is ours. */
    if (options != NULL &&
        is_any_set(options, size == 0 ? sizeof size : own_size, size == 0 ? own_size : size))
        return -EINVAL;
    if (size != 0)
        memcpy(ret_own, options, size < own_size ? size : own_size);
    memcpy(ret_own, &own_size, sizeof own_size);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Options that begin with their size, so that they may grow. Private to the library. */
#ifndef SHMRING_OPTIONS_H
#define SHMRING_OPTIONS_H

#include <stddef.h>

/*
 * Fills our own struct of own_size bytes, whose first member is its size, from the caller's, which
 * may come from an older or a newer header. NULL, or a size of 0: the defaults, all zero. -EINVAL:
 * something that we do not know is set. (That nothing is set without the size is for the caller to
 * see, member by member: what lies between members may be anything.)
 */
int options_read(void *ret_own, size_t own_size, const void *options);

#endif

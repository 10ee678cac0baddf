/* SPDX-License-Identifier: MIT */
#ifndef BENCH_TRANSPORTS_LIMIT_H
#define BENCH_TRANSPORTS_LIMIT_H

/* The number in a file of /proc/sys, or the last of several, which is the largest; or -1. */
long system_limit(const char *path);

#endif

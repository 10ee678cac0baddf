/* SPDX-License-Identifier: MIT */
/* All loops that a transport instantiates for its struct ops. */
#ifndef BENCH_WORKLOADS_LOOPS_H
#define BENCH_WORKLOADS_LOOPS_H

#include "pingpong_loop.h"
#include "stream_loop.h"

#endif

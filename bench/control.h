/* SPDX-License-Identifier: MIT */
/* What the processes of a sample share besides the channels. */
#ifndef BENCH_CONTROL_H
#define BENCH_CONTROL_H

#include "deadline.h"
#include "floors/floors.h"
#include "probe.h"

struct control {
    struct probe probes[2];
    struct floor_line lines[2];
    shmring_word32 over; /* of struct run */
    shmring_word64 start;
    struct deadline_members members;
    struct run first;  /* of the side that produces, or asks, if that is not the benchmark itself */
    struct run second; /* of the other side */
    uint32_t probe_ns[2];
    bool corrupt;
    char reason[160];
};

extern struct control *the_control;

#endif

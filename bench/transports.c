/* SPDX-License-Identifier: MIT */
#include "transport.h"

const struct transport *const transports[] = {
    &transport_line_stream, &transport_ring_spsc, &transport_ring_array,
#ifdef SHMRING_BENCH_CK
    &transport_ck_ring,
#endif
#ifdef SHMRING_BENCH_BOOST
    &transport_boost_spsc,
#endif
    &transport_pipe,        &transport_fifo,      &transport_posix_mq,   NULL,
};

const struct missing_transport missing_transports[] = {
#ifndef SHMRING_BENCH_CK
    {"ck_ring", "not built in: no Concurrency Kit (libck-dev)"},
#endif
#ifndef SHMRING_BENCH_BOOST
    {"boost_spsc", "not built in: no C++ Boost >= 1.74 (libboost-dev)"},
#endif
    {NULL, NULL},
};

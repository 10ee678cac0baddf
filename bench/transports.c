/* SPDX-License-Identifier: MIT */
#include "transport.h"

/* clang-format off */
const struct transport *const transports[] = {
    &transport_line_stream,
    &transport_floor_futex,
    &transport_floor_eventfd,
    &transport_ring_spsc,
    &transport_ring_spsc_wake,
    &transport_ring_spsc_wsym,
    &transport_ring_array,
    &transport_channel,
    &transport_channel_sym,
    &transport_channel_eventfd,
    &transport_channel_sem,
    &transport_channel_nsem,
    &transport_channel_sysv,
    &transport_link,
    &transport_queue,
    &transport_queue_sym,
    &transport_ring_mpmc,
    &transport_vyukov,
    &transport_pipe,
    &transport_fifo,
    &transport_posix_mq,
    &transport_sysv_msg,
    &transport_shm_sem,
    &transport_shm_named_sem,
    &transport_sysv_shm,
    &transport_pshared_mutex,
    &transport_eventfd,
    &transport_unix_stream,
    &transport_unix_dgram,
    &transport_unix_seqpacket,
    &transport_tcp,
    &transport_udp,
    &transport_raw,
#ifdef SHMRING_BENCH_CK
    &transport_ck_ring,
    &transport_ck_mpmc,
#endif
#ifdef SHMRING_BENCH_BOOST
    &transport_boost_spsc,
    &transport_boost_queue,
    &transport_boost_mq,
#endif
#ifdef SHMRING_BENCH_DPDK
    &transport_rte_ring,
    &transport_rte_ring_rts,
    &transport_rte_ring_hts,
#endif
#ifdef SHMRING_BENCH_MOODYCAMEL
    &transport_moodycamel,
    &transport_moodycamel_tok,
#endif
#ifdef SHMRING_BENCH_URCU
    &transport_urcu_wfcq,
    &transport_urcu_lfq,
#endif
    NULL,
};
/* clang-format on */

const struct missing_transport missing_transports[] = {
#ifndef SHMRING_BENCH_CK
    {"ck_ring, ck_mpmc", "not built in: no Concurrency Kit (libck-dev)"},
#endif
#ifndef SHMRING_BENCH_BOOST
    {"boost_spsc, boost_queue, boost_mq", "not built in: no C++ Boost >= 1.74 (libboost-dev)"},
#endif
#ifndef SHMRING_BENCH_DPDK
    {"rte_ring", "not built in: no DPDK (libdpdk-dev)"},
#endif
#ifndef SHMRING_BENCH_MOODYCAMEL
    {"moodycamel", "not built in: no C++ concurrentqueue.h (libconcurrentqueue-dev)"},
#endif
#ifndef SHMRING_BENCH_URCU
    {"urcu", "not built in: no userspace RCU (liburcu-dev)"},
#endif
    {NULL, NULL},
};

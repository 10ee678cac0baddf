/* SPDX-License-Identifier: MIT */
#include "transport.h"

extern const struct transport transport_rte_spsc, transport_rte_spsc_zc, transport_rwqueue,
    transport_qb_rb, transport_iceoryx, transport_zmq_ipc, transport_zmq_inproc, transport_nng_ipc,
    transport_nng_inproc;

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
    &transport_rte_spsc,
    &transport_rte_spsc_zc,
    &transport_rte_ring,
    &transport_rte_ring_rts,
    &transport_rte_ring_hts,
#endif
#ifdef SHMRING_BENCH_READERWRITER
    &transport_rwqueue,
#endif
#ifdef SHMRING_BENCH_MOODYCAMEL
    &transport_moodycamel,
    &transport_moodycamel_tok,
#endif
#ifdef SHMRING_BENCH_URCU
    &transport_urcu_wfcq,
    &transport_urcu_lfq,
#endif
#ifdef SHMRING_BENCH_QB
    &transport_qb_rb,
#endif
#ifdef SHMRING_BENCH_ICEORYX
    &transport_iceoryx,
#endif
#ifdef SHMRING_BENCH_ZMQ
    &transport_zmq_ipc,
    &transport_zmq_inproc,
#endif
#ifdef SHMRING_BENCH_NNG
    &transport_nng_ipc,
    &transport_nng_inproc,
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
    {"rte_spsc, rte_ring", "not built in: no DPDK (libdpdk-dev)"},
#endif
#ifndef SHMRING_BENCH_READERWRITER
    {"rwqueue", "not built in: no C++ readerwriterqueue.h (libreaderwriterqueue-dev)"},
#endif
#ifndef SHMRING_BENCH_MOODYCAMEL
    {"moodycamel", "not built in: no C++ concurrentqueue.h (libconcurrentqueue-dev)"},
#endif
#ifndef SHMRING_BENCH_URCU
    {"urcu", "not built in: no userspace RCU (liburcu-dev)"},
#endif
#ifndef SHMRING_BENCH_QB
    {"qb_rb", "not built in: no libqb (libqb-dev)"},
#endif
#ifndef SHMRING_BENCH_ICEORYX
    {"iceoryx", "not built in: no iceoryx 2 (libiceoryx-posh-dev, iceoryx)"},
#endif
#ifndef SHMRING_BENCH_ZMQ
    {"zmq_ipc, zmq_inproc", "not built in: no ZeroMQ (libzmq3-dev)"},
#endif
#ifndef SHMRING_BENCH_NNG
    {"nng_ipc, nng_inproc", "not built in: no nng (libnng-dev)"},
#endif
    {NULL, NULL},
};

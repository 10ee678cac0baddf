/* SPDX-License-Identifier: MIT */
/*
 * A transport: one way to bring messages of one size from one process to another. One file each,
 * in transports/ (ours and the kernel's) or peers/ (other libraries), which ends in one struct
 * transport; transports.c lists them. README.md says how to add one.
 */
#ifndef BENCH_TRANSPORT_H
#define BENCH_TRANSPORT_H

#include "bench.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The hot path, written once per transport and inlined into every loop (workloads/). size is a
 * constant there. Functions that return nothing to work with (NULL, false) would have to wait;
 * the loop then spins as all do, or calls sleep if there is one.
 */
struct ops {
    /* A place for the next message: in the transport where it can, else a buffer. */
    void *(*reserve)(void *side, uint32_t size);
    /* The message in the place is complete. */
    void (*stage)(void *side, uint32_t size);
    /* Sends all that is staged. */
    bool (*publish)(void *side, uint32_t size);
    /* The next message. */
    const void *(*next)(void *side, uint32_t size);
    /* The message was read. */
    void (*done)(void *side, uint32_t size);
    /* Sleeps until publish, reserve or next may succeed, or does in the kernel what they could not:
     * policy block, where they do not block by themselves, and adaptive. */
    void (*sleep)(void *side, uint32_t size);
    /* Adaptive: spins before it sleeps, and looks at the clock every so many tries in vain. */
    uint32_t tries_per_look;
    /* What was sent may never arrive. next never blocks for longer than BENCH_LOSS_NS. */
    bool loses;
};

struct crowd_member;

/* The loops of workloads/ around one struct ops: what is run. */
struct loops {
    void (*produce)(void *side, struct run *run);
    void (*consume)(void *side, struct run *run);
    void (*ping)(void *out, void *in, struct run *run);
    void (*pong)(void *in, void *out, struct run *run);
    void (*send_timed)(void *side, struct run *run);
    void (*receive_timed)(void *side, struct run *run);
    void (*fan_send)(void *const *sides, struct crowd_member *self);
    void (*fan_take)(void *const *sides, struct crowd_member *self);
};

/* Fan-in and fan-out: how many meet one. */
enum fan {
    FAN_NONE,
    FAN_OUT,    /* out only, a channel for each: next waits, and so sees one channel only */
    FAN_RINGS,  /* a channel for each; in only if the one spins, as nobody sleeps for several */
    FAN_SHARED, /* in: one channel, into which many send; out: a channel for each */
};

/* The loops of workloads/crowd_loop.h around one struct ops. */
struct crowd_loops {
    void (*produce)(void *side, struct crowd_member *self);
    void (*consume)(void *side, struct crowd_member *self);
    void (*solo)(void *out, void *in, struct crowd_member *self);
};

/* What a transport for many producers and consumers has besides (crowd/crowd.h). Its open makes
 * the channel, of BENCH_CROWD_SLOTS messages if it is bounded. */
struct crowd_kind {
    const struct crowd_loops *loops;
    const char *threads_only; /* why it cannot join processes, or NULL */
    bool fifo;                /* a consumer gets the messages of one producer in order */
    /* In the member, thread or process: its side of the channel, or NULL and errno; and its end,
     * once all members have come to theirs. */
    void *(*join)(void *channel, enum role role);
    void (*leave)(void *side, enum role role);
    /* Consumer, with batches: has it messages that it took and did not give out? May be NULL. */
    bool (*holds)(const void *side);
};

/* Where the two sides of a stream or a dialogue run. */
enum members {
    MEMBERS_HERE,    /* one is the benchmark itself, the other one its child */
    MEMBERS_APART,   /* two children: for a library that has threads, or must not be left at any
                      * point of a call, as the benchmark leaves what takes too long */
    MEMBERS_THREADS, /* of one child, which opens the channel: it cannot join processes */
};

struct transport {
    const char *name;
    const char *note; /* what a reader of the figures must know */
    bool is_floor; /* id "floor/NAME/4MiB", or "floor/pingpong/NAME" if it blocks; 64 bytes only */
    const struct loops *const *loops; /* by enum policy; NULL: cannot wait like this */
    enum members members;
    uint32_t batches[4]; /* besides 1; ends with 0 */
    bool is_variant;     /* of another one, to compare: some sizes only */
    bool is_brief;       /* --quick: 64 bytes only, sleeping if it can */
    enum fan fan;
    const struct crowd_kind *crowd; /* NULL: for one producer and one consumer */

    /* Not of a crowd: why this shape is impossible here, or NULL. May be NULL. */
    const char *(*refuse)(const struct shape *shape);
    /* Before fork: makes the channel. Its memory is copied by fork; returns NULL and errno. */
    void *(*open)(const struct shape *shape);
    /* MEMBERS_THREADS: the other side of what open made, as fork would make one; or NULL, errno. */
    void *(*clone)(const void *side);
    /* After fork, in both processes: takes the role. Returns 0 or -errno. May be NULL. */
    int (*attach)(void *side, enum role role);
    /* In the parent, at the end; not of threads, whose process ends. */
    void (*close)(void *side);
    /* The settings that it runs with: one line. */
    void (*settings)(char *ret_text, size_t text_size);
};

/* All of them; ends with NULL. */
extern const struct transport *const transports[];

/* Those that were not built in, and why; ends with a NULL name. */
struct missing_transport {
    const char *name;
    const char *reason;
};
extern const struct missing_transport missing_transports[];

extern const struct transport transport_line_stream, transport_floor_futex, transport_floor_eventfd;
extern const struct transport transport_ring_spsc, transport_ring_spsc_wake,
    transport_ring_spsc_wsym, transport_ring_array, transport_channel, transport_channel_sym,
    transport_channel_eventfd, transport_channel_sem, transport_channel_nsem,
    transport_channel_sysv, transport_link, transport_queue, transport_queue_sym,
    transport_ring_mpmc, transport_vyukov;
extern const struct transport transport_pipe, transport_fifo, transport_posix_mq,
    transport_sysv_msg, transport_shm_sem, transport_shm_named_sem, transport_sysv_shm,
    transport_pshared_mutex, transport_eventfd, transport_unix_stream, transport_unix_dgram,
    transport_unix_seqpacket, transport_tcp, transport_udp, transport_raw;
extern const struct transport transport_ck_ring, transport_ck_mpmc, transport_boost_spsc,
    transport_boost_queue, transport_boost_mq, transport_rte_ring, transport_rte_ring_rts,
    transport_rte_ring_hts, transport_moodycamel, transport_moodycamel_tok, transport_urcu_wfcq,
    transport_urcu_lfq;

#ifdef __cplusplus
}
#endif

#endif

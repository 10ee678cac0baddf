/* SPDX-License-Identifier: MIT */
/* What all parts of the benchmark agree on: what a case is, and what its two processes share. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "counters.h"
#include "shmring/atomic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define BENCH_NORETURN [[noreturn]]
#else
#define BENCH_NORETURN _Noreturn
#endif

#define BENCH_INLINE static inline __attribute__((always_inline))

enum {
    BENCH_RING_BYTES = 4 << 20, /* payload that a ring holds, ours or a peer's */
    BENCH_SIZES = 7,
    BENCH_ID_MAX = 64,
    BENCH_ROUND_TRIPS_MAX = 1 << 20, /* that one sample keeps */
    BENCH_QUEUE_DEPTH = 4096,        /* messages, or fewer, so that they are BENCH_RING_BYTES */
    BENCH_CROWD_SLOTS = 4096,        /* messages that a channel of a crowd holds, if bounded */
    BENCH_CROWD_BATCH_MAX = 16,
    BENCH_CHANNELS_MAX = 8, /* of one case */
};

/* How both processes wait when there is nothing to do. The same for all in one table. */
enum policy {
    POLICY_SPIN,
    POLICY_ADAPTIVE, /* spins for as long as that has paid off of late, then as block */
    POLICY_BLOCK,
    POLICY_COUNT,
};

enum role {
    ROLE_PRODUCER,
    ROLE_CONSUMER,
};

/* What a channel is opened for. */
struct shape {
    uint32_t size;  /* of a message, bytes */
    uint32_t batch; /* messages per publication */
    enum policy policy;
    /* A crowd (crowd/crowd.h), else 0. */
    uint32_t producers;
    uint32_t consumers;
    bool processes;    /* its members; else threads. Of a fan they are */
    uint32_t rate;     /* open: messages per second that are due, else 0 */
    uint32_t burst;    /* burst: messages that are due at once, else 0 */
    uint32_t every_us; /* from one burst to the next */
};

/* Slots of a ring of messages of one size: a power of two. */
static inline uint32_t bench_slots(uint32_t size)
{
    return (uint32_t)BENCH_RING_BYTES / size;
}

/* Messages of one size that a queue holds, where each one costs more than its payload. */
static inline uint32_t bench_depth(uint32_t size)
{
    const uint32_t most = BENCH_QUEUE_DEPTH;

    return bench_slots(size) < most ? bench_slots(size) : most;
}

/* What a thread used: time of its processor, and how often it was taken off it, by a sleep or by
 * the kernel. */
struct usage {
    int64_t cpu_ns;
    int64_t switches;
    struct counts counts;
};
struct usage usage_now(void);

/* From now on, in this process, all its threads together: those of a library too. */
void usage_of_process(void);
struct usage usage_since(const struct usage *begin);
void usage_add(struct usage *to, const struct usage *added);

/* What one process of a sample is told, and what it found. In shared memory. */
struct run {
    uint32_t size;
    uint32_t batch;
    int64_t warm_ns; /* not counted */
    int64_t ns;
    /* A stream: what the consumer counted, by its own clock. */
    uint64_t messages;
    int64_t elapsed_ns;
    /* A dialogue: stamps per round trip, private to the side that asks. */
    uint64_t *ticks;
    size_t round_trips;
    /* Messages at set times: how many at once, and stamps from one such time to the next; how many
     * do not count, and then how many do; when the first is due, set by who sends and shared by
     * both. For each one that came and counts, who receives notes in ticks how long after its time
     * that was. */
    uint64_t burst;
    double interval;
    uint64_t warm_count;
    uint64_t count;
    shmring_word64 *start;
    bool one_cpu; /* both sides run on it */
    /* From the first message to the last, so with the warm-up: what this process used, and, by the
     * side that counts, how many messages or round trips there were. */
    struct usage usage;
    uint64_t handled;
    /* By the side that sends, or asks: how many it sent. More than were handled: some were lost. */
    uint64_t sent;
    /* Where some may be lost, the last one too: set by who got that. Shared by both. */
    shmring_word32 *over;
};

/* Zeroed memory on a multiple of 128 bytes, for free(); or NULL. */
void *bench_alloc(size_t size);

/* Zeroed memory that processes share through fork, all of it there, for munmap(); or NULL and
 * errno. */
void *bench_share(size_t size);

/*
 * Ends the sample from within a worker: in the child the process, in the parent the call that runs
 * it. Printf-like; the text becomes the reason that is reported.
 */
BENCH_NORETURN void sample_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for messages that came out wrong; and for one that is not what was sent. */
BENCH_NORETURN void sample_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
BENCH_NORETURN void sample_corrupt(uint64_t seq);

#ifdef __cplusplus
}
#endif

#endif

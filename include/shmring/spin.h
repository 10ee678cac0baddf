/* SPDX-License-Identifier: MIT */
/*
 * Spinning: how a call passes the time without the kernel, and for how long before it sleeps.
 * Private to a handle; nothing here is shared.
 */
#ifndef SHMRING_SPIN_H
#define SHMRING_SPIN_H

#include "shmring/atomic.h"

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* How a blocking call passes the time. */
enum shmring_wait_policy {
    SHMRING_WAIT_BLOCK = 0,    /* sleeps in the kernel */
    SHMRING_WAIT_SPIN = 1,     /* never sleeps: a core of one's own for the shortest reaction */
    SHMRING_WAIT_ADAPTIVE = 2, /* spins for as long as that has paid off of late, then sleeps */
};

/*
 * Spinning. Zero it; call miss each time that there is nothing to do, hit once there is.
 *
 * A consumer that is faster than its producer polls right behind it, and both then pay for moving
 * the same few lines at every message. It is better to lag: as long as waits are short and bring
 * several messages, and the more the longer their first pause, the next pause is twice as long, up
 * to SHMRING_SPIN_LAG_MAX. So a stream is taken in batches (2 to 5 times the throughput), at the
 * price of a few microseconds. Where messages come one at a time, as in a dialogue, the first pause
 * stays at one instruction, but for a trial every SHMRING_SPIN_TRIAL waits; where always n come
 * together, at some SHMRING_SPIN_PRICE * n.
 */
typedef struct shmring_spin {
    uint64_t done;   /* at the last first miss */
    uint32_t lag;    /* pauses at the next first miss */
    uint32_t misses; /* since the last hit */
    uint32_t waits;  /* that brought one message or none */
    bool soon;       /* the last wait was short */
} shmring_spin;

enum {
    SHMRING_SPIN_LAG_MIN = 4,
    SHMRING_SPIN_LAG_MAX = 256, /* pause instructions: 7 to 12 microseconds on x86 */
    SHMRING_SPIN_TRIAL = 4096,
    SHMRING_SPIN_SOON = 32, /* looks: a wait for one large message of a stream is no longer */
    SHMRING_SPIN_PRICE = 8, /* pauses that one message more is worth */
};

inline void shmring_spin_shrink(shmring_spin *spin)
{
    spin->lag = spin->lag > SHMRING_SPIN_LAG_MIN ? spin->lag / 2 : 0;
}

/* At the first miss of a wait: how long to pause, judged by what the last pause brought. */
inline void shmring_spin_judge(shmring_spin *spin, uint64_t done)
{
    uint64_t brought = done - spin->done;

    spin->done = done;
    if (brought < 2 ? ++spin->waits % SHMRING_SPIN_TRIAL == 0 : spin->lag < SHMRING_SPIN_LAG_MIN)
        spin->lag = SHMRING_SPIN_LAG_MIN;
    else if (brought < 2 || brought * SHMRING_SPIN_PRICE * 2 < spin->lag)
        shmring_spin_shrink(spin);
    else if (spin->soon && brought * SHMRING_SPIN_PRICE >= spin->lag &&
             spin->lag < SHMRING_SPIN_LAG_MAX)
        spin->lag *= 2;
}

/* done: how many messages were handled so far, or any number that grows like that. */
inline void shmring_spin_miss(shmring_spin *spin, uint64_t done)
{
    uint32_t pauses = 1;

    if (spin->misses == 0) {
        shmring_spin_judge(spin, done);
        pauses = spin->lag;
    } else if (spin->misses == SHMRING_SPIN_SOON) {
        shmring_spin_shrink(spin);
    }
    spin->misses++;
    do
        shmring_cpu_pause();
    while (pauses-- > 1);
}

inline void shmring_spin_hit(shmring_spin *spin)
{
    spin->soon = spin->misses <= SHMRING_SPIN_SOON;
    spin->misses = 0;
}

/*
 * How long an adaptive wait spins: twice as long as the waits of late took in all, if that is
 * within SHMRING_SPIN_WINDOW_MAX; waits that took longer than that halve it, down to
 * SHMRING_SPIN_WINDOW_MIN, so that who waits for long soon spins for little. Begin at 0.
 */
enum {
    SHMRING_SPIN_WINDOW_MIN = 2000, /* nanoseconds */
    SHMRING_SPIN_WINDOW_MAX = 100000,
};
inline int64_t shmring_spin_window(int64_t window, int64_t waited)
{
    if (waited > SHMRING_SPIN_WINDOW_MAX)
        window /= 2;
    else if (window < 2 * waited)
        window = 2 * waited;
    else
        window -= (window - 2 * waited) / 8;
    if (window < SHMRING_SPIN_WINDOW_MIN)
        return SHMRING_SPIN_WINDOW_MIN;
    if (window > SHMRING_SPIN_WINDOW_MAX)
        return SHMRING_SPIN_WINDOW_MAX;
    return window;
}

/* What a handle knows of its waits. Zero it and set policy; all else is the library's. */
typedef struct shmring_pace {
    enum shmring_wait_policy policy;
    shmring_spin spin;
    uint64_t done;            /* messages handled */
    int64_t window;           /* adaptive, ns */
    int64_t ask_at;           /* when to ask next whether the other side lives */
    uint32_t polls;           /* in vain, without waiting */
    shmring_word32 cancelled; /* set by any thread, or a signal handler */
} shmring_pace;

/*
 * Rests for a moment where the processor has an instruction for that: TPAUSE on x86; WFE on arm64,
 * until somebody writes to the word that was watched (shmring_cpu_watch()) before it was looked at,
 * or for 100 us at most. Else it pauses. For the second half of a spin: it takes longer to react.
 */
void shmring_cpu_rest(void);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: MIT */
/* POSIX shared memory under a process-shared mutex, and two condition variables: not full, not
 * empty. */
#include "bounded.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct monitor {
    pthread_mutex_t mutex;
    pthread_cond_t is_some[BOUNDED_COUNTS];
    uint32_t counts[BOUNDED_COUNTS];
};

_Static_assert(sizeof(struct monitor) <= sizeof((struct bounded_memory *)0)->guard,
               "the monitor fits into the guard");

struct side {
    struct bounded bounded;
};

BENCH_INLINE struct monitor *monitor_of(struct side *side)
{
    return (struct monitor *)(void *)side->bounded.memory->guard;
}

BENCH_INLINE bool guard_enter(struct side *side, enum bounded_count count, bool waits)
{
    struct monitor *monitor = monitor_of(side);
    int error =
        waits ? pthread_mutex_lock(&monitor->mutex) : pthread_mutex_trylock(&monitor->mutex);

    if (error == EBUSY)
        return false;
    if (error != 0)
        sample_fail("mutex: %s", strerror(error));
    while (monitor->counts[count] == 0) {
        if (!waits) {
            pthread_mutex_unlock(&monitor->mutex);
            return false;
        }
        pthread_cond_wait(&monitor->is_some[count], &monitor->mutex);
    }
    monitor->counts[count]--;
    return true;
}

BENCH_INLINE void guard_leave(struct side *side, enum bounded_count count)
{
    struct monitor *monitor = monitor_of(side);

    monitor->counts[count]++;
    pthread_mutex_unlock(&monitor->mutex);
    pthread_cond_signal(&monitor->is_some[count]);
}

#include "bounded_ops.h"

static void make_monitor(struct monitor *monitor, uint32_t slots)
{
    pthread_mutexattr_t of_mutex;
    pthread_condattr_t of_condition;

    pthread_mutexattr_init(&of_mutex);
    pthread_mutexattr_setpshared(&of_mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&monitor->mutex, &of_mutex);
    pthread_mutexattr_destroy(&of_mutex);
    pthread_condattr_init(&of_condition);
    pthread_condattr_setpshared(&of_condition, PTHREAD_PROCESS_SHARED);
    for (int count = 0; count < BOUNDED_COUNTS; count++)
        pthread_cond_init(&monitor->is_some[count], &of_condition);
    pthread_condattr_destroy(&of_condition);
    monitor->counts[BOUNDED_FREE] = slots;
}

static void *mutex_open(const struct shape *shape)
{
    struct side *side = bounded_open(sizeof *side, shape);

    if (side != NULL)
        make_monitor(monitor_of(side), side->bounded.slots);
    return side;
}

static void mutex_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "%d slots, or fewer so that they hold %d bytes, in POSIX shared memory; written and "
             "read in place, under one default mutex with two conditions, signalled after it is "
             "unlocked; spin: trylock; adaptive: both",
             (int)BENCH_QUEUE_DEPTH, (int)BENCH_RING_BYTES);
}

const struct transport transport_pshared_mutex = {
    .name = "pshared_mutex",
    .note = "POSIX shared memory, a process-shared mutex and two condition variables",
    .is_brief = true,
    .loops = by_policy,
    .open = mutex_open,
    .attach = bounded_attach,
    .close = bounded_close,
    .settings = mutex_settings,
};

/* SPDX-License-Identifier: MIT */
#include "blocking.h"

#include <errno.h>

/* A spinner looks at the clock every so many misses. Who waits in vain asks every so often whether
 * the other side lives; one that only polls (SHMRING_NOW), every so many polls. */
enum {
    MISSES_PER_LOOK = 64,
    MISSES_BEFORE_REST = 32,
    POLLS_PER_ASK = 256,
};
static const int64_t ASK_NS = 10000000;

/* One wait. */
struct wait {
    int64_t deadline;
    int64_t began; /* as far as the clock was looked at; else 0 */
    bool sleeps;
};

void blocking_cancel(shmring_pace *pace)
{
    /* relaxed: who sees that it was woken for this sees it, too; nothing else hangs on it. */
    shmring_store32_relaxed(&pace->cancelled, 1);
}

void blocking_resume(shmring_pace *pace)
{
    /* relaxed: undone by whom it was meant for. */
    shmring_store32_relaxed(&pace->cancelled, 0);
}

bool blocking_is_cancelled(const shmring_pace *pace)
{
    /* relaxed: as above. */
    return shmring_load32_relaxed(&pace->cancelled) != 0;
}

bool blocking_poll_asks(shmring_pace *pace)
{
    return ++pace->polls % POLLS_PER_ASK == 0;
}

void blocking_ask_next(shmring_pace *pace)
{
    pace->polls = POLLS_PER_ASK - 1;
}

bool blocking_is_due(shmring_pace *pace, int64_t now)
{
    if (now < pace->ask_at)
        return false;
    pace->ask_at = now + ASK_NS;
    return true;
}

void blocking_poll_by_clock(shmring_pace *pace)
{
    if (blocking_is_due(pace, shmring_clock()))
        blocking_ask_next(pace);
}

/* A moment without the kernel. Looks at the clock now and then; *ret_ask: it is time to ask for the
 * other side's life, too. An adaptive wait that has taken too long sleeps from now on. */
static int spin_step(struct wait *wait, shmring_pace *pace, const shmring_word64 *watched,
                     bool *ret_ask)
{
    *ret_ask = false;
    if (watched != NULL && pace->policy == SHMRING_WAIT_ADAPTIVE &&
        pace->spin.misses >= MISSES_BEFORE_REST) {
        /* The word was watched before the last attempt: a change since then ends the rest. */
        if (pace->spin.misses > MISSES_BEFORE_REST)
            shmring_cpu_rest();
        pace->spin.misses++;
        shmring_cpu_watch(watched);
    } else {
        shmring_spin_miss(&pace->spin, pace->done);
    }
    if (pace->spin.misses % MISSES_PER_LOOK != 0)
        return 0;
    int64_t now = shmring_clock();

    if (wait->began == 0)
        wait->began = now;
    wait->sleeps = pace->policy == SHMRING_WAIT_ADAPTIVE && now - wait->began >= pace->window;
    /* Not while there is something every few milliseconds: no call of the kernel then. */
    *ret_ask = (now - wait->began >= ASK_NS || now >= wait->deadline) && blocking_is_due(pace, now);
    return now >= wait->deadline ? -ETIMEDOUT : 0;
}

/* It is over: what does the next one learn from that? */
static void learn(const struct wait *wait, shmring_pace *pace)
{
    int64_t waited = wait->began != 0 ? shmring_clock() - wait->began : 0;

    if (pace->policy == SHMRING_WAIT_ADAPTIVE)
        pace->window = shmring_spin_window(pace->window, waited);
}

/* One look, and what to do if it is in vain. */
static int step(struct wait *wait, const struct blocking_call *ops, void *call, shmring_pace *pace,
                const shmring_word64 *watched, bool *ret_done)
{
    bool ask = false;
    int error = ops->error(call), end = 0;

    if (error == 0 && blocking_is_cancelled(pace))
        error = -ECANCELED;
    if (error != 0)
        return error;
    if (wait->deadline <= SHMRING_NOW) {
        error = -ETIMEDOUT;
        ask = blocking_poll_asks(pace);
    } else if (!wait->sleeps) {
        error = spin_step(wait, pace, watched, &ask);
    } else {
        error = ops->sleep(call, wait->deadline, ret_done);
        ask = !*ret_done && blocking_is_due(pace, shmring_clock());
    }
    /* Who sleeps looks for itself, armed. */
    *ret_done = *ret_done || (!wait->sleeps && ops->attempt(call));
    if (!*ret_done && (ask || ops->has_news(call)))
        end = ops->end(call, ret_done);
    return end != 0 ? end : error;
}

int blocking_wait(const struct blocking_call *ops, void *call, shmring_pace *pace,
                  const shmring_word64 *watched, int64_t deadline)
{
    struct wait wait = {.deadline = deadline,
                        .sleeps = deadline > SHMRING_NOW && pace->policy == SHMRING_WAIT_BLOCK};
    bool done = false;
    int error = 0;

    while (!done && error == 0)
        error = step(&wait, ops, call, pace, watched, &done);
    if (done || error == -ETIMEDOUT)
        learn(&wait, pace);
    if (deadline > SHMRING_NOW) /* else it was no wait */
        shmring_spin_hit(&pace->spin);
    return done ? 0 : error;
}

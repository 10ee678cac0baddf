/* SPDX-License-Identifier: MIT */
#include "shmring/event.h"

#include <errno.h>

/* A swap fails because another succeeded. Who breaks the rules can make it fail for ever. */
enum { TRIES = 64 };

int shmring_event_open(shmring_eventcount *ret_events, void *memory,
                       const shmring_geometry *geometry, enum shmring_direction direction,
                       const shmring_bell_place *place)
{
    const shmring_bell_place futex = {.backend = SHMRING_BACKEND_FUTEX};
    struct shmring_mpmc_control *control = (void *)((uint8_t *)memory + geometry->control_offset);
    shmring_eventcount events = {
        .event = direction == SHMRING_FOR_MESSAGES ? &control->messages : &control->room,
        .light = (geometry->options & SHMRING_OPTION_LIGHT_WAKE) != 0,
    };
    int error = events.light ? shmring_fence_register() : 0;

    if (error == 0)
        error = shmring_bell_open(&events.bell, &events.event->bell, place != NULL ? place : &futex,
                                  direction);
    if (error == 0)
        *ret_events = events;
    return error;
}

void shmring_event_close(shmring_eventcount *events)
{
    if (events->event == NULL)
        return;
    events->event = NULL; /* first: a handler may wake from here on */
    shmring_bell_close(&events->bell);
}

static void ring(const shmring_eventcount *events, bool all)
{
    /* [event.D] pairs with [event.A] */
    shmring_add32_release(&events->event->bell.wakes, 1);
    shmring_bell_ring(&events->bell, all);
}

void shmring_event_ring(shmring_eventcount *events, uint64_t end)
{
    /* relaxed: C ordered it, and the swap says whether it is still so. */
    uint64_t wake_at = shmring_load64_relaxed(&events->event->wake_at);

    for (int i = 0; i < TRIES; i++) {
        if (wake_at == 0 || end < (wake_at & ~SHMRING_EVENT_PICKY))
            return; /* another rings, or it is not due any more */
        /* relaxed: one of all who swap it to 0 rings; D orders that. */
        if (shmring_cas64_relaxed(&events->event->wake_at, &wake_at, 0))
            break;
    }
    events->wakes++;
    ring(events, (wake_at & SHMRING_EVENT_PICKY) != 0);
}

void shmring_event_pass(shmring_eventcount *events)
{
    shmring_event_wake(events, UINT64_MAX);
}

void shmring_event_wake_all(const shmring_eventcount *events)
{
    if (events->event != NULL)
        ring(events, true);
}

bool shmring_event_wakes_all(const shmring_eventcount *events)
{
    return events->bell.backend == SHMRING_BACKEND_FUTEX;
}

/* The earlier of the two, and picky if one of them is. */
static uint64_t merge(uint64_t mine, uint64_t others)
{
    uint64_t picky = (mine | others) & SHMRING_EVENT_PICKY;

    mine &= ~SHMRING_EVENT_PICKY;
    others &= ~SHMRING_EVENT_PICKY;
    return (others != 0 && others < mine ? others : mine) | picky;
}

uint32_t shmring_event_announce(const shmring_eventcount *events, uint64_t wake_at)
{
    struct shmring_event *event = events->event;
    /* [event.A] pairs with [event.D] */
    uint32_t ticket = shmring_load32_acquire(&event->bell.wakes);

    /* The rings of a semaphore are left for others who sleep: one for nothing does no harm. Those
     * of an eventfd wake all, and for as long as it is readable nobody sleeps. */
    if (events->bell.backend == SHMRING_BACKEND_EVENTFD)
        shmring_bell_clear(&events->bell);
    /* relaxed: B orders it before the second look. */
    uint64_t seen = shmring_load64_relaxed(&event->wake_at);

    for (int i = 0; i < TRIES; i++) {
        uint64_t merged = merge(wake_at, seen);

        /* relaxed: likewise. */
        if (merged == seen || shmring_cas64_relaxed(&event->wake_at, &seen, merged))
            break;
    }
    return ticket;
}

uint32_t shmring_event_arm(const shmring_eventcount *events, uint64_t wake_at)
{
    uint32_t ticket = shmring_event_announce(events, wake_at);

    if (events->light) /* [event.B] pairs with [event.C] */
        shmring_fence_heavy();
    else /* [event.B] pairs with [event.C] */
        shmring_fence_seq_cst();
    return ticket;
}

int shmring_event_sleep(shmring_eventcount *events, uint32_t ticket, int64_t deadline)
{
    int64_t now = shmring_clock();
    bool is_last;

    if (deadline <= now)
        return -ETIMEDOUT;
    int64_t until = shmring_wait_until(now, deadline, &is_last);

    events->sleeps++;
    int error = shmring_bell_sleep(&events->bell, ticket, until);

    return error == 0 && is_last && shmring_clock() >= until ? -ETIMEDOUT : error;
}

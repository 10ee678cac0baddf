/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* syscall, ppoll */
#include "shmring/poll.h"

#include "bell_backends.h"
#include "blocking.h"
#include "queue_ends.h"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers of some systems that have it. */
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* The kernel's struct futex_waitv, and its flag for a word of 32 bits. */
struct waitv {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
};
enum { WORD_OF_32 = 2 };

static bool is_channel_ready(shmring_receiver *receiver, bool ask)
{
    shmring_spsc_consumer *consumer = &receiver->consumer;
    uint32_t session;

    if (shmring_spsc_has_record(consumer) || consumer->side.error != 0 ||
        shmring_spsc_peer_left(&consumer->side) || blocking_is_cancelled(&receiver->pace))
        return true;
    if (receiver->is_link && ask && bell_socket_hung_up(receiver->socket))
        return true;
    int end = ask ? shmring_spsc_peer(&consumer->side, &session) : 0;

    if (end == 0 || end == -ENOTCONN)
        return false;
    blocking_ask_next(&receiver->pace);
    return true;
}

static bool is_queue_ready(shmring_queue_receiver *receiver, bool ask)
{
    shmring_mpmc_consumer *consumer = &receiver->consumer;
    shmring_mpmc_side *side = &consumer->side;
    shmring_queue_ends now;
    bool buried;

    if (queue_has_message_guess(consumer) || shmring_mpmc_error(side) != 0 ||
        blocking_is_cancelled(&receiver->pace))
        return true;
    if (!ask && !queue_ends_has_news(&receiver->ends, side, SHMRING_ROLE_PRODUCER))
        return false;
    int end = queue_ends_look(&receiver->ends, side, SHMRING_ROLE_PRODUCER, &now, &buried);

    if (buried)
        queue_ends_wake(&receiver->messages, &receiver->room);
    if (end != 0)
        blocking_ask_next(&receiver->pace);
    return end != 0;
}

/* What was put off may be what the other side sleeps for. */
static void flush(const shmring_poll_item *item)
{
    if (item->channel != NULL)
        shmring_receiver_flush(item->channel);
    else if (item->queue->has_released)
        shmring_event_pass(&item->queue->room);
}

/* Who only polls asks for life now and then. */
static bool asks(const shmring_poll_item *item, int64_t now)
{
    shmring_pace *pace = item->channel != NULL ? &item->channel->pace : &item->queue->pace;

    return now <= SHMRING_NOW ? blocking_poll_asks(pace) : blocking_is_due(pace, now);
}

/* How many are ready? now may be SHMRING_NOW. Those of a queue that are, and may have slept, pass
 * the baton on: the message is not taken here. */
static int look(shmring_poll_item *items, uint32_t count, int64_t now)
{
    int ready = 0;

    for (uint32_t i = 0; i < count; i++) {
        bool ask = asks(&items[i], now);

        if (items[i].channel != NULL)
            items[i].is_ready = is_channel_ready(items[i].channel, ask);
        else
            items[i].is_ready = is_queue_ready(items[i].queue, ask);
        flush(&items[i]);
        if (items[i].queue != NULL && items[i].is_ready)
            shmring_event_pass(&items[i].queue->messages);
        ready += items[i].is_ready;
    }
    return ready;
}

static const shmring_bell *bell_of(const shmring_poll_item *item)
{
    return item->channel != NULL ? &item->channel->waiter.bell : &item->queue->messages.bell;
}

static void announce_all(shmring_poll_item *items, uint32_t count, struct waitv *ret_futexes)
{
    bool light = false;

    for (uint32_t i = 0; i < count; i++) {
        shmring_receiver *channel = items[i].channel;
        uint32_t ticket;

        if (channel != NULL) {
            ticket = shmring_wait_announce(&channel->waiter, channel->consumer.read_pos + 1);
            light |= channel->waiter.light;
        } else {
            ticket = shmring_event_announce(&items[i].queue->messages, SHMRING_EVENT_ANY);
            light |= items[i].queue->messages.light;
        }
        ret_futexes[i] = (struct waitv){
            .value = ticket,
            .address = (uintptr_t)&bell_of(&items[i])->words->wakes,
            .flags = WORD_OF_32,
        };
    }
    if (light) /* [wait.B] pairs with [wait.C]; [event.B] pairs with [event.C] */
        shmring_fence_heavy();
    /* [wait.B] pairs with [wait.C]; [event.B] pairs with [event.C] */
    shmring_fence_seq_cst();
}

/* Its descriptor tells what comes from now on, as before the call. True: something came before
 * that, of which it may not tell. */
static bool arm_again(shmring_receiver *link)
{
    shmring_wait_arm(&link->waiter, link->consumer.read_pos + 1);
    return is_channel_ready(link, false);
}

/* Returns how many more are ready. */
static int withdraw_all(shmring_poll_item *items, uint32_t count)
{
    int more = 0;

    for (uint32_t i = 0; i < count; i++) {
        shmring_receiver *channel = items[i].channel;

        if (channel == NULL)
            continue;
        shmring_wait_disarm(&channel->waiter);
        if (!channel->is_polled)
            continue;
        if (!channel->is_link) { /* its eventfd was cleared: who polls that shall look */
            shmring_bell_ring(&channel->waiter.bell, false);
        } else if (arm_again(channel) && !items[i].is_ready) {
            items[i].is_ready = true;
            more++;
        }
    }
    return more;
}

static bool have_all(const shmring_poll_item *items, uint32_t count, enum shmring_backend backend)
{
    for (uint32_t i = 0; i < count; i++)
        if (bell_of(&items[i])->backend != backend)
            return false;
    return true;
}

static int sleep_on_eventfds(const shmring_poll_item *items, uint32_t count, int64_t until)
{
    struct pollfd fds[SHMRING_POLL_MAX];
    struct timespec left = bell_time_until(until);

    for (uint32_t i = 0; i < count; i++)
        fds[i] = (struct pollfd){.fd = bell_of(&items[i])->fd, .events = POLLIN};
    if (ppoll(fds, count, &left, NULL) >= 0)
        return 0;
    return errno == EINTR ? -EINTR : -ENOSYS;
}

/* 0, -EINTR, -ENOSYS. */
static int sleep_on(const shmring_poll_item *items, uint32_t count, const struct waitv *futexes,
                    int64_t until)
{
    const int64_t ns_per_s = 1000000000;
    /* The kernel's own struct, also where time_t has 32 bits. */
    struct {
        int64_t seconds, nanoseconds;
    } time = {until / ns_per_s, until % ns_per_s};

    if (have_all(items, count, SHMRING_BACKEND_EVENTFD))
        return sleep_on_eventfds(items, count, until);
    if (have_all(items, count, SHMRING_BACKEND_FUTEX)) {
        if (syscall(SYS_futex_waitv, futexes, count, 0, &time, CLOCK_MONOTONIC) >= 0)
            return 0;
        if (errno == EAGAIN || errno == ETIMEDOUT)
            return 0;
        if (errno == EINTR)
            return -EINTR;
    }
    return bell_nap(until);
}

/* Until one is ready. Arms before each look, also after a sleep: the baton, see event.h. */
static int wait_for_any(shmring_poll_item *items, uint32_t count, int64_t deadline)
{
    struct waitv futexes[SHMRING_POLL_MAX];
    bool is_last;

    for (;;) {
        int64_t now = shmring_clock();

        announce_all(items, count, futexes);
        int ready = look(items, count, now);

        if (ready != 0 || now >= deadline)
            return ready != 0 ? ready : -ETIMEDOUT;
        int error = sleep_on(items, count, futexes, shmring_wait_until(now, deadline, &is_last));

        if (error != 0)
            return error;
    }
}

int shmring_poll(shmring_poll_item *items, uint32_t count, int64_t deadline)
{
    if (count == 0 || count > SHMRING_POLL_MAX)
        return -EINVAL;
    for (uint32_t i = 0; i < count; i++)
        if ((items[i].channel == NULL) == (items[i].queue == NULL))
            return -EINVAL;
    int ready = look(items, count, SHMRING_NOW);

    if (ready != 0 || deadline <= SHMRING_NOW)
        return ready != 0 ? ready : -ETIMEDOUT;
    ready = wait_for_any(items, count, deadline);
    int more = withdraw_all(items, count);

    return more == 0 ? ready : (ready > 0 ? ready : 0) + more;
}

/* SPDX-License-Identifier: MIT */
/*
 * Claim: a client that never reads, or is stopped, loses what does not fit into its ring, and this
 * is counted; it is evicted as its limits say, after so many drops in a row or so long a time, and
 * not before; nobody else loses or waits for anything. Who sends to it with a deadline waits till
 * then, and no longer; what is sent in between by others is dropped at once.
 */
#include "../messages.h"

#include "../hub.h"

enum {
    MESSAGES = 3000,
    MESSAGE = 100,
    READERS = 3,
    DROPS = 50,
};
static const int64_t FULL_NS = 150000000;

static shmring_link readers[READERS], silent;
static uint64_t silent_id, ids[1 + READERS];
static uint64_t read_count[READERS];
static bool silent_is_over;

static void note(shmring_hub *hub, const shmring_hub_event *event, void *argument)
{
    static int joined;

    (void)hub;
    (void)argument;
    if (event->kind == SHMRING_HUB_JOINED)
        ids[joined++ % (1 + READERS)] = event->id;
    else if (event->kind == SHMRING_HUB_EVICTED && event->id == silent_id)
        silent_is_over = true;
}

/* Whoever dispatches tells nothing but joins and evictions here. */
static void dispatch(shmring_hub *hub)
{
    CHECK_EQ(shmring_hub_dispatch(hub, note, NULL, SHMRING_NOW), -ETIMEDOUT);
}

/* The silent one joins first. */
static shmring_hub *open_hub(shmring_hub_limits limits)
{
    shmring_hub *hub = hub_open_with((shmring_hub_options){.limits = limits});

    silent = hub_connect_here(hub, note);
    for (int i = 0; i < READERS; i++)
        readers[i] = hub_connect_here(hub, note);
    silent_id = ids[0];
    silent_is_over = false;
    memset(read_count, 0, sizeof read_count);
    return hub;
}

static void read_all(void)
{
    char message[MESSAGE];
    uint64_t number;

    for (int i = 0; i < READERS; i++)
        while (shmring_receiver_recv(&readers[i].receiver, message, sizeof message, NULL, NULL,
                                     SHMRING_NOW) == 0) {
            memcpy(&number, message, sizeof number);
            CHECK_EQ(number, read_count[i]);
            read_count[i]++;
        }
}

/* Sends one to all; the readers read it. Returns how many it was dropped for. */
static uint32_t send_one(shmring_hub *hub, uint64_t number)
{
    char message[MESSAGE] = {0};
    shmring_hub_sent sent;

    memcpy(message, &number, sizeof number);
    CHECK_EQ(shmring_hub_send_all(hub, message, sizeof message, 7, NULL, NULL, &sent), 0);
    read_all();
    CHECK_EQ(sent.sent + sent.dropped, (silent_is_over ? 0 : 1) + READERS);
    return sent.dropped;
}

static void close_all(shmring_hub *hub, const hub_holdings *before)
{
    for (int i = 0; i < READERS; i++) {
        CHECK_EQ(read_count[i], MESSAGES);
        shmring_link_close(&readers[i]);
    }
    shmring_link_close(&silent);
    hub_close_and_check(hub, before);
}

static void without_limits_it_stays(const hub_holdings *before)
{
    shmring_hub *hub = open_hub((shmring_hub_limits){0});
    shmring_hub_counts counts;
    shmring_hub_stats stats;
    uint64_t dropped = 0;

    for (uint64_t i = 0; i < MESSAGES; i++) {
        dropped += send_one(hub, i);
        dispatch(hub);
    }
    CHECK_EQ(shmring_hub_counts_of(hub, silent_id, &counts), 0);
    CHECK(dropped > 0);
    CHECK_EQ(counts.dropped, dropped);
    CHECK_EQ(counts.sent, MESSAGES - dropped);
    CHECK_EQ(counts.sent_size, counts.sent * MESSAGE);
    CHECK_EQ(shmring_hub_get_stats(hub, &stats), 0);
    CHECK_EQ(stats.counts.dropped, dropped);
    CHECK_EQ(stats.evicted, 0);
    close_all(hub, before);
}

static void evicted_after_drops_in_a_row(const hub_holdings *before)
{
    shmring_hub *hub = open_hub((shmring_hub_limits){.drops = DROPS});
    uint64_t dropped = 0;
    bool was_read = false;
    char byte[MESSAGE];

    for (uint64_t i = 0; i < MESSAGES; i++) {
        dropped += send_one(hub, i);
        dispatch(hub);
        if (dropped == DROPS - 1 && !was_read) {
            /* It reads after all: all begins anew. */
            while (shmring_receiver_recv(&silent.receiver, byte, sizeof byte, NULL, NULL,
                                         SHMRING_NOW) == 0)
                continue;
            was_read = true;
            dropped = 0;
        }
        if (dropped < DROPS && !silent_is_over)
            continue;
        CHECK(was_read && silent_is_over);
        CHECK_EQ(dropped, DROPS);
    }
    CHECK(silent_is_over);
    close_all(hub, before);
}

static void evicted_after_a_time(const hub_holdings *before)
{
    shmring_hub *hub = open_hub((shmring_hub_limits){.full_ns = FULL_NS});
    int64_t full_since = 0, now = 0;

    for (uint64_t i = 0; i < MESSAGES; i++) {
        int64_t begin = shmring_clock();

        if (send_one(hub, i) != 0 && full_since == 0)
            full_since = begin;
        now = shmring_clock();
        dispatch(hub);
        if (silent_is_over)
            CHECK(full_since != 0 && now - full_since >= FULL_NS);
        else if (full_since != 0 && i > MESSAGES / 2)
            usleep(1000);
    }
    CHECK(silent_is_over);
    close_all(hub, before);
}

static void *send_to_the_silent(void *argument)
{
    int64_t begin = shmring_clock();
    char message[MESSAGE] = {0};

    CHECK_EQ(shmring_hub_send(argument, silent_id, message, sizeof message, 0, begin + 3 * FULL_NS),
             -ETIMEDOUT);
    CHECK(shmring_clock() >= begin + 3 * FULL_NS);
    return NULL;
}

static void who_waits_for_room_holds_nobody_up(const hub_holdings *before)
{
    shmring_hub *hub = open_hub((shmring_hub_limits){0});
    char message[MESSAGE] = {0};
    pthread_t waiters[2];
    uint64_t i = 0;

    while (send_one(hub, i++) == 0)
        dispatch(hub);
    for (int waiter = 0; waiter < 2; waiter++)
        CHECK(pthread_create(&waiters[waiter], NULL, send_to_the_silent, hub) == 0);
    usleep(50000);
    while (i < MESSAGES)
        CHECK_EQ(send_one(hub, i++), 1);
    CHECK_EQ(shmring_hub_send(hub, silent_id, message, sizeof message, 0, SHMRING_NOW), -ETIMEDOUT);
    for (int waiter = 0; waiter < 2; waiter++)
        CHECK(pthread_join(waiters[waiter], NULL) == 0);
    close_all(hub, before);
}

/* Also if nobody else sends to it. */
static void who_waits_for_one_to_be_evicted_is_told(const hub_holdings *before)
{
    shmring_hub *hub = open_hub((shmring_hub_limits){.full_ns = FULL_NS});
    char message[MESSAGE] = {0};
    int error;

    while ((error = shmring_hub_send(hub, silent_id, message, sizeof message, 0, SHMRING_NOW)) == 0)
        continue;
    CHECK_EQ(error, -ETIMEDOUT);
    CHECK_EQ(
        shmring_hub_send(hub, silent_id, message, sizeof message, 0, shmring_deadline(HUB_HANG_NS)),
        -ENOENT);
    dispatch(hub);
    CHECK(silent_is_over);
    for (uint64_t i = 0; i < MESSAGES; i++)
        CHECK_EQ(send_one(hub, i), 0);
    close_all(hub, before);
}

static void *read_in_a_moment(void *argument)
{
    char byte[MESSAGE];

    (void)argument;
    usleep(50000);
    while (shmring_receiver_recv(&silent.receiver, byte, sizeof byte, NULL, NULL, SHMRING_NOW) == 0)
        continue;
    return NULL;
}

static void who_waits_gets_room_and_an_end(const hub_holdings *before)
{
    shmring_hub *hub = open_hub((shmring_hub_limits){0});
    char message[MESSAGE] = {0};
    pthread_t thread;
    uint64_t i = 0;

    while (send_one(hub, i++) == 0)
        dispatch(hub);
    CHECK(pthread_create(&thread, NULL, read_in_a_moment, NULL) == 0);
    CHECK_EQ(
        shmring_hub_send(hub, silent_id, message, sizeof message, 0, shmring_deadline(HUB_HANG_NS)),
        0);
    CHECK(pthread_join(thread, NULL) == 0);
    while (i < MESSAGES)
        send_one(hub, i++);
    shmring_link_close(&silent);
    CHECK_EQ(
        shmring_hub_send(hub, silent_id, message, sizeof message, 0, shmring_deadline(HUB_HANG_NS)),
        -EPIPE);
    close_all(hub, before);
}

int main(void)
{
    hub_make_path();
    const hub_holdings before = hub_hold();

    without_limits_it_stays(&before);
    evicted_after_drops_in_a_row(&before);
    evicted_after_a_time(&before);
    who_waits_for_room_holds_nobody_up(&before);
    who_waits_gets_room_and_an_end(&before);
    who_waits_for_one_to_be_evicted_is_told(&before);
    hub_remove_path();
    return 0;
}

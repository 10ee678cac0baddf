/* SPDX-License-Identifier: MIT */
/*
 * Claim: a handler that takes long holds up its own channel and no other, as long as there is
 * another thread that dispatches: also channels whose news the first thread has taken with its own.
 * Letting a client in that takes long holds up none.
 */
#include "../messages.h"

#include "../hub.h"

enum { CLIENTS = 8, DISPATCHERS = 2, ROUNDS = 300, JOINS = 200, MORE = 100 };

static shmring_link links[CLIENTS];
static shmring_word32 handled; /* of one round */

static void handle(shmring_hub *hub, const shmring_hub_event *event, void *argument)
{
    bool is_slow;

    (void)hub;
    (void)argument;
    if (event->kind != SHMRING_HUB_MESSAGE)
        return;
    CHECK_EQ(event->length, sizeof is_slow);
    memcpy(&is_slow, event->message, sizeof is_slow);
    while (is_slow && shmring_load32_acquire(&handled) < CLIENTS - 1)
        usleep(10);
    shmring_add32_release(&handled, 1);
}

static void *dispatch(void *argument)
{
    CHECK_EQ(shmring_hub_dispatch(argument, handle, NULL, SHMRING_NEVER), -ECANCELED);
    return NULL;
}

/* One of them is the slow one. Every other round the threads are awake, perhaps. */
static void send_to_all_handlers(unsigned round)
{
    shmring_store32_release(&handled, 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        bool is_slow = i == round % CLIENTS;

        CHECK_EQ(shmring_sender_send(&links[i].sender, &is_slow, sizeof is_slow, 0, SHMRING_NOW),
                 0);
    }
    while (shmring_load32_acquire(&handled) < CLIENTS)
        usleep(10);
    if (round % 2 != 0)
        usleep(1000);
}

static void serve(enum shmring_wait_policy wait, const hub_holdings *before)
{
    shmring_hub *hub = hub_open_with((shmring_hub_options){.wait = wait});
    pthread_t threads[DISPATCHERS];

    for (int i = 0; i < CLIENTS; i++)
        links[i] = hub_connect_here(hub, handle);
    for (int i = 0; i < DISPATCHERS; i++)
        CHECK(pthread_create(&threads[i], NULL, dispatch, hub) == 0);
    for (unsigned round = 0; round < ROUNDS; round++)
        send_to_all_handlers(round);
    shmring_hub_cancel(hub);
    for (int i = 0; i < DISPATCHERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < CLIENTS; i++)
        shmring_link_close(&links[i]);
    hub_close_and_check(hub, before);
}

static shmring_word32 flooded, is_over; /* messages handled; of the next claim */

static void count(shmring_hub *hub, const shmring_hub_event *event, void *argument)
{
    (void)hub;
    (void)argument;
    if (event->kind == SHMRING_HUB_MESSAGE)
        shmring_add32_release(&flooded, 1);
}

static void *dispatch_flood(void *argument)
{
    CHECK_EQ(shmring_hub_dispatch(argument, count, NULL, SHMRING_NEVER), -ECANCELED);
    return NULL;
}

/* Takes until others have handled more. */
static bool is_welcome(void *argument, const shmring_link_peer *peer, bool is_listed, int pidfd)
{
    uint32_t before = shmring_load32_acquire(&flooded);

    (void)argument;
    (void)peer;
    (void)pidfd;
    while (before != 0 && shmring_load32_acquire(&flooded) - before < MORE)
        usleep(10);
    return is_listed;
}

static void *flood(void *argument)
{
    shmring_link *link = argument;

    while (shmring_load32_acquire(&is_over) == 0)
        CHECK_EQ(shmring_sender_send(&link->sender, "", 1, 0, SHMRING_NEVER), 0);
    return NULL;
}

static void joining_takes_long(const hub_holdings *before)
{
    shmring_hub *hub = hub_open_with((shmring_hub_options){.link = {.is_welcome = is_welcome}});
    pthread_t threads[DISPATCHERS + 1];

    links[0] = hub_connect_here(hub, count);
    for (int i = 0; i < DISPATCHERS; i++)
        CHECK(pthread_create(&threads[i], NULL, dispatch_flood, hub) == 0);
    CHECK(pthread_create(&threads[DISPATCHERS], NULL, flood, &links[0]) == 0);
    for (int i = 0; i < JOINS; i++) {
        shmring_link link = hub_connect();

        shmring_link_close(&link);
    }
    shmring_store32_release(&is_over, 1);
    CHECK(pthread_join(threads[DISPATCHERS], NULL) == 0);
    shmring_hub_cancel(hub);
    for (int i = 0; i < DISPATCHERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    shmring_link_close(&links[0]);
    hub_close_and_check(hub, before);
}

int main(void)
{
    alarm(110); /* it has hung */
    hub_make_path();
    const hub_holdings before = hub_hold();

    serve(SHMRING_WAIT_BLOCK, &before);
    serve(SHMRING_WAIT_ADAPTIVE, &before);
    joining_takes_long(&before);
    hub_remove_path();
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Claim: a handler that takes long holds up its own channel and no other, as long as there is
 * another thread that dispatches: also channels whose news the first thread has taken with its own.
 */
#include "../messages.h"

#include "../hub.h"

enum { CLIENTS = 8, DISPATCHERS = 2, ROUNDS = 300 };

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

int main(void)
{
    alarm(110); /* it has hung */
    hub_make_path();
    const hub_holdings before = hub_hold();

    serve(SHMRING_WAIT_BLOCK, &before);
    serve(SHMRING_WAIT_ADAPTIVE, &before);
    hub_remove_path();
    return 0;
}

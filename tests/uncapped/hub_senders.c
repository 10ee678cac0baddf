/* SPDX-License-Identifier: MIT */
/*
 * Claim: of several threads that wait until there is room for their messages to one client, all
 * get on when it reads all. Sleeps do not end by themselves in this build: who is not woken hangs.
 */
#include "../messages.h"

#include "../hub.h"

enum { SENDERS = 5, ROUNDS = 20, MOMENT_US = 20000 };

static shmring_hub *hub;
static uint64_t id;

static void note(shmring_hub *which, const shmring_hub_event *event, void *argument)
{
    (void)which;
    (void)argument;
    if (event->kind == SHMRING_HUB_JOINED)
        id = event->id;
}

static void *send_one(void *argument)
{
    CHECK_EQ(shmring_hub_send(hub, id, "more", 5, 0, SHMRING_NEVER), 0);
    return argument;
}

static int read_all(shmring_link *link)
{
    char text[8];
    int count = 0;

    while (shmring_receiver_recv(&link->receiver, text, sizeof text, NULL, NULL, SHMRING_NOW) == 0)
        count++;
    return count;
}

int main(void)
{
    alarm(100); /* it has hung */
    hub_make_path();
    hub = hub_open_with((shmring_hub_options){.channels = 4});
    shmring_link link = hub_connect_here(hub, note);

    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[SENDERS];
        int sent = 0, got;

        while (shmring_hub_send(hub, id, "full", 5, 0, SHMRING_NOW) == 0)
            sent++;
        for (int i = 0; i < SENDERS; i++)
            CHECK(pthread_create(&threads[i], NULL, send_one, NULL) == 0);
        usleep(MOMENT_US); /* most of them wait by then */
        got = read_all(&link);
        for (int i = 0; i < SENDERS; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK_EQ(got + read_all(&link), sent + SENDERS);
    }
    shmring_link_close(&link);
    CHECK_EQ(shmring_hub_close(hub), 0);
    hub_remove_path();
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Claim: with clients that come and go as threads, several threads that dispatch, echo and send to
 * all, each client gets its own messages back in order, and all that was sent to it in order; no
 * two threads have the turn of a channel at the same time.
 * usage: hub_threads [--scale ROUNDS]
 */
#include "../messages.h"

#include "../hub.h"

enum {
    CLIENTS = 4,
    COMINGS = 30, /* of each */
    MESSAGES = 200,
    DISPATCHERS = 3,
    ECHO = 1,
    TO_ALL = 2,
};

/* Of a channel. Plain members: a turn that overlaps another is a race. */
struct turn {
    bool is_taken;
    uint64_t next;
};

static shmring_word32 over;

static void echo(shmring_hub *hub, const shmring_hub_event *event, void *argument)
{
    struct turn *turn = *event->context;
    uint64_t number;

    (void)argument;
    if (event->kind == SHMRING_HUB_JOINED) {
        *event->context = turn = calloc(1, sizeof *turn);
        CHECK(turn != NULL);
        return;
    }
    CHECK(!turn->is_taken);
    turn->is_taken = true;
    if (event->kind == SHMRING_HUB_MESSAGE) {
        CHECK_EQ(event->length, sizeof number);
        memcpy(&number, event->message, sizeof number);
        CHECK_EQ(number, turn->next++);
        CHECK_EQ(shmring_hub_send(hub, event->id, &number, sizeof number, ECHO,
                                  shmring_deadline(HUB_HANG_NS)),
                 0);
    } else {
        CHECK_EQ(event->kind, SHMRING_HUB_LEFT);
        CHECK_EQ(turn->next, MESSAGES);
    }
    turn->is_taken = false;
    if (event->kind == SHMRING_HUB_LEFT)
        free(turn);
}

/* Sends all and gets all back; what was sent to all has rising numbers. */
static void visit(void)
{
    const int64_t hang = shmring_deadline(HUB_HANG_NS);
    shmring_link link = hub_connect();
    uint64_t sent = 0, back = 0, number, to_all = 0;
    uint32_t type;

    while (back < MESSAGES) {
        if (sent < MESSAGES && sent - back < MESSAGES / 2) {
            CHECK_EQ(shmring_sender_send(&link.sender, &sent, sizeof sent, 0, hang), 0);
            sent++;
            continue;
        }
        CHECK_EQ(shmring_receiver_recv(&link.receiver, &number, sizeof number, NULL, &type, hang),
                 0);
        if (type == ECHO)
            CHECK_EQ(number, back++);
        else
            CHECK(number > to_all);
        to_all = type == TO_ALL ? number : to_all;
    }
    shmring_link_close(&link);
}

static void *be_client(void *argument)
{
    (void)argument;
    for (int i = 0; i < COMINGS; i++)
        visit();
    return NULL;
}

static void *dispatch(void *argument)
{
    CHECK_EQ(shmring_hub_dispatch(argument, echo, NULL, SHMRING_NEVER), -ECANCELED);
    return NULL;
}

static void *send_to_all(void *argument)
{
    shmring_hub_stats stats;

    for (uint64_t number = 1; shmring_load32_acquire(&over) == 0; number++) {
        CHECK_EQ(shmring_hub_send_all(argument, &number, sizeof number, TO_ALL, NULL, NULL, NULL),
                 0);
        CHECK_EQ(shmring_hub_get_stats(argument, &stats), 0);
        usleep(100);
    }
    return NULL;
}

static void serve(enum shmring_wait_policy wait)
{
    shmring_hub *hub = hub_open_with(
        (shmring_hub_options){.wait = wait, .limits = {.budget = 7}, .link = {.capacity = 4096}});
    pthread_t clients[CLIENTS], dispatchers[DISPATCHERS], sender;
    shmring_hub_stats stats = {0};

    shmring_store32_release(&over, 0);
    for (int i = 0; i < DISPATCHERS; i++)
        CHECK(pthread_create(&dispatchers[i], NULL, dispatch, hub) == 0);
    CHECK(pthread_create(&sender, NULL, send_to_all, hub) == 0);
    for (int i = 0; i < CLIENTS; i++)
        CHECK(pthread_create(&clients[i], NULL, be_client, NULL) == 0);
    for (int i = 0; i < CLIENTS; i++)
        CHECK(pthread_join(clients[i], NULL) == 0);
    while (stats.left < CLIENTS * COMINGS) {
        usleep(1000);
        CHECK_EQ(shmring_hub_get_stats(hub, &stats), 0);
    }
    shmring_store32_release(&over, 1);
    CHECK(pthread_join(sender, NULL) == 0);
    shmring_hub_cancel(hub);
    for (int i = 0; i < DISPATCHERS; i++)
        CHECK(pthread_join(dispatchers[i], NULL) == 0);
    CHECK_EQ(stats.counts.received, CLIENTS * COMINGS * MESSAGES);
    CHECK_EQ(shmring_hub_close(hub), 0);
}

int main(int argc, char **argv)
{
    bool scale = argc == 3 && strcmp(argv[1], "--scale") == 0;
    uint32_t rounds = scale ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;

    alarm(110 * rounds); /* it has hung */
    hub_make_path();
    for (uint32_t i = 0; i < rounds; i++) {
        serve(SHMRING_WAIT_BLOCK);
        serve(SHMRING_WAIT_ADAPTIVE);
    }
    hub_remove_path();
    return 0;
}

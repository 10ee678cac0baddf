/* SPDX-License-Identifier: MIT */
/*
 * Claim: whatever clients of a hub write into their memory, whatever they send or leave unread on
 * their sockets, and whomever they wake or move, before and during each call: no call reads or
 * writes out of bounds, takes longer than its deadline and a moment, or returns what hub.h does not
 * list; each of them is told once that it joined and once how it ended, and is gone then; and no
 * message to or from an honest client is lost or changed.
 *
 * usage: hub [SEED] [--scale SECONDS]     by default 3
 */
#include "../messages.h"

#include "../hub.h"
#include "foe.h"
#include "peer.h"

#include <limits.h>

enum {
    FOES = 3,
    CAPACITY = 4096,
    TURNS_PER_CALL = 4, /* of dispatching */
    OVER = INT_MAX,     /* the round at which the honest one leaves */
};
static const int64_t LIFE_NS = 300000000;

/* A client that is there. */
struct client {
    uint64_t id; /* 0: nobody */
    bool is_honest;
    uint64_t next; /* of its messages, which are numbers then */
};
static struct client clients[FOES + 1];
static pid_t honest;
static uint32_t round_now;
static shmring_geometry lane;
static uint64_t randomness, sum;
static uint64_t joined, told[SHMRING_HUB_EVICTED + 1];

static struct client *find_client(uint64_t id)
{
    for (int i = 0; i <= FOES; i++)
        if (clients[i].id == id)
            return &clients[i];
    check_failed(__FILE__, __LINE__, "as many clients as there are");
}

static bool documents(int error)
{
    return error == 0 || error == -ETIMEDOUT || error == -ENOENT || error == -EPIPE ||
           error == -EOWNERDEAD || error == -EBADMSG;
}

/* What a foe sent is read, and now and then answered; or it is sent away. */
static void handle_foe(shmring_hub *hub, const shmring_hub_event *event)
{
    uint64_t dice = test_random(&randomness);

    CHECK(event->length <= CAPACITY && (uintptr_t)event->message % 8 == 0);
    for (uint64_t i = 0; i < event->length; i++)
        sum += ((const volatile uint8_t *)event->message)[i];
    if (dice % 65536 == 0)
        CHECK_EQ(shmring_hub_evict(hub, event->id), 0);
    else if (dice % 16 == 0)
        CHECK(documents(shmring_hub_send(hub, event->id, &dice, sizeof dice, 1, SHMRING_NOW)));
}

/* What the honest one sent goes back: it waits for that, so there is room. */
static void handle_honest(shmring_hub *hub, const shmring_hub_event *event, struct client *client)
{
    CHECK(message_is(event->message, event->length, event->type, client->next));
    client->next++;
    CHECK_EQ(
        shmring_hub_send(hub, event->id, event->message, event->length, event->type, SHMRING_NOW),
        0);
}

static void handle(shmring_hub *hub, const shmring_hub_event *event, void *argument)
{
    struct client *client = *event->context;

    (void)argument;
    told[event->kind]++;
    if (event->kind == SHMRING_HUB_JOINED) {
        CHECK(client == NULL);
        client = *event->context = find_client(0);
        *client = (struct client){.id = event->id, .is_honest = event->peer->pid == honest};
        joined++;
        return;
    }
    CHECK_EQ(event->id, client->id);
    if (event->kind != SHMRING_HUB_MESSAGE) {
        CHECK(!client->is_honest || event->kind == SHMRING_HUB_LEFT);
        client->id = 0;
    } else if (client->is_honest) {
        handle_honest(hub, event, client);
    } else {
        handle_foe(hub, event);
    }
}

static void dispatch(shmring_hub *hub)
{
    int64_t deadline = test_random(&randomness) % 4 ? SHMRING_NOW : shmring_deadline(100000);

    call_begin("dispatch", deadline);
    CHECK_EQ(call_end(shmring_hub_dispatch(hub, handle, NULL, deadline)), -ETIMEDOUT);
}

/* The id of a foe, or of one that is no more. */
static uint64_t pick(shmring_hub *hub)
{
    uint64_t ids[FOES + 2];

    call_begin("ids", SHMRING_NOW);
    int count = call_end(shmring_hub_ids(hub, ids, FOES + 2));

    CHECK(count >= 0 && count <= FOES + 1);
    if (count == 0)
        return 0;
    uint64_t id = ids[test_random(&randomness) % (uint64_t)count];

    for (int i = 0; i <= FOES; i++)
        if (clients[i].id == id && !clients[i].is_honest)
            return id;
    return id ^ (UINT64_C(1) << 40);
}

static void call(shmring_hub *hub)
{
    static const char message[CAPACITY];
    const shmring_hub_limits limits = {.budget = 1 + (uint32_t)test_random(&randomness) % 100};
    uint64_t dice = test_random(&randomness), id = pick(hub);
    uint64_t length = dice >> 8 & (dice & 7 ? 63 : CAPACITY - 1);
    int64_t deadline = dice % 64 ? SHMRING_NOW : shmring_deadline(50000);
    shmring_hub_counts counts;
    shmring_hub_sent sent;
    int error;

    call_begin("send", deadline);
    error = call_end(shmring_hub_send(hub, id, message, length, 2, deadline));
    CHECK(documents(error) || (error == -EMSGSIZE && length > CAPACITY / 2 - 16));
    call_begin("send_to", SHMRING_NOW);
    error = call_end(shmring_hub_send_to(hub, &id, 1, message, length, 3, &sent));
    CHECK(error == (length > CAPACITY / 2 - 8 ? -EMSGSIZE : 0));
    CHECK(error != 0 || sent.sent + sent.dropped <= 1);
    call_begin("counts", SHMRING_NOW);
    error = call_end(shmring_hub_counts_of(hub, id, &counts));
    CHECK(error == 0 || error == -ENOENT);
    call_begin("limit", SHMRING_NOW);
    error = call_end(shmring_hub_limit(hub, id, &limits));
    CHECK(error == 0 || error == -ENOENT);
}

static pid_t start_foe(uint64_t seed)
{
    pid_t pid = check_fork();

    if (pid == 0) {
        shmring_link link = hub_connect();

        foe_play(&link, &lane, round_now, seed);
        _exit(0);
    }
    return pid;
}

static bool has_ended(pid_t pid)
{
    int status = 0;
    pid_t ended = waitpid(pid, &status, WNOHANG);

    CHECK(ended == 0 || (ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0));
    return ended != 0;
}

/* Foes come, do their worst for a while, and are gone. */
static void live(shmring_hub *hub)
{
    pid_t pids[FOES];
    int64_t end = shmring_deadline(LIFE_NS);
    shmring_hub_stats stats;

    for (int i = 0; i < FOES; i++)
        pids[i] = start_foe(test_random(&randomness));
    while (shmring_clock() < end) {
        for (int i = 0; i < TURNS_PER_CALL; i++)
            dispatch(hub);
        call(hub);
    }
    round_now++;
    shmring_store32_release(&scribbles->round, round_now);
    for (int i = 0; i < FOES; i++)
        while (!has_ended(pids[i]))
            dispatch(hub);
    do {
        dispatch(hub);
        CHECK_EQ(shmring_hub_get_stats(hub, &stats), 0);
    } while (stats.channels > 1);
}

/* Each message comes back before the next one is sent. */
static void play_honest(void)
{
    shmring_link link = hub_connect();
    char message[MESSAGE_MAX];
    uint64_t number = 0, length;
    uint32_t type;

    for (; shmring_load32_acquire(&scribbles->round) != OVER; number++) {
        hub_send_numbers(&link, number, 1);
        CHECK_EQ(shmring_receiver_recv(&link.receiver, message, sizeof message, &length, &type,
                                       shmring_deadline(HUB_HANG_NS)),
                 0);
        CHECK(message_is(message, length, type, number));
    }
    printf("%llu messages of an honest client, none lost\n", (unsigned long long)number);
    fflush(stdout);
    shmring_link_close(&link);
    _exit(0);
}

static void serve(enum shmring_wait_policy wait, int64_t until)
{
    const hub_holdings before = hub_hold();
    shmring_hub *hub =
        hub_open_with((shmring_hub_options){.wait = wait, .link = {.capacity = CAPACITY}});

    shmring_store32_release(&scribbles->round, round_now);
    honest = check_fork();
    if (honest == 0)
        play_honest();
    do
        live(hub);
    while (shmring_clock() < until);
    shmring_store32_release(&scribbles->round, OVER);
    while (!has_ended(honest))
        dispatch(hub);
    hub_await_unmapped(hub);
    hub_close_and_check(hub, &before);
    for (int i = 0; i <= FOES; i++)
        clients[i].id = 0;
}

int main(int argc, char **argv)
{
    int64_t time = peer_time(&argc, argv, 3), begin = shmring_clock();

    randomness = test_seed(argc, argv);
    summary_begin();
    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_LANE, 0, CAPACITY, &lane), 0);
    hub_make_path();
    calls_begin();
    serve(SHMRING_WAIT_BLOCK, begin + time / 2);
    serve(SHMRING_WAIT_ADAPTIVE, begin + time);
    hub_remove_path();
    printf(
        "%llu clients; %llu left, %llu died, %llu broke the rules, %llu evicted; %llu messages\n",
        (unsigned long long)joined, (unsigned long long)told[SHMRING_HUB_LEFT],
        (unsigned long long)told[SHMRING_HUB_DIED], (unsigned long long)told[SHMRING_HUB_BROKE],
        (unsigned long long)told[SHMRING_HUB_EVICTED],
        (unsigned long long)told[SHMRING_HUB_MESSAGE]);
    summary_end();
    CHECK(told[SHMRING_HUB_BROKE] != 0 && told[SHMRING_HUB_MESSAGE] != 0);
    return 0;
}

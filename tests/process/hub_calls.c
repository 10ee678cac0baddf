/* SPDX-License-Identifier: MIT */
/*
 * Claim: each call does what hub.h says: ids are never 0 nor used again, messages go to one, to a
 * list, or to those that a filter permits, wrong options and ids are refused, and the descriptor of
 * a hub tells when there is something to dispatch.
 */
#include "../messages.h"

#include "../hub.h"
#include <poll.h>

enum { CLIENTS = 4 };

static shmring_link links[CLIENTS];
static uint64_t ids[CLIENTS], last_id;
static int told;

static void note(shmring_hub *hub, const shmring_hub_event *event, void *argument)
{
    (void)hub;
    (void)argument;
    told++;
    if (event->kind == SHMRING_HUB_JOINED)
        last_id = event->id;
}

static void connect_all(shmring_hub *hub)
{
    for (int i = 0; i < CLIENTS; i++) {
        uint64_t before = last_id;

        links[i] = hub_connect_here(hub, note);
        ids[i] = last_id;
        CHECK(ids[i] != 0 && ids[i] != before);
    }
}

static bool has_message(int client, uint32_t want_type)
{
    char byte;
    uint32_t type;
    uint64_t length;
    int error =
        shmring_receiver_recv(&links[client].receiver, &byte, 1, &length, &type, SHMRING_NOW);

    CHECK(error == -ETIMEDOUT || (error == 0 && type == want_type && length == 1 && byte == 'x'));
    return error == 0;
}

static void wrong_options_are_refused(void)
{
    shmring_hub_options options = {.size = sizeof options,
                                   .channels = SHMRING_HUB_CHANNELS_MAX + 1};
    shmring_hub *hub = (void *)&options;
    struct {
        shmring_hub_options known;
        int unknown;
    } newer = {.known = {.size = sizeof newer}, .unknown = 1};

    CHECK_EQ(shmring_hub_open(&hub, hub_path, &options), -EINVAL);
    options = (shmring_hub_options){.size = sizeof options, .wait = 77};
    CHECK_EQ(shmring_hub_open(&hub, hub_path, &options), -EINVAL);
    options = (shmring_hub_options){.size = sizeof options, .limits = {.full_ns = -1}};
    CHECK_EQ(shmring_hub_open(&hub, hub_path, &options), -EINVAL);
    options = (shmring_hub_options){.size = sizeof options,
                                    .link = {.size = sizeof options.link, .capacity = 4097}};
    CHECK_EQ(shmring_hub_open(&hub, hub_path, &options), -EINVAL);
    CHECK_EQ(shmring_hub_open(&hub, hub_path, &newer.known), -EINVAL);
    options = (shmring_hub_options){.channels = 1}; /* without the size */
    CHECK_EQ(shmring_hub_open(&hub, hub_path, &options), -EINVAL);
    options = (shmring_hub_options){.size = sizeof options, .link.capacity = 4096};
    CHECK_EQ(shmring_hub_open(&hub, hub_path, &options), -EINVAL);
    CHECK_EQ(shmring_hub_open(&hub, "/nowhere/at/all", NULL), -ENOENT);
    CHECK(hub == (void *)&options);
    newer.unknown = 0;
    CHECK_EQ(shmring_hub_open(&hub, hub_path, &newer.known), 0);
    options = (shmring_hub_options){.size = sizeof options};
    shmring_hub *second;

    CHECK_EQ(shmring_hub_open(&second, hub_path, &options), -EADDRINUSE);
    CHECK_EQ(shmring_hub_close(hub), 0);
}

static bool is_even(uint64_t id, const shmring_link_peer *peer, void *argument)
{
    CHECK_EQ(peer->pid, getpid());
    return (id == ids[0] || id == ids[2]) && argument == links;
}

static void messages_go_where_they_should(shmring_hub *hub)
{
    const uint64_t list[] = {ids[1], ids[3], 0, ids[1] + 1, UINT64_MAX};
    shmring_hub_sent sent;

    CHECK_EQ(shmring_hub_send(hub, ids[2], "x", 1, 1, SHMRING_NOW), 0);
    for (int i = 0; i < CLIENTS; i++)
        CHECK_EQ(has_message(i, 1), i == 2);
    CHECK_EQ(shmring_hub_send_to(hub, list, 5, "x", 1, 2, &sent), 0);
    CHECK_EQ(sent.sent, 2);
    CHECK_EQ(sent.dropped, 0);
    for (int i = 0; i < CLIENTS; i++)
        CHECK_EQ(has_message(i, 2), i % 2 != 0);
    CHECK_EQ(shmring_hub_send_all(hub, "x", 1, 3, is_even, links, &sent), 0);
    CHECK_EQ(sent.sent, 2);
    for (int i = 0; i < CLIENTS; i++)
        CHECK_EQ(has_message(i, 3), i % 2 == 0);
    CHECK_EQ(shmring_hub_send_all(hub, "x", 1, 4, NULL, NULL, NULL), 0);
    for (int i = 0; i < CLIENTS; i++)
        CHECK(has_message(i, 4) && !has_message(i, 4));
}

static void what_is_not_there_is_refused(shmring_hub *hub)
{
    static char long_one[1 << 16];
    const shmring_hub_limits limits = {0};
    shmring_hub_counts counts;
    const uint64_t wrong[] = {0, ids[0] ^ 1, ids[0] + (UINT64_C(1) << 14), UINT64_MAX, 12345};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_EQ(shmring_hub_send(hub, wrong[i], "", 0, 0, SHMRING_NEVER), -ENOENT);
        CHECK_EQ(shmring_hub_evict(hub, wrong[i]), -ENOENT);
        CHECK_EQ(shmring_hub_limit(hub, wrong[i], &limits), -ENOENT);
        CHECK_EQ(shmring_hub_counts_of(hub, wrong[i], &counts), -ENOENT);
    }
    uint64_t max = shmring_spsc_max_message(&links[0].sender.producer.side);

    CHECK_EQ(shmring_hub_send(hub, ids[0], long_one, max + 1, 0, SHMRING_NEVER), -EMSGSIZE);
    CHECK_EQ(shmring_hub_send_to(hub, ids, 1, long_one, max + 1, 0, NULL), -EMSGSIZE);
    CHECK_EQ(shmring_hub_send_all(hub, long_one, max + 1, 0, NULL, NULL, NULL), -EMSGSIZE);
    CHECK_EQ(shmring_hub_send(hub, ids[0], long_one, max, 0, SHMRING_NOW), 0);
    CHECK_EQ(shmring_hub_counts_of(hub, ids[0], &counts), 0);
    CHECK_EQ(counts.dropped, 0);
    CHECK_EQ(counts.sent_size, max + 2);
}

static void all_ids_are_listed(shmring_hub *hub)
{
    uint64_t found[CLIENTS + 1], sum = 0;

    CHECK_EQ(shmring_hub_ids(hub, found, 2), 2);
    CHECK_EQ(shmring_hub_ids(hub, found, CLIENTS + 1), CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        sum += found[i] - ids[i];
    CHECK_EQ(sum, 0);
}

static bool is_readable(const shmring_hub *hub)
{
    struct pollfd one = {.fd = shmring_hub_fd(hub), .events = POLLIN};

    return poll(&one, 1, 0) == 1;
}

static void descriptor_tells_what_there_is(shmring_hub *hub)
{
    CHECK_EQ(shmring_hub_dispatch(hub, note, NULL, SHMRING_NOW), -ETIMEDOUT);
    CHECK(!is_readable(hub));
    for (int i = 0; i < 3; i++) {
        told = 0;
        /* More than one turn. */
        for (int j = 0; j < SHMRING_HUB_BUDGET + 1; j++)
            CHECK_EQ(shmring_sender_send(&links[i].sender, "x", 1, 0, SHMRING_NOW), 0);
        CHECK(is_readable(hub));
        while (is_readable(hub))
            CHECK_EQ(shmring_hub_dispatch(hub, note, NULL, SHMRING_NOW), -ETIMEDOUT);
        CHECK_EQ(told, SHMRING_HUB_BUDGET + 1);
    }
    told = 0;
    shmring_link_close(&links[0]);
    CHECK(is_readable(hub));
    CHECK_EQ(shmring_hub_dispatch(hub, note, NULL, SHMRING_NOW), -ETIMEDOUT);
    CHECK_EQ(told, 1);
    CHECK_EQ(shmring_hub_evict(hub, ids[1]), 0);
    CHECK(is_readable(hub));
    while (is_readable(hub))
        CHECK_EQ(shmring_hub_dispatch(hub, note, NULL, SHMRING_NOW), -ETIMEDOUT);
    CHECK_EQ(told, 2);
}

static void ids_are_not_used_again(shmring_hub *hub)
{
    const uint64_t gone = ids[0];

    for (int i = 0; i < CLIENTS; i++)
        shmring_link_close(&links[i]);
    CHECK_EQ(shmring_hub_dispatch(hub, note, NULL, SHMRING_NOW), -ETIMEDOUT);
    connect_all(hub);
    for (int i = 0; i < CLIENTS; i++)
        CHECK(ids[i] != gone);
    CHECK_EQ(shmring_hub_send(hub, gone, "", 0, 0, SHMRING_NOW), -ENOENT);
}

int main(void)
{
    hub_make_path();
    const hub_holdings before = hub_hold();

    wrong_options_are_refused();
    shmring_hub *hub = hub_open_with((shmring_hub_options){.channels = 2 * CLIENTS});

    connect_all(hub);
    messages_go_where_they_should(hub);
    what_is_not_there_is_refused(hub);
    all_ids_are_listed(hub);
    descriptor_tells_what_there_is(hub);
    ids_are_not_used_again(hub);
    for (int i = 0; i < CLIENTS; i++)
        shmring_link_close(&links[i]);
    hub_close_and_check(hub, &before);
    hub_remove_path();
    return 0;
}

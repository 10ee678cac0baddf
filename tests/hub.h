/* SPDX-License-Identifier: MIT */
/* A hub at a socket of this test's own, clients in processes, and what the hub has told of them. */
#ifndef SHMRING_TESTS_HUB_H
#define SHMRING_TESTS_HUB_H

#include "messages.h"

#include <dirent.h>
#include <pthread.h>
#include <shmring/hub.h>
#include <sys/resource.h>

enum {
    HUB_CLIENTS = 8192,
    HUB_PATH = 80,
};
#define HUB_HANG_NS INT64_C(60000000000) /* what takes so long has hung */

typedef struct hub_client {
    pid_t pid;
    uint64_t id; /* 0: has not joined */
    uint64_t next;
    enum shmring_hub_kind end;
    shmring_hub_counts counts;
} hub_client;

/* What was told, in the order of joining. */
static hub_client hub_clients[HUB_CLIENTS];
static uint32_t hub_client_count;
static pthread_mutex_t hub_lock = PTHREAD_MUTEX_INITIALIZER; /* of joining */
static char hub_path[HUB_PATH];

static inline void hub_remove_path(void)
{
    char *end = strrchr(hub_path, '/');

    if (end != NULL)
        *end = '\0';
    rmdir(hub_path);
}

/* The name of a socket in a directory of our own, removed when the test has passed. */
static inline void hub_make_path(void)
{
    const char *place = getenv("TMPDIR");

    snprintf(hub_path, sizeof hub_path - 8, "%s/shmring-hub-XXXXXX",
             place != NULL && strlen(place) < HUB_PATH / 2 ? place : "/tmp");
    CHECK(mkdtemp(hub_path) != NULL);
    strcat(hub_path, "/hub");
}

/* For so many descriptors. */
static inline void hub_raise_limit(rlim_t want)
{
    struct rlimit limit;

    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_cur >= want)
        return;
    limit.rlim_cur = want;
    if (limit.rlim_max < want)
        limit.rlim_max = want;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        SKIP("RLIMIT_NOFILE is too low, and we may not raise it");
}

static inline shmring_hub *hub_open_with(shmring_hub_options options)
{
    shmring_hub *hub = NULL;

    options.size = sizeof options;
    options.link.size = sizeof options.link;
    options.link.timeout_ns = HUB_HANG_NS; /* the default is short for a loaded machine */
    CHECK_EQ(shmring_hub_open(&hub, hub_path, &options), 0);
    return hub;
}

static inline shmring_link hub_connect(void)
{
    shmring_link_options options = {.size = sizeof options, .timeout_ns = HUB_HANG_NS};
    shmring_link link;

    CHECK_EQ(shmring_link_connect(&link, hub_path, &options, shmring_deadline(HUB_HANG_NS)), 0);
    return link;
}

/* The same in the thread that dispatches. */
static inline shmring_link hub_connect_here(shmring_hub *hub, shmring_hub_handler *handler)
{
    shmring_handshake handshake;
    shmring_link link;
    int error;

    CHECK_EQ(shmring_handshake_connect(&handshake, hub_path, NULL), 0);
    do
        CHECK_EQ(shmring_hub_dispatch(hub, handler, NULL, SHMRING_NOW), -ETIMEDOUT);
    while ((error = shmring_handshake_step(&handshake, &link)) == -EAGAIN);
    CHECK_EQ(error, 0);
    CHECK_EQ(shmring_hub_dispatch(hub, handler, NULL, SHMRING_NOW), -ETIMEDOUT);
    return link;
}

/* Numbered messages that begin at first. */
static inline void hub_send_numbers(shmring_link *link, uint64_t first, uint64_t count)
{
    for (uint64_t number = first; number < first + count; number++) {
        char message[MESSAGE_MAX];

        message_write(message, number);
        CHECK_EQ(shmring_sender_send(&link->sender, message, message_length(number),
                                     message_type(number), shmring_deadline(HUB_HANG_NS)),
                 0);
    }
}

static inline hub_client *hub_find(pid_t pid)
{
    hub_client *found = NULL;

    pthread_mutex_lock(&hub_lock);
    for (uint32_t i = 0; i < hub_client_count; i++)
        if (hub_clients[i].pid == pid)
            found = &hub_clients[i];
    pthread_mutex_unlock(&hub_lock);
    return found;
}

/* What hub_await() waits for: that the client of that process has joined, and has come so far. */
static struct {
    pid_t pid;
    uint64_t messages;
    bool end;
} hub_awaited;

static inline bool hub_has_come(void)
{
    const hub_client *client = hub_find(hub_awaited.pid);

    return client != NULL && client->next >= hub_awaited.messages &&
           (client->end != 0 || !hub_awaited.end);
}

static inline void hub_note_join(const shmring_hub_event *event)
{
    CHECK(*event->context == NULL);
    CHECK_EQ(event->peer->uid, getuid());
    CHECK_EQ(event->peer->gid, getgid());
    pthread_mutex_lock(&hub_lock);
    CHECK(hub_client_count < HUB_CLIENTS);
    hub_client *client = &hub_clients[hub_client_count++];

    *client = (hub_client){.pid = event->peer->pid, .id = event->id};
    pthread_mutex_unlock(&hub_lock);
    *event->context = client;
}

/* Notes what is told; checks that it may be told now. Messages are numbers from 0. */
static inline void hub_note(shmring_hub *hub, const shmring_hub_event *event, void *argument)
{
    hub_client *client = *event->context;

    (void)argument;
    if (event->kind == SHMRING_HUB_JOINED) {
        hub_note_join(event);
    } else {
        CHECK(client != NULL && client->end == 0);
        CHECK_EQ(event->id, client->id);
        if (event->kind == SHMRING_HUB_MESSAGE) {
            CHECK(message_is(event->message, event->length, event->type, client->next));
            client->next++;
        } else {
            client->counts = *event->counts;
            CHECK_EQ(client->counts.received, client->next);
            client->end = event->kind;
        }
    }
    if (hub_awaited.pid != 0 && hub_has_come())
        shmring_hub_cancel(hub);
}

/* Dispatches for that time. */
static inline void hub_run(shmring_hub *hub, int64_t ns)
{
    CHECK_EQ(shmring_hub_dispatch(hub, hub_note, NULL, shmring_deadline(ns)), -ETIMEDOUT);
}

/* Dispatches, in this thread only, until it is so: in one call, which nothing but events ends. */
static inline hub_client *hub_await(shmring_hub *hub, pid_t pid, uint64_t messages, bool end)
{
    hub_awaited.pid = pid;
    hub_awaited.messages = messages;
    hub_awaited.end = end;
    if (!hub_has_come())
        CHECK_EQ(shmring_hub_dispatch(hub, hub_note, NULL, shmring_deadline(HUB_HANG_NS)),
                 -ECANCELED);
    shmring_hub_resume(hub);
    hub_awaited.pid = 0;
    return hub_find(pid);
}

static inline void hub_await_end(shmring_hub *hub, pid_t pid, enum shmring_hub_kind end)
{
    CHECK_EQ(hub_await(hub, pid, 0, true)->end, end);
}

/* Until all that have ended are unmapped. */
static inline void hub_await_unmapped(shmring_hub *hub)
{
    shmring_hub_stats stats;

    for (;;) {
        CHECK_EQ(shmring_hub_get_stats(hub, &stats), 0);
        if (stats.unmapping == 0)
            return;
        usleep(1000);
    }
}

/* What a hub could leave behind. */
typedef struct hub_holdings {
    int descriptors, mappings;
} hub_holdings;

static inline hub_holdings hub_hold(void)
{
    hub_holdings holdings = {0};
    DIR *directory = opendir("/proc/self/fd");
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];

    CHECK(directory != NULL && maps != NULL);
    while (readdir(directory) != NULL)
        holdings.descriptors++;
    while (fgets(line, sizeof line, maps) != NULL)
        holdings.mappings += strstr(line, "memfd:") != NULL;
    closedir(directory);
    fclose(maps);
    return holdings;
}

/* Closes the hub: nothing is left but what was there before it. */
static inline void hub_close_and_check(shmring_hub *hub, const hub_holdings *before)
{
    CHECK_EQ(shmring_hub_close(hub), 0);
    hub_holdings after = hub_hold();

    CHECK_EQ(after.descriptors, before->descriptors);
    CHECK_EQ(after.mappings, before->mappings);
}

#endif

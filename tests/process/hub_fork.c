/* SPDX-License-Identifier: MIT */
/*
 * Claim: in a child made by fork() each call of a hub is refused and does nothing, and so is
 * opening another; the parent's goes on as before.
 */
#include "../messages.h"

#include "../hub.h"

enum { MESSAGES = 10 };

static shmring_hub *hub; /* static: to be found by who looks for leaks in a child's thread */

static void all_is_refused(uint64_t id)
{
    const shmring_hub_limits limits = {0};
    shmring_hub_counts counts;
    shmring_hub_stats stats;
    shmring_hub *another = hub;
    uint64_t ids[1];

    CHECK_EQ(shmring_hub_dispatch(hub, hub_note, NULL, SHMRING_NOW), -EOWNERDEAD);
    CHECK_EQ(shmring_hub_control(hub, SHMRING_NOW), -EOWNERDEAD);
    CHECK_EQ(shmring_hub_send(hub, id, "", 0, 0, SHMRING_NOW), -EOWNERDEAD);
    CHECK_EQ(shmring_hub_send_to(hub, &id, 1, "", 0, 0, NULL), -EOWNERDEAD);
    CHECK_EQ(shmring_hub_send_all(hub, "", 0, 0, NULL, NULL, NULL), -EOWNERDEAD);
    CHECK_EQ(shmring_hub_evict(hub, id), -EOWNERDEAD);
    CHECK_EQ(shmring_hub_limit(hub, id, &limits), -EOWNERDEAD);
    CHECK_EQ(shmring_hub_counts_of(hub, id, &counts), -EOWNERDEAD);
    CHECK_EQ(shmring_hub_get_stats(hub, &stats), -EOWNERDEAD);
    CHECK_EQ(shmring_hub_ids(hub, ids, 1), -EOWNERDEAD);
    shmring_hub_cancel(hub);
    shmring_hub_resume(hub);
    CHECK_EQ(shmring_hub_close(hub), -EOWNERDEAD);
    CHECK_EQ(shmring_hub_open(&another, hub_path, NULL), -EOWNERDEAD);
    CHECK(another == hub);
}

/* Threads that have used the hub end in the child, too. */
static void *end_as_thread(void *argument)
{
    (void)argument;
    CHECK_EQ(shmring_hub_send(hub, 1, "", 0, 0, SHMRING_NOW), -ENOENT);
    pid_t child = check_fork();

    if (child == 0)
        pthread_exit(NULL); /* the last thread there: exit(0) */
    CHECK_EQ(check_wait(child), 0);
    return NULL;
}

int main(void)
{
    hub_make_path();
    const hub_holdings before = hub_hold();
    hub = hub_open_with((shmring_hub_options){0});
    pid_t client = check_fork();
    pthread_t thread;

    if (client == 0) {
        shmring_link link = hub_connect();

        hub_send_numbers(&link, 0, MESSAGES);
        CHECK_EQ(shmring_receiver_recv(&link.receiver, NULL, 0, NULL, NULL,
                                       shmring_deadline(HUB_HANG_NS)),
                 0);
        hub_send_numbers(&link, MESSAGES, MESSAGES);
        shmring_link_close(&link);
        _exit(0);
    }
    uint64_t id = hub_await(hub, client, MESSAGES, false)->id;
    pid_t child = check_fork();

    if (child == 0) {
        all_is_refused(id);
        _exit(0);
    }
    CHECK_EQ(check_wait(child), 0);
    CHECK(pthread_create(&thread, NULL, end_as_thread, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_EQ(shmring_hub_send(hub, id, "", 0, 0, SHMRING_NOW), 0);
    hub_await_end(hub, client, SHMRING_HUB_LEFT);
    CHECK_EQ(hub_find(client)->next, 2 * MESSAGES);
    CHECK_EQ(check_wait(client), 0);
    hub_close_and_check(hub, &before);
    hub_remove_path();
    return 0;
}

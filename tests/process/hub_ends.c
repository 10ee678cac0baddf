/* SPDX-License-Identifier: MIT */
/*
 * Claim: a hub tells of each client that it joined, with its credentials, then all its messages in
 * order, then how it came to its end: it left, it was killed, it was evicted, by call or because it
 * broke the rules; one that is stopped is alive. What it held is given back.
 */
#include "../messages.h"

#include "../hub.h"

enum { MESSAGES = 100 }; /* that fit into a ring */

static const shmring_hub_options plain = {.channels = 8};

/* Sends its messages, and then does nothing. */
static pid_t start_client(void)
{
    pid_t pid = check_fork();

    if (pid != 0)
        return pid;
    shmring_link link = hub_connect();

    hub_send_numbers(&link, 0, MESSAGES);
    pause();
    _exit(1);
}

static void client_that_leaves_is_told_after_its_messages(shmring_hub *hub)
{
    pid_t pid = check_fork();

    if (pid == 0) {
        shmring_link link = hub_connect();

        hub_send_numbers(&link, 0, MESSAGES);
        shmring_link_close(&link);
        _exit(0);
    }
    hub_await_end(hub, pid, SHMRING_HUB_LEFT);
    CHECK_EQ(hub_find(pid)->next, MESSAGES);
    CHECK_EQ(check_wait(pid), 0);
}

static void kill_and_wait(pid_t pid)
{
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK_EQ(check_wait(pid), -SIGKILL);
}

static void client_that_is_killed_is_told_after_its_messages(shmring_hub *hub)
{
    pid_t pid = start_client();

    /* While nobody dispatches: the messages and the end are found at the same time. */
    hub_await(hub, pid, 0, false);
    usleep(100000);
    kill_and_wait(pid);
    hub_await_end(hub, pid, SHMRING_HUB_DIED);
    CHECK_EQ(hub_find(pid)->next, MESSAGES);
}

static void client_that_dies_idle_wakes_who_sleeps(shmring_hub *hub)
{
    pid_t pid = start_client();

    hub_await(hub, pid, MESSAGES, false);
    pid_t killer = check_fork();

    if (killer == 0) {
        usleep(50000);
        _exit(kill(pid, SIGKILL) != 0);
    }
    hub_await_end(hub, pid, SHMRING_HUB_DIED);
    CHECK_EQ(check_wait(pid), -SIGKILL);
    CHECK_EQ(check_wait(killer), 0);
}

static void stopped_client_is_alive_and_holds_nobody_up(shmring_hub *hub)
{
    pid_t stopped = start_client();

    hub_await(hub, stopped, 0, false);
    CHECK(kill(stopped, SIGSTOP) == 0);
    pid_t other = start_client();

    hub_await(hub, other, MESSAGES, false);
    hub_run(hub, 300000000);
    CHECK_EQ(hub_find(stopped)->end, 0);
    CHECK(kill(stopped, SIGCONT) == 0);
    hub_await(hub, stopped, MESSAGES, false);
    kill_and_wait(stopped);
    kill_and_wait(other);
    hub_await_end(hub, stopped, SHMRING_HUB_DIED);
    hub_await_end(hub, other, SHMRING_HUB_DIED);
}

/* Waits for its end, by the hub. */
static void await_end_of(shmring_link *link)
{
    char byte;

    CHECK_EQ(
        shmring_receiver_recv(&link->receiver, &byte, 1, NULL, NULL, shmring_deadline(HUB_HANG_NS)),
        -EPIPE);
    shmring_link_close(link);
}

static void evicted_client_sees_the_end(shmring_hub *hub)
{
    pid_t pid = check_fork();

    if (pid == 0) {
        shmring_link link = hub_connect();

        hub_send_numbers(&link, 0, 1);
        await_end_of(&link);
        _exit(0);
    }
    uint64_t id = hub_await(hub, pid, 1, false)->id;

    CHECK_EQ(shmring_hub_evict(hub, id), 0);
    CHECK_EQ(shmring_hub_evict(hub, id), -ENOENT);
    CHECK_EQ(shmring_hub_send(hub, id, "", 0, 0, SHMRING_NOW), -ENOENT);
    hub_await_end(hub, pid, SHMRING_HUB_EVICTED);
    hub_run(hub, 1000000);
    CHECK_EQ(check_wait(pid), 0);
    CHECK_EQ(shmring_hub_send(hub, id, "", 0, 0, SHMRING_NOW), -ENOENT);
}

static void client_that_breaks_the_rules_is_told(shmring_hub *hub)
{
    pid_t pid = check_fork();

    if (pid == 0) {
        shmring_link link = hub_connect();

        hub_send_numbers(&link, 0, MESSAGES);
        /* A position that no ring can have. */
        shmring_store64_release(&link.sender.producer.side.own->pos, UINT64_C(1) << 40);
        shmring_wake(&link.sender.waiter);
        pause();
        _exit(1);
    }
    hub_await_end(hub, pid, SHMRING_HUB_BROKE);
    kill_and_wait(pid);
}

static void client_that_breaks_the_rules_of_reading_is_told(shmring_hub *hub)
{
    pid_t pid = check_fork();

    if (pid == 0) {
        shmring_link link = hub_connect();

        shmring_store64_release(&link.receiver.consumer.side.own->pos, UINT64_C(1) << 40);
        hub_send_numbers(&link, 0, 1);
        pause();
        _exit(1);
    }
    uint64_t id = hub_await(hub, pid, 1, false)->id;
    int error;

    do
        error = shmring_hub_send(hub, id, "12345678", 8, 0, SHMRING_NOW);
    while (error == 0);
    CHECK_EQ(error, -EBADMSG);
    hub_await_end(hub, pid, SHMRING_HUB_BROKE);
    kill_and_wait(pid);
}

static void clients_beyond_the_limit_are_refused(shmring_hub *hub)
{
    pid_t pids[8], one_more;
    shmring_hub_stats stats = {0};

    for (int i = 0; i < 8; i++) {
        pids[i] = start_client();
        hub_await(hub, pids[i], 0, false);
    }
    one_more = check_fork();
    if (one_more == 0) {
        shmring_link link = hub_connect();

        await_end_of(&link);
        _exit(0);
    }
    while (stats.refused == 0) {
        hub_run(hub, 1000000);
        CHECK_EQ(shmring_hub_get_stats(hub, &stats), 0);
    }
    CHECK_EQ(stats.channels, 8);
    CHECK_EQ(check_wait(one_more), 0);
    for (int i = 0; i < 8; i++) {
        kill_and_wait(pids[i]);
        hub_await_end(hub, pids[i], SHMRING_HUB_DIED);
    }
}

static void all_is_counted(shmring_hub *hub)
{
    shmring_hub_stats stats;
    uint64_t received = 0;

    for (uint32_t i = 0; i < hub_client_count; i++)
        received += hub_clients[i].next;
    hub_await_unmapped(hub);
    CHECK_EQ(shmring_hub_get_stats(hub, &stats), 0);
    CHECK_EQ(stats.channels, 0);
    CHECK_EQ(stats.joined, hub_client_count);
    CHECK_EQ(stats.left, 1);
    CHECK_EQ(stats.evicted, 1);
    CHECK_EQ(stats.broke, 2);
    CHECK_EQ(stats.died, hub_client_count - 4);
    CHECK_EQ(stats.counts.received, received);
}

int main(void)
{
    hub_make_path();
    const hub_holdings before = hub_hold();
    shmring_hub *hub = hub_open_with(plain);
    const hub_holdings open = hub_hold();

    client_that_leaves_is_told_after_its_messages(hub);
    client_that_is_killed_is_told_after_its_messages(hub);
    client_that_dies_idle_wakes_who_sleeps(hub);
    stopped_client_is_alive_and_holds_nobody_up(hub);
    evicted_client_sees_the_end(hub);
    client_that_breaks_the_rules_is_told(hub);
    client_that_breaks_the_rules_of_reading_is_told(hub);
    clients_beyond_the_limit_are_refused(hub);
    all_is_counted(hub);
    const hub_holdings after = hub_hold();

    CHECK_EQ(after.descriptors, open.descriptors);
    CHECK_EQ(after.mappings, 0);
    hub_close_and_check(hub, &before);
    hub_remove_path();
    return 0;
}

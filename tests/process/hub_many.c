/* SPDX-License-Identifier: MIT */
/*
 * Claim: a hub has 1,000 channels at once: all get a message to it and one from it; while they have
 * nothing to say, its thread sleeps without a single wake; when their processes die, each end is
 * told, and nothing of them is left.
 * usage: hub_many [--scale]   with 9,600 channels, so that 20,000 descriptors are enough
 */
#include "../messages.h"

#include "../hub.h"

enum {
    CLIENTS = 1000,
    CLIENTS_SCALE = 9600,
    PROCESSES = 4,
    DESCRIPTORS = 2, /* of a channel: the socket and the lock */
};
static const int64_t IDLE_NS = 2000000000;

static uint32_t clients = CLIENTS, joined, heard, ended, awaited;

static void note(shmring_hub *hub, const shmring_hub_event *event, void *argument)
{
    (void)argument;
    joined += event->kind == SHMRING_HUB_JOINED;
    heard += event->kind == SHMRING_HUB_MESSAGE;
    ended += event->kind == SHMRING_HUB_DIED;
    CHECK(event->kind != SHMRING_HUB_MESSAGE || event->type == 5);
    if (joined + heard + ended == awaited)
        shmring_hub_cancel(hub);
}

static void await(shmring_hub *hub, uint32_t count)
{
    awaited = count;
    if (joined + heard + ended != count)
        CHECK_EQ(shmring_hub_dispatch(hub, note, NULL, shmring_deadline(HUB_HANG_NS)), -ECANCELED);
    shmring_hub_resume(hub);
}

/* Connects its share, says something on each link, hears something on each, and waits. */
static _Noreturn void be_clients(uint32_t count)
{
    shmring_link *links = calloc(count, sizeof *links);
    const shmring_link_options options = {.size = sizeof options, .timeout_ns = HUB_HANG_NS};
    char byte;

    CHECK(links != NULL);
    for (uint32_t i = 0; i < count; i++)
        CHECK_EQ(shmring_link_connect(&links[i], hub_path, &options, SHMRING_NEVER), 0);
    for (uint32_t i = 0; i < count; i++)
        CHECK_EQ(shmring_sender_send(&links[i].sender, "!", 1, 5, SHMRING_NOW), 0);
    for (uint32_t i = 0; i < count; i++)
        CHECK_EQ(shmring_receiver_recv(&links[i].receiver, &byte, 1, NULL, NULL,
                                       shmring_deadline(HUB_HANG_NS)),
                 0);
    pause();
    _exit(1);
}

static void idle(shmring_hub *hub)
{
    struct rusage before, after;

    awaited = 0;
    CHECK_EQ(shmring_hub_dispatch(hub, note, NULL, shmring_deadline(10000000)), -ETIMEDOUT);
    CHECK(getrusage(RUSAGE_THREAD, &before) == 0);
    CHECK_EQ(shmring_hub_dispatch(hub, note, NULL, shmring_deadline(IDLE_NS)), -ETIMEDOUT);
    CHECK(getrusage(RUSAGE_THREAD, &after) == 0);
    printf("%ld wakes in %lld ms\n", after.ru_nvcsw - before.ru_nvcsw,
           (long long)(IDLE_NS / 1000000));
    CHECK(after.ru_nvcsw - before.ru_nvcsw <= 1);
}

int main(int argc, char **argv)
{
    pid_t pids[PROCESSES];
    shmring_hub_sent sent;
    shmring_hub_stats stats;

    if (argc == 2 && strcmp(argv[1], "--scale") == 0)
        clients = CLIENTS_SCALE;
    hub_raise_limit(DESCRIPTORS * clients + 200);
    hub_make_path();
    const hub_holdings before = hub_hold();
    shmring_hub *hub = hub_open_with((shmring_hub_options){
        .channels = clients, .link = {.capacity = 4096, .timeout_ns = HUB_HANG_NS}});

    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = check_fork();
        if (pids[i] == 0)
            be_clients(clients / PROCESSES);
    }
    await(hub, 2 * clients);
    CHECK_EQ(joined, clients);
    CHECK_EQ(shmring_hub_send_all(hub, "?", 1, 6, NULL, NULL, &sent), 0);
    CHECK_EQ(sent.sent, clients);
    idle(hub);
    for (int i = 0; i < PROCESSES; i++) {
        CHECK(kill(pids[i], SIGKILL) == 0);
        CHECK_EQ(check_wait(pids[i]), -SIGKILL);
    }
    await(hub, 3 * clients);
    CHECK_EQ(ended, clients);
    hub_await_unmapped(hub);
    CHECK_EQ(shmring_hub_get_stats(hub, &stats), 0);
    CHECK_EQ(stats.channels, 0);
    hub_close_and_check(hub, &before);
    hub_remove_path();
    return 0;
}

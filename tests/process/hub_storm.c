/* SPDX-License-Identifier: MIT */
/*
 * Claim: while clients join, leave, are killed, stopped and evicted all the time, with several
 * threads that dispatch and others that send, nobody's messages are lost, doubled or reordered,
 * each client is told once that it joined and once how it ended, and in the end nothing of them is
 * left. With and without a thread of its own for joining. usage: hub_storm [SEED] [--scale ROUNDS]
 * so many times as many clients
 */
#include "../messages.h"

#include "../hub.h"

enum {
    STORMERS = 3,
    COMINGS = 30, /* of each stormer and round */
    STEADY = 2,
    DISPATCHERS = 2,
    COUNT_MAX = 97,
};

static uint32_t comings = COMINGS;
static shmring_word32 stormers_done;

/* What a client sends is known from its process. */
static uint64_t count_of(pid_t pid)
{
    return (uint64_t)pid % COUNT_MAX;
}

static void take_what_is_there(shmring_link *link)
{
    char message[8];

    while (shmring_receiver_recv(&link->receiver, message, sizeof message, NULL, NULL,
                                 SHMRING_NOW) == 0)
        continue;
}

/* Comes, says what it has to say, and goes, well or badly. An eviction may come first. */
static _Noreturn void come_and_go(uint64_t manner)
{
    shmring_link link = hub_connect();

    for (uint64_t number = 0; number < count_of(getpid()); number++) {
        char message[MESSAGE_MAX];

        message_write(message, number);
        if (shmring_sender_send(&link.sender, message, message_length(number), message_type(number),
                                shmring_deadline(HUB_HANG_NS)) != 0)
            break;
    }
    take_what_is_there(&link);
    if (manner % 4 == 0)
        shmring_link_close(&link);
    else if (manner % 4 == 1)
        kill(getpid(), SIGKILL);
    else if (manner % 4 == 2)
        kill(getpid(), SIGSTOP);
    _exit(0);
}

static _Noreturn void storm(uint64_t seed)
{
    for (uint32_t i = 0; i < comings; i++) {
        pid_t pid = check_fork();
        int status;

        if (pid == 0)
            come_and_go(test_random(&seed));
        test_random(&seed);
        CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
        if (WIFSTOPPED(status)) {
            usleep(10000);
            kill(pid, SIGKILL);
            CHECK_EQ(waitpid(pid, &status, 0), pid);
        }
        CHECK(status == 0 || WTERMSIG(status) == SIGKILL);
    }
    _exit(0);
}

/* Sends until it is evicted, which it never is, or told to stop by a message of type 1. */
static _Noreturn void send_steadily(void)
{
    shmring_link link = hub_connect();
    uint32_t type = 0;

    for (uint64_t first = 0; type != 1; first += 10) {
        char message[8];

        hub_send_numbers(&link, first, 10);
        while (type != 1 && shmring_receiver_recv(&link.receiver, message, sizeof message, NULL,
                                                  &type, SHMRING_NOW) == 0)
            continue;
    }
    shmring_link_close(&link);
    _exit(0);
}

static void *dispatch(void *argument)
{
    CHECK_EQ(shmring_hub_dispatch(argument, hub_note, NULL, SHMRING_NEVER), -ECANCELED);
    return NULL;
}

static void *control(void *argument)
{
    CHECK_EQ(shmring_hub_control(argument, SHMRING_NEVER), -ECANCELED);
    return NULL;
}

static bool is_steady(uint64_t id, const uint64_t steady[STEADY])
{
    return id == steady[0] || id == steady[1];
}

/* Sends to all and to some, and evicts now and then. */
static void *disturb(void *argument)
{
    shmring_hub *hub = argument;
    uint64_t seed = 1, steady[STEADY], ids[16];
    uint32_t found = 0;

    while (found < STEADY) { /* they are the first to come */
        int count = shmring_hub_ids(hub, steady, STEADY);

        found = (uint32_t)count;
        usleep(1000);
    }
    while (shmring_load32_acquire(&stormers_done) == 0) {
        CHECK_EQ(shmring_hub_send_all(hub, "to all", 6, 0, NULL, NULL, NULL), 0);
        int count = shmring_hub_ids(hub, ids, 16);

        CHECK_EQ(shmring_hub_send_to(hub, ids, (uint32_t)count, "to some", 7, 0, NULL), 0);
        if (count != 0) {
            uint64_t id = ids[test_random(&seed) % (uint64_t)count];
            shmring_hub_counts counts;

            shmring_hub_send(hub, id, "to one", 6, 0, shmring_deadline(1000000));
            shmring_hub_counts_of(hub, id, &counts);
            if (!is_steady(id, steady) && test_random(&seed) % 16 == 0)
                shmring_hub_evict(hub, id);
        }
        usleep(500);
    }
    for (int i = 0; i < STEADY; i++)
        CHECK_EQ(shmring_hub_send(hub, steady[i], "stop", 4, 1, SHMRING_NEVER), 0);
    return NULL;
}

static void check_all(const shmring_hub_stats *stats, const pid_t steady[STEADY])
{
    uint64_t received = 0, ends[SHMRING_HUB_EVICTED + 1] = {0};

    CHECK_EQ(hub_client_count, STORMERS * comings + STEADY);
    for (uint32_t i = 0; i < hub_client_count; i++) {
        const hub_client *client = &hub_clients[i];

        received += client->next;
        ends[client->end]++;
        if (client->pid == steady[0] || client->pid == steady[1])
            CHECK(client->end == SHMRING_HUB_LEFT && client->next % 10 == 0);
        else if (client->end != SHMRING_HUB_EVICTED)
            CHECK_EQ(client->next, count_of(client->pid));
    }
    CHECK_EQ(ends[0] + ends[SHMRING_HUB_BROKE], 0);
    CHECK_EQ(stats->left, ends[SHMRING_HUB_LEFT]);
    CHECK_EQ(stats->died, ends[SHMRING_HUB_DIED]);
    CHECK_EQ(stats->evicted, ends[SHMRING_HUB_EVICTED]);
    CHECK_EQ(stats->counts.received, received);
    CHECK_EQ(stats->channels + stats->unmapping, 0);
    CHECK_EQ(stats->refused, 0);
    printf("%u joined, %u left, %u died, %u evicted, %llu messages\n", hub_client_count,
           (unsigned)stats->left, (unsigned)stats->died, (unsigned)stats->evicted,
           (unsigned long long)received);
}

/* Those that the stress of the test has made; forked before there are threads. */
static void start_clients(pid_t *ret_steady, pid_t *ret_stormers, uint64_t seed)
{
    for (int i = 0; i < STEADY; i++) {
        ret_steady[i] = check_fork();
        if (ret_steady[i] == 0)
            send_steadily();
    }
    for (int i = 0; i < STORMERS; i++) {
        uint64_t own = test_random(&seed);

        ret_stormers[i] = check_fork();
        if (ret_stormers[i] == 0) {
            usleep(200000); /* the steady ones first */
            storm(own);
        }
    }
}

static void survive(uint64_t seed, bool control_apart)
{
    const hub_holdings before = hub_hold();
    shmring_hub *hub = hub_open_with(
        (shmring_hub_options){.control_apart = control_apart, .link = {.capacity = 16384}});
    pid_t steady[STEADY], stormers[STORMERS];
    pthread_t threads[DISPATCHERS], controller, disturber;
    shmring_hub_stats stats = {0};

    hub_client_count = 0;
    shmring_store32_release(&stormers_done, 0);
    start_clients(steady, stormers, seed);
    for (int i = 0; i < DISPATCHERS; i++)
        CHECK(pthread_create(&threads[i], NULL, dispatch, hub) == 0);
    if (control_apart)
        CHECK(pthread_create(&controller, NULL, control, hub) == 0);
    CHECK(pthread_create(&disturber, NULL, disturb, hub) == 0);
    for (int i = 0; i < STORMERS; i++)
        CHECK_EQ(check_wait(stormers[i]), 0);
    shmring_store32_release(&stormers_done, 1);
    CHECK(pthread_join(disturber, NULL) == 0);
    for (int i = 0; i < STEADY; i++)
        CHECK_EQ(check_wait(steady[i]), 0);
    while (stats.joined < STORMERS * comings + STEADY || stats.channels + stats.unmapping != 0) {
        usleep(1000);
        CHECK_EQ(shmring_hub_get_stats(hub, &stats), 0);
    }
    shmring_hub_cancel(hub);
    for (int i = 0; i < DISPATCHERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    if (control_apart)
        CHECK(pthread_join(controller, NULL) == 0);
    check_all(&stats, steady);
    hub_close_and_check(hub, &before);
}

int main(int argc, char **argv)
{
    bool scale = argc > 2 && strcmp(argv[argc - 2], "--scale") == 0;
    uint32_t rounds = scale ? (uint32_t)strtoul(argv[argc - 1], NULL, 10) : 1;
    uint64_t seed = test_seed(scale ? argc - 2 : argc, argv);

    comings *= rounds;
    CHECK(STORMERS * comings + STEADY <= HUB_CLIENTS);
    alarm(110 * rounds); /* it has hung */
    hub_make_path();
    survive(test_random(&seed), false);
    survive(test_random(&seed), true);
    hub_remove_path();
    return 0;
}

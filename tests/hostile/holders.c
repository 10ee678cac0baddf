/* SPDX-License-Identifier: MIT */
/*
 * Claim: who takes all it can get and gives nothing back costs others no more than that. One opens
 * as many links as the server has descriptors for, reads none of what it is sent, and puts as many
 * locks on the file that tells of its life as it likes; another one claims and takes slots of a
 * queue and keeps them, stopped. Meanwhile each call of the server ends by its deadline, a third
 * party on a link of its own and messages through the rest of the queue lose nothing; and when the
 * holders are gone, all that they held is there again.
 *
 * usage: holders [--scale SECONDS]     by default 2
 */
#include "../process/link_middle.h"
#include "calls.h"
#include "peer.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum {
    FDS_MAX = 96,
    LINKS_MAX = 64,
    LOCKS = 2000,
    TURNS = 300, /* calls of each kind while they hold */
    CAPACITY = 4096,
    SLOTS = 8,
    HELD = 3, /* claimed, and as many taken */
};

static char directory[] = "/tmp/shmring-test-XXXXXX";
static char path[SHMRING_LINK_PATH_MAX + 1];
static const shmring_link_options options = {.size = sizeof options, .capacity = CAPACITY};
static shmring_listener listener;
static shmring_link links[LINKS_MAX];
static uint64_t rounds, held, full;

/* Locks that do not touch each other, which the kernel keeps one by one. */
static void lock_much(int fd)
{
    for (off_t i = 0; i < LOCKS; i++) {
        struct flock lock = {
            .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 16 + 2 * i, .l_len = 1};

        CHECK(fcntl(fd, F_OFD_SETLK, &lock) == 0);
    }
}

static _Noreturn void hold_links(void)
{
    static shmring_link taken;

    for (int i = 0;; i++) {
        if (shmring_link_connect(&taken, path, &options, shmring_deadline(1000000000)) != 0)
            usleep(1000); /* the server has no more to give; what there is is kept */
        else if (i == 0)
            lock_much(taken.lock);
    }
}

/* One that is full, and that nobody reads. */
static void send_to_holder(shmring_link *link, int64_t deadline)
{
    char message[MESSAGE_MAX] = {0};

    call_begin("send", deadline);
    int error = call_end(shmring_sender_send(&link->sender, message, sizeof message, 0, deadline));

    CHECK(error == 0 || error == -ETIMEDOUT || error == -EOWNERDEAD);
    full += error == -ETIMEDOUT;
}

static void receive_from_holder(shmring_link *link, int64_t deadline)
{
    char message[MESSAGE_MAX];

    call_begin("recv", deadline);
    CHECK_EQ(call_end(shmring_receiver_recv(&link->receiver, message, sizeof message, NULL, NULL,
                                            deadline)),
             -ETIMEDOUT);
}

/* Lets in who comes, until there are no descriptors any more. Returns how many there are. */
static int accept_all(void)
{
    int count = 0, error = 0;

    while (error != -EMFILE && count < LINKS_MAX) {
        call_begin("accept", SHMRING_NOW);
        error = call_end(shmring_link_accept(&listener, &links[count], SHMRING_NOW));
        CHECK(error == 0 || error == -ETIMEDOUT || error == -EMFILE);
        if (error == -ETIMEDOUT)
            usleep(100);
        count += error == 0;
        neighbour_turn();
    }
    return count;
}

static void serve_holder(void)
{
    pid_t pid = check_fork();

    if (pid == 0)
        hold_links();
    int count = accept_all();

    CHECK(count > 0);
    for (int i = 0; i < TURNS; i++) {
        bool waits = i % 64 == 63;

        send_to_holder(&links[i % count], waits ? shmring_deadline(1000000) : SHMRING_NOW);
        receive_from_holder(&links[i % count], waits ? shmring_deadline(1000000) : SHMRING_NOW);
        receive_from_holder(&links[0], SHMRING_NOW); /* whose life is the hardest to tell */
        neighbour_turn();
    }
    held += (uint64_t)count;
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK_EQ(check_wait(pid), -SIGKILL);
    for (int i = 0; i < count; i++)
        shmring_link_close(&links[i]);
}

/* Handshakes that were under way, or had not begun: the listener sees that they are over. */
static void forget_holder(int fds)
{
    int64_t deadline = shmring_deadline(PEER_HANG_NS);

    while (count_fds() != fds && shmring_clock() < deadline)
        if (shmring_link_accept(&listener, &links[0], SHMRING_NOW) == 0)
            shmring_link_close(&links[0]);
}

/* Claims and takes, and tells when it has. */
static _Noreturn void hold_slots(const shmring_channel_fds *fds, int ready)
{
    static shmring_queue_sender sender;
    static shmring_queue_receiver receiver;
    shmring_mpmc_slot slot;

    CHECK_EQ(shmring_queue_sender_open_fds(&sender, fds, NULL), 0);
    CHECK_EQ(shmring_queue_receiver_open_fds(&receiver, fds, NULL), 0);
    for (int i = 0; i < HELD; i++) {
        CHECK_EQ(shmring_queue_send(&sender, "kept", 4, 0, SHMRING_NOW), 0);
        CHECK_EQ(shmring_queue_take(&receiver, SHMRING_NOW, &slot), 0);
        CHECK_EQ(shmring_queue_claim(&sender, SHMRING_NOW, &slot), 0);
    }
    CHECK(write(ready, "", 1) == 1);
    kill(getpid(), SIGSTOP);
    _exit(1);
}

/* Through what is left of the queue. */
static void go_around(shmring_queue_sender *sender, shmring_queue_receiver *receiver)
{
    for (uint64_t i = 0; i < TURNS; i++) {
        shmring_mpmc_slot slot;
        uint64_t number;

        call_begin("queue send", SHMRING_NOW);
        CHECK_EQ(call_end(shmring_queue_send(sender, &i, sizeof i, 0, SHMRING_NOW)), 0);
        call_begin("queue recv", SHMRING_NOW);
        CHECK_EQ(call_end(shmring_queue_recv(receiver, &number, sizeof number, &slot, SHMRING_NOW)),
                 0);
        CHECK_EQ(number, i);
        neighbour_turn();
    }
}

/* Once what the holder had is given back, and everybody has come past that, all slots can be
 * filled. */
static void fill(shmring_queue_sender *sender)
{
    for (uint64_t i = 0; i < SLOTS; i++)
        CHECK_EQ(shmring_queue_send(sender, &i, sizeof i, 0, SHMRING_NOW), 0);
    CHECK_EQ(shmring_queue_send(sender, "", 0, 0, SHMRING_NOW), -ETIMEDOUT);
}

static void queue_with_holder(void)
{
    const shmring_channel_options queue = {.size = sizeof queue, .capacity = SLOTS, .slot_size = 8};
    shmring_queue_sender sender;
    shmring_queue_receiver receiver;
    shmring_channel_fds fds;
    int ready[2];
    char byte;

    CHECK_EQ(shmring_queue_create_fds(&fds, &queue), 0);
    CHECK(pipe(ready) == 0);
    pid_t pid = check_fork();

    if (pid == 0)
        hold_slots(&fds, ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1);
    CHECK_EQ(shmring_queue_sender_open_fds(&sender, &fds, NULL), 0);
    CHECK_EQ(shmring_queue_receiver_open_fds(&receiver, &fds, NULL), 0);
    go_around(&sender, &receiver);
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK_EQ(check_wait(pid), -SIGKILL);
    CHECK_EQ(shmring_mpmc_recover(&sender.producer.side), 2);
    go_around(&sender, &receiver);
    fill(&sender);
    shmring_queue_sender_close(&sender);
    shmring_queue_receiver_close(&receiver);
    shmring_channel_close_fds(&fds);
    close(ready[0]);
    close(ready[1]);
}

static void run(int64_t until)
{
    struct rlimit limit;

    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = FDS_MAX;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    neighbour_start();
    calls_begin();
    CHECK_EQ(shmring_link_listen(&listener, path, &options), 0);
    queue_with_holder();
    struct held before = count_held();

    do {
        serve_holder();
        forget_holder(before.fds);
        queue_with_holder();
        check_held(before, (int)++rounds);
    } while (shmring_clock() < until);
    shmring_listener_close(&listener);
    neighbour_end();
    printf("%llu rounds, %llu links held, %llu times full\n", (unsigned long long)rounds,
           (unsigned long long)held, (unsigned long long)full);
    calls_report();
    CHECK(full != 0);
}

int main(int argc, char **argv)
{
    int64_t time = peer_time(&argc, argv, 2), until = shmring_deadline(time);

    signal(SIGPIPE, SIG_IGN);
    CHECK(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/socket", directory);
    run(until);
    unlink(strcat(path, ".lock"));
    CHECK_EQ(rmdir(directory), 0);
    return 0;
}

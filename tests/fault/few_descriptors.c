/* SPDX-License-Identifier: MIT */
/*
 * Claim: with any limit of descriptors (RLIMIT_NOFILE from 3 up), making and opening channels,
 * queues and links says -EMFILE (a server that does not accept: -EPROTO) or works, and what fails
 * leaves nothing. tests/process/wait_refused does the same with each kind of bell.
 */
#include "../check.h"

#include <dirent.h>
#include <shmring/link.h>
#include <shmring/shmring.h>
#include <string.h>
#include <sys/resource.h>

enum { LIMIT_FIRST = 3, LIMIT_LAST = 40 };

static char name[64], path[64];

static void limit_to(int descriptors)
{
    struct rlimit limit = {.rlim_cur = (rlim_t)descriptors, .rlim_max = 1024};

    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* Those of 0 to 2 and of the directory that is read are there always. */
static int count_descriptors(void)
{
    int count = 0;

    limit_to(1024);
    DIR *directory = opendir("/proc/self/fd");

    CHECK(directory != NULL);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static bool is_fine(int error)
{
    return error == 0 || error == -EMFILE;
}

static bool channel(int limit)
{
    shmring_sender tx = {0};
    shmring_receiver rx = {0};

    limit_to(limit);
    int created = shmring_channel_create(name, NULL);
    int sender = shmring_sender_open(&tx, name, NULL);
    int receiver = shmring_receiver_open(&rx, name, NULL);

    CHECK(is_fine(created));
    CHECK(is_fine(sender) || (created != 0 && sender == -ENOENT));
    CHECK(is_fine(receiver) || (created != 0 && receiver == -ENOENT));
    shmring_receiver_close(&rx);
    shmring_sender_close(&tx);
    limit_to(1024);
    CHECK_EQ(shmring_channel_unlink(name, NULL), created == 0 ? 0 : -ENOENT);
    return created == 0 && sender == 0 && receiver == 0;
}

static bool queue(int limit)
{
    shmring_channel_options options = {.size = sizeof options, .create = true, .capacity = 8};
    shmring_queue_sender tx = {0};
    shmring_queue_receiver rx = {0};

    limit_to(limit);
    int sender = shmring_queue_sender_open(&tx, name, &options);
    int receiver = shmring_queue_receiver_open(&rx, name, &options);

    CHECK(is_fine(sender) && is_fine(receiver));
    shmring_queue_receiver_close(&rx);
    shmring_queue_sender_close(&tx);
    limit_to(1024);
    CHECK(shmring_channel_unlink(name, NULL) == 0 || sender != 0);
    return sender == 0 && receiver == 0;
}

/* The limit falls when the server listens: a client comes, and the server says what it lacks. */
static bool link_of_two(int limit)
{
    static shmring_listener listener;
    shmring_handshake handshake;
    shmring_link client, server;
    bool lacked = false;
    int ours = -EAGAIN, theirs = -ETIMEDOUT;

    limit_to(limit);
    int listens = shmring_link_listen(&listener, path, NULL);

    CHECK(is_fine(listens));
    int begun = listens == 0 ? shmring_handshake_connect(&handshake, path, NULL) : listens;

    CHECK(is_fine(begun));
    for (int64_t until = shmring_deadline(SHMRING_LINK_TIMEOUT_NS);
         begun == 0 && (ours == -EAGAIN || (ours == 0 && theirs != 0));) {
        if (theirs != 0)
            theirs = shmring_link_accept(&listener, &server, SHMRING_NOW);
        CHECK(is_fine(theirs) || theirs == -ETIMEDOUT);
        lacked |= theirs == -EMFILE;
        if (ours == -EAGAIN)
            ours = shmring_handshake_step(&handshake, &client);
        CHECK(ours == -EAGAIN || is_fine(ours) || ours == -EPROTO);
        CHECK(shmring_clock() < until);
    }
    /* A client that was hung up on was dropped for a lack, or it lacked something itself. */
    CHECK(begun != 0 || ours == 0 || ours == -EMFILE || lacked);
    if (ours == 0)
        shmring_link_close(&client);
    if (theirs == 0)
        shmring_link_close(&server);
    shmring_listener_close(&listener);
    return ours == 0 && theirs == 0;
}

static void try_limits(const char *what, bool (*run)(int limit))
{
    int refused = 0, first = 0;
    int before = count_descriptors();

    for (int limit = LIMIT_FIRST; limit <= LIMIT_LAST; limit++) {
        bool works = run(limit);

        CHECK_EQ(count_descriptors(), before);
        CHECK(access(path, F_OK) != 0);
        CHECK(works || first == 0); /* what fits, fits with more */
        refused += !works;
        first = works && first == 0 ? limit : first;
    }
    CHECK(refused > 0 && first > 0);
    printf("%s: %d limits refused, works from %d\n", what, refused, first);
}

int main(void)
{
    alarm(60);
    closefrom(LIMIT_FIRST);
    snprintf(name, sizeof name, "shmring-test-%d-few", (int)getpid());
    snprintf(path, sizeof path, "/tmp/shmring-test-%d-few", (int)getpid());
    try_limits("channel", channel);
    try_limits("queue", queue);
    try_limits("link", link_of_two);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Claim: while other processes of the same user connect some 10,000 times per second, and say
 * nothing, or nonsense, or a good HELLO and then nothing, an honest client is served each time,
 * within the time that a handshake has; and the server holds no more descriptors than it may.
 *
 * usage: link_flood [--scale SECONDS]     by default 2
 */
#include "check.h"

#include <dirent.h>
#include <shmring/shmring.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

enum {
    ATTACKERS = 3,
    HELD = 100, /* connections that an attacker keeps open, each */
    OWN_FDS = 16,
    FDS_PER_CLIENT = 4,
    PAUSE_NS = 200000, /* of an attacker; it sleeps for somewhat longer */
};

struct tally {
    shmring_word64 tried[ATTACKERS], connected[ATTACKERS];
    shmring_word64 descriptors; /* most that the server had */
    shmring_word32 stop;
};
static struct tally *tally;
static char directory[] = "/tmp/shmring-test-XXXXXX";
static char path[SHMRING_LINK_PATH_MAX + 1];
static const shmring_link_options options = {.size = sizeof options, .capacity = 4096};

static bool goes_on(void)
{
    return shmring_load32_acquire(&tally->stop) == 0;
}

static uint64_t count_descriptors(void)
{
    DIR *all = opendir("/proc/self/fd");
    uint64_t count = 0;

    CHECK(all != NULL);
    while (readdir(all) != NULL)
        count++;
    closedir(all);
    return count;
}

/* Without a handshake. Returns a descriptor or -errno. */
static int connect_raw(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    CHECK(fd >= 0);
    memcpy(address.sun_path, path, strlen(path));
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int error = -errno;

    close(fd);
    return error;
}

/* Says nothing, or nonsense, or a good HELLO, and leaves what comes unread. */
static void say(int which, int fd)
{
    shmring_handshake greeting;

    if (which == 1)
        send(fd, "nonsense", 8, MSG_NOSIGNAL);
    if (which != 2)
        return;
    int copy = dup(fd);

    if (shmring_handshake_begin(&greeting, SHMRING_LINK_CLIENT, copy, &options) == 0)
        greeting.socket = -1; /* left alone: there is nothing else to free in it yet */
    close(copy);
}

static _Noreturn void attack(int which)
{
    int fds[HELD];
    uint64_t count = 0;

    for (int i = 0; i < HELD; i++)
        fds[i] = -1;
    for (uint64_t tried = 1; goes_on(); tried++) {
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
        int fd = connect_raw();

        shmring_store64_relaxed(&tally->tried[which], tried);
        if (fd < 0) {
            CHECK(fd == -EAGAIN || !goes_on());
            continue;
        }
        say(which, fd);
        if (fds[count % HELD] >= 0)
            close(fds[count % HELD]);
        fds[count % HELD] = fd;
        shmring_store64_relaxed(&tally->connected[which], ++count);
    }
    _exit(0);
}

static _Noreturn void serve(int ready)
{
    static shmring_listener listener;
    shmring_link link;
    uint64_t most = 0;

    CHECK_EQ(shmring_link_listen(&listener, path, &options), 0);
    CHECK(write(ready, "", 1) == 1);
    while (goes_on()) {
        int error = shmring_link_accept(&listener, &link, shmring_deadline(10000000));
        uint64_t descriptors = count_descriptors();

        CHECK(error == 0 || error == -ETIMEDOUT);
        most = descriptors > most ? descriptors : most;
        shmring_store64_relaxed(&tally->descriptors, most);
        if (error == 0)
            shmring_link_close(&link);
    }
    shmring_listener_close(&listener);
    _exit(0);
}

static pid_t start_server(void)
{
    int ready[2];
    char byte;

    CHECK(pipe(ready) == 0);
    pid_t pid = check_fork();

    if (pid == 0)
        serve(ready[1]);
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    return pid;
}

/* As often as possible. Returns how often; also how long the longest took, ns. */
static uint64_t connect_often(int64_t until, int64_t *ret_longest)
{
    uint64_t count = 0;

    for (*ret_longest = 0; shmring_clock() < until; count++) {
        int64_t begin = shmring_clock();
        shmring_link link;
        char byte;

        CHECK_EQ(shmring_link_connect(&link, path, NULL, SHMRING_NEVER), 0);
        int64_t took = shmring_clock() - begin;

        *ret_longest = took > *ret_longest ? took : *ret_longest;
        CHECK_EQ(shmring_receiver_recv(&link.receiver, &byte, 1, NULL, NULL, SHMRING_NEVER),
                 -EPIPE);
        shmring_link_close(&link);
    }
    return count;
}

int main(int argc, char **argv)
{
    const int seconds = argc == 3 && strcmp(argv[1], "--scale") == 0 ? atoi(argv[2]) : 2;
    uint64_t tried = 0, connected = 0;
    pid_t attackers[ATTACKERS];
    int64_t longest;

    signal(SIGPIPE, SIG_IGN);
    tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(tally != MAP_FAILED && mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/socket", directory);
    pid_t server = start_server();

    for (int i = 0; i < ATTACKERS; i++) {
        attackers[i] = check_fork();
        if (attackers[i] == 0)
            attack(i);
    }
    uint64_t count = connect_often(shmring_deadline(seconds * INT64_C(1000000000)), &longest);

    shmring_store32_release(&tally->stop, 1);
    CHECK_EQ(check_wait(server), 0);
    for (int i = 0; i < ATTACKERS; i++) {
        CHECK_EQ(check_wait(attackers[i]), 0);
        CHECK(shmring_load64_relaxed(&tally->connected[i]) > 0);
        connected += shmring_load64_relaxed(&tally->connected[i]);
        tried += shmring_load64_relaxed(&tally->tried[i]);
    }
    uint64_t descriptors = shmring_load64_relaxed(&tally->descriptors);

    printf("%llu links, the longest in %lld us; %llu others tried, and %llu got in; at most %llu "
           "descriptors\n",
           (unsigned long long)count, (long long)(longest / 1000), (unsigned long long)tried,
           (unsigned long long)connected, (unsigned long long)descriptors);
    CHECK(count > 0);
    CHECK(descriptors < OWN_FDS + FDS_PER_CLIENT * SHMRING_LINK_PENDING);
    CHECK_EQ(rmdir(directory), 0);
    return 0;
}

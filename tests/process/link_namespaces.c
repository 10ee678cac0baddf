/* SPDX-License-Identifier: MIT */
/*
 * Claim: a link works from one namespace to another, of each kind and of all at once, where nothing
 * is shared but the socket; a death there is seen here; and who has no name in a user namespace is
 * nobody's own user.
 */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <shmring/shmring.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

enum {
    NOBODY = 65534,
    REFUSED = 99,
    TEXT = 16,
    ALL = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS,
    OF_CHILDREN = CLONE_NEWPID | CLONE_NEWTIME, /* who asks for one stays where he is */
};

static char link_directory[] = "/tmp/shmring-test-XXXXXX";
static char link_path[SHMRING_LINK_PATH_MAX + 1]; /* of the socket */
static int tried;

static const int64_t HANG_NS = 60000000000;

static void expect_text(shmring_receiver *receiver, const char *wanted)
{
    char text[TEXT] = "";

    CHECK_EQ(shmring_receiver_recv(receiver, text, TEXT, NULL, NULL, shmring_deadline(HANG_NS)), 0);
    CHECK(strcmp(text, wanted) == 0);
}

static void send_text(shmring_sender *sender, const char *text)
{
    CHECK_EQ(shmring_sender_send(sender, text, strlen(text) + 1, 0, SHMRING_NOW), 0);
}

/* In the other namespace, until it is killed. */
static _Noreturn void be_client(int flag)
{
    const uid_t uids[] = {NOBODY};
    const bool nameless = (flag & CLONE_NEWUSER) != 0;
    const shmring_link_options options = {
        .size = sizeof options, .uids = uids, .uid_count = nameless ? 1 : 0};
    shmring_link link;

    if (nameless) /* nor has the server a name: that does not make us one */
        CHECK_EQ(shmring_link_connect(&link, link_path, NULL, SHMRING_NEVER), -EPERM);
    CHECK_EQ(shmring_link_connect(&link, link_path, &options, SHMRING_NEVER), 0);
    if ((flag & CLONE_NEWPID) != 0)
        CHECK_EQ(link.peer.pid, 0);
    else if (flag != CLONE_NEWTIME)
        CHECK_EQ(link.peer.pid, getppid());
    if (flag == ALL)
        CHECK_EQ(access("/dev/shm/.", W_OK), -1);
    expect_text(&link.receiver, "to the client");
    send_text(&link.sender, "to the server");
    for (;;)
        pause();
}

static void write_file(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY);

    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static pid_t start_client(int flag)
{
    pid_t child = check_fork();

    if (child != 0)
        return child;
    if (unshare(flag) != 0)
        _exit(REFUSED);
    if (flag == CLONE_NEWTIME)
        write_file("/proc/self/timens_offsets", "monotonic 1000000 0\n");
    if (flag == ALL && (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
                        mount("none", "/dev/shm", "tmpfs", MS_RDONLY, NULL) != 0))
        _exit(REFUSED);
    if ((flag & OF_CHILDREN) != 0) {
        pid_t inner = fork(); /* it does not know its parent, as check_fork() wants */

        CHECK(inner >= 0);
        if (inner == 0) {
            CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
            be_client(flag);
        }
        _exit(check_wait(inner) == -SIGKILL ? 0 : 1);
    }
    be_client(flag);
}

static bool accept_from(shmring_listener *listener, pid_t child, shmring_link *ret_link)
{
    int64_t until = shmring_clock() + HANG_NS;
    int status;

    while (shmring_link_accept(listener, ret_link, shmring_deadline(10000000)) != 0) {
        CHECK(shmring_clock() < until);
        if (waitpid(child, &status, WNOHANG) == child) {
            CHECK(WIFEXITED(status));
            CHECK_EQ(WEXITSTATUS(status), REFUSED);
            return false;
        }
    }
    return true;
}

static void try(int flag, const char *name)
{
    shmring_listener listener;
    shmring_link link;
    char byte;

    CHECK_EQ(shmring_link_listen(&listener, link_path, NULL), 0);
    pid_t child = start_client(flag);

    if (!accept_from(&listener, child, &link)) {
        printf("not tried: no permission for another %s namespace\n", name);
        shmring_listener_close(&listener);
        return;
    }
    CHECK(link.peer.pid > 0);
    CHECK((flag & OF_CHILDREN) != 0 || link.peer.pid == child);
    tried += flag != 0;
    int pidfd = shmring_link_pidfd(&link);

    CHECK(pidfd >= 0 || pidfd == -EOPNOTSUPP);
    send_text(&link.sender, "to the client");
    expect_text(&link.receiver, "to the server");
    CHECK(kill(link.peer.pid, SIGKILL) == 0);
    CHECK_EQ(shmring_receiver_recv(&link.receiver, &byte, 1, NULL, NULL, shmring_deadline(HANG_NS)),
             -EOWNERDEAD);
    struct pollfd one = {.fd = pidfd, .events = POLLIN};

    CHECK(pidfd < 0 || poll(&one, 1, 10000) == 1);
    close(pidfd);
    shmring_link_close(&link);
    shmring_listener_close(&listener);
    check_wait(child);
}

/* A server that is nobody, by name, where we have none: it sees us as nobody, too. */
static _Noreturn void be_nobody(int ready)
{
    const shmring_link_options open_to_all = {.size = sizeof open_to_all, .mode = 0666};
    shmring_listener listener;
    shmring_link link;
    char byte;

    if (unshare(CLONE_NEWUSER) != 0)
        _exit(REFUSED);
    CHECK(write(ready, "", 1) == 1);
    CHECK(read(ready, &byte, 1) == 1);
    CHECK(setresuid(NOBODY, NOBODY, NOBODY) == 0);
    CHECK_EQ(shmring_link_listen(&listener, link_path, &open_to_all), 0);
    CHECK(write(ready, "", 1) == 1);
    while (recv(ready, &byte, 1, MSG_DONTWAIT) < 0)
        CHECK_EQ(shmring_link_accept(&listener, &link, shmring_deadline(1000000)), -ETIMEDOUT);
    shmring_listener_close(&listener);
    _exit(0);
}

static void try_nobody(void)
{
    const uid_t uids[] = {NOBODY};
    const shmring_link_options options = {.size = sizeof options, .uids = uids, .uid_count = 1};
    char name[64], byte;
    shmring_link link;
    int ready[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ready) == 0);
    CHECK(chmod(link_directory, 01777) == 0);
    pid_t child = check_fork();

    if (child == 0) {
        close(ready[0]);
        be_nobody(ready[1]);
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) {
        CHECK_EQ(check_wait(child), REFUSED);
        printf("not tried: a nobody in another user namespace\n");
        return;
    }
    snprintf(name, sizeof name, "/proc/%d/uid_map", (int)child);
    write_file(name, "65534 65534 1\n");
    CHECK(write(ready[0], "", 1) == 1);
    CHECK(read(ready[0], &byte, 1) == 1);
    CHECK_EQ(shmring_link_connect(&link, link_path, &options, SHMRING_NEVER), -EPROTO);
    CHECK(write(ready[0], "", 1) == 1);
    CHECK_EQ(check_wait(child), 0);
    close(ready[0]);
}

/* Without XDG_RUNTIME_DIR, in a /run of our own. */
static void try_default_directory(void)
{
    pid_t child = check_fork();

    if (child == 0) {
        shmring_listener listener;
        shmring_handshake client;
        struct stat status;

        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount("run", "/run", "tmpfs", 0, "mode=755") != 0)
            _exit(REFUSED);
        unsetenv("XDG_RUNTIME_DIR");
        CHECK_EQ(shmring_handshake_connect(&client, "name", NULL), -ENOENT);
        CHECK_EQ(shmring_link_listen(&listener, "name", NULL), 0);
        CHECK_EQ(shmring_handshake_connect(&client, "name", NULL), 0);
        CHECK(stat("/run/shmring/0", &status) == 0 && (status.st_mode & 07777) == 0700);
        CHECK(stat("/run/shmring/0/name", &status) == 0 && S_ISSOCK(status.st_mode));
        shmring_handshake_cancel(&client);
        shmring_listener_close(&listener);
        _exit(0);
    }
    int result = check_wait(child);

    if (result == REFUSED)
        printf("not tried: the default directory\n");
    else
        CHECK_EQ(result, 0);
}

static void try_all(void)
{
    try(0, "no other");
    try(CLONE_NEWPID, "pid");
    try(CLONE_NEWNS, "mount");
    try(CLONE_NEWIPC, "ipc");
    try(CLONE_NEWNET, "net");
    try(CLONE_NEWUTS, "uts");
    try(CLONE_NEWTIME, "time");
    try(CLONE_NEWUSER, "user");
    try(ALL, "user, pid, mount, ipc, net and uts");
    if (geteuid() == 0) {
        try_default_directory();
        try_nobody();
    }
    if (tried == 0)
        SKIP("no namespace is permitted");
}

/* In a child, so that the directory is removed however it ends. */
int main(void)
{
    static const char *const left[] = {"", ".lock"};

    CHECK(mkdtemp(link_directory) != NULL);
    snprintf(link_path, sizeof link_path, "%s/socket", link_directory);
    pid_t child = check_fork();

    if (child == 0) {
        try_all();
        fflush(NULL);
        _exit(0);
    }
    int status = check_wait(child);

    for (int i = 0; i < 2; i++) {
        char path[sizeof link_path + 8];

        snprintf(path, sizeof path, "%s%s", link_path, left[i]);
        unlink(path);
    }
    CHECK(rmdir(link_directory) == 0);
    return status < 0 ? 1 : status;
}

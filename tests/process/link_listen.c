/* SPDX-License-Identifier: MIT */
/*
 * Claim: a listener serves whom its options let in, and nobody else; one that is silent, killed or
 * one of a flood keeps no other waiting for long and leaves nothing open; a socket is taken over
 * from a dead server and not from a living one; the directory must be safe.
 */
#include "link_middle.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

enum { NOBODY = 65534 };

static char directory[] = "/tmp/shmring-link-XXXXXX";
static char path[SHMRING_LINK_PATH_MAX];
static shmring_listener listener;

/* Patient, for the machine may be busy. */
static const shmring_link_options options = {
    .size = sizeof options, .capacity = 4096, .timeout_ns = INT64_C(20000000000)};

static int64_t soon(void)
{
    return shmring_deadline(INT64_C(60000000000));
}

/* Serves in a child, each client until it leaves, until killed. */
static pid_t serve(const shmring_link_options *server)
{
    int pipes[2];
    char byte;

    CHECK(pipe(pipes) == 0);
    pid_t pid = check_fork();

    if (pid == 0) {
        CHECK_EQ(shmring_link_listen(&listener, path, server), 0);
        CHECK(write(pipes[1], "r", 1) == 1);
        for (;;) {
            shmring_link link;

            if (shmring_link_accept(&listener, &link, SHMRING_NEVER) == 0) {
                shmring_sender_send(&link.sender, "hello", 6, 0, SHMRING_NOW);
                shmring_link_close(&link);
            }
        }
    }
    close(pipes[1]);
    CHECK(read(pipes[0], &byte, 1) == 1);
    close(pipes[0]);
    return pid;
}

static void stop(pid_t pid)
{
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK_EQ(check_wait(pid), -SIGKILL);
}

static int visit(const shmring_link_options *client)
{
    shmring_link link;
    char text[8];
    int error = shmring_link_connect(&link, path, client, soon());

    if (error != 0)
        return error;
    CHECK_EQ(shmring_receiver_recv(&link.receiver, text, sizeof text, NULL, NULL, soon()), 0);
    shmring_link_close(&link);
    return 0;
}

static int connect_raw(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    CHECK(fd >= 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static void a_socket_is_taken_over_from_the_dead_only(void)
{
    pid_t pid = serve(&options);

    CHECK_EQ(shmring_link_listen(&listener, path, &options), -EADDRINUSE);
    CHECK_EQ(visit(&options), 0);
    stop(pid);
    CHECK_EQ(access(path, F_OK), 0);
    CHECK_EQ(visit(&options), -ECONNREFUSED);
    CHECK_EQ(shmring_link_listen(&listener, path, &options), 0);
    shmring_listener_close(&listener);
    CHECK_EQ(access(path, F_OK), -1);
    CHECK_EQ(visit(&options), -ENOENT);
}

/* Both are under way when the server comes to look: one is returned, the other not forgotten. */
static void two_at_once_are_both_served(void)
{
    shmring_handshake clients[2];
    shmring_link servers[2], links[2];

    CHECK_EQ(shmring_link_listen(&listener, path, &options), 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(shmring_handshake_connect(&clients[i], path, NULL), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(shmring_link_accept(&listener, &servers[0], SHMRING_NOW), -ETIMEDOUT);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(shmring_handshake_step(&clients[i], &links[i]), -EAGAIN);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(shmring_link_accept(&listener, &servers[i], soon()), 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(shmring_handshake_finish(&clients[i], &links[i], soon()), 0);
    for (int i = 0; i < 2; i++) {
        shmring_link_close(&servers[i]);
        shmring_link_close(&links[i]);
    }
    shmring_listener_close(&listener);
}

static void a_child_closes_its_copies_only(void)
{
    CHECK_EQ(shmring_link_listen(&listener, path, &options), 0);
    pid_t pid = check_fork();

    if (pid == 0) {
        shmring_listener_close(&listener);
        _exit(0);
    }
    CHECK_EQ(check_wait(pid), 0);
    CHECK_EQ(access(path, F_OK), 0);
    shmring_listener_close(&listener);
}

static void another_file_is_left_alone(void)
{
    char beside[sizeof path + sizeof ".new"];
    FILE *file = fopen(path, "w");

    CHECK(file != NULL && fclose(file) == 0);
    CHECK_EQ(shmring_link_listen(&listener, path, &options), -EEXIST);
    CHECK_EQ(visit(&options), -ECONNREFUSED);
    CHECK(snprintf(beside, sizeof beside, "%s.new", path) < (int)sizeof beside);
    CHECK_EQ(rename(path, beside), 0);
    CHECK_EQ(shmring_link_listen(&listener, path, &options), -EEXIST);
    CHECK_EQ(unlink(beside), 0);
}

static void the_directory_must_be_safe(void)
{
    CHECK(chmod(directory, 0777) == 0);
    CHECK_EQ(shmring_link_listen(&listener, path, &options), -EPERM);
    CHECK(chmod(directory, 01777) == 0);
    CHECK_EQ(shmring_link_listen(&listener, path, &options), 0);
    shmring_listener_close(&listener);
    if (geteuid() == 0) {
        CHECK(chown(directory, NOBODY, NOBODY) == 0 && chmod(directory, 0700) == 0);
        CHECK_EQ(shmring_link_listen(&listener, path, &options), -EPERM);
        CHECK(chown(directory, 0, 0) == 0);
    }
    CHECK(chmod(directory, 0700) == 0);
}

static void the_socket_has_the_mode_that_was_asked_for(void)
{
    const shmring_link_options wide = {.size = sizeof wide, .mode = 0666};
    const mode_t mask = umask(077);
    struct stat status;

    CHECK_EQ(shmring_link_listen(&listener, path, &wide), 0);
    CHECK(stat(path, &status) == 0);
    CHECK_EQ(status.st_mode & 0777, 0666);
    shmring_listener_close(&listener);
    umask(0);
    CHECK_EQ(shmring_link_listen(&listener, path, NULL), 0);
    CHECK(stat(path, &status) == 0);
    CHECK_EQ(status.st_mode & 0777, 0600);
    shmring_listener_close(&listener);
    umask(mask);
}

static void wrong_paths_and_options_are_refused(void)
{
    const shmring_link_options bad[] = {
        {.size = sizeof *bad, .capacity = 4097},
        {.size = sizeof *bad, .capacity = UINT64_C(1) << 40},
        {.size = sizeof *bad, .timeout_ns = -1},
        {.size = sizeof *bad, .mode = 01000},
        {.size = sizeof *bad, .uid_count = 1},
        {.size = sizeof *bad, .wait = (enum shmring_wait_policy)9},
    };
    char longest[SHMRING_LINK_PATH_MAX + 2];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_EQ(shmring_link_listen(&listener, path, &bad[i]), -EINVAL);
    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    CHECK_EQ(shmring_link_listen(&listener, longest, NULL), -ENAMETOOLONG);
    CHECK_EQ(shmring_link_listen(&listener, "", NULL), -EINVAL);
    CHECK_EQ(shmring_link_listen(&listener, NULL, NULL), -EINVAL);
    CHECK_EQ(shmring_link_listen(&listener, "/tmp/", NULL), -EINVAL);
    CHECK_EQ(shmring_link_listen(&listener, "/tmp/socket.lock", NULL), -EINVAL);
    CHECK_EQ(shmring_link_listen(&listener, "/tmp/socket.new", NULL), -EINVAL);
    CHECK_EQ(shmring_link_listen(&listener, "/no/such/place", NULL), -ENOENT);
    CHECK_EQ(shmring_link_listen(&listener, "@abstract", NULL), -EINVAL); /* no is_welcome */
}

static bool welcome_all(void *argument, const shmring_link_peer *peer, bool is_listed, int pidfd)
{
    (void)peer;
    (void)is_listed;
    (void)pidfd;
    return *(const bool *)argument;
}

static void abstract_names_and_the_default_directory_work(void)
{
    bool yes = true;
    const shmring_link_options open = {
        .size = sizeof open, .capacity = 4096, .is_welcome = welcome_all, .argument = &yes};
    char saved[sizeof path];

    memcpy(saved, path, sizeof path);
    snprintf(path, sizeof path, "@shmring-test-%ld", (long)getpid());
    pid_t pid = serve(&open);

    CHECK_EQ(visit(&options), 0);
    stop(pid);
    CHECK(setenv("XDG_RUNTIME_DIR", directory, 1) == 0);
    snprintf(path, sizeof path, "name");
    CHECK_EQ(shmring_link_listen(&listener, path, NULL), 0);
    snprintf(path, sizeof path, "%s/shmring", directory);
    struct stat status;

    CHECK(stat(path, &status) == 0 && S_ISDIR(status.st_mode) && (status.st_mode & 0777) == 0700);
    shmring_listener_close(&listener);
    CHECK_EQ(rmdir(path), 0); /* nothing is left in it */
    memcpy(path, saved, sizeof path);
}

/* As another user, in a child. Exits with what visit() returned. */
static int visit_as_nobody(const shmring_link_options *client)
{
    pid_t pid = check_fork();

    if (pid == 0) {
        CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
        _exit(-visit(client));
    }
    return -check_wait(pid);
}

static void strangers_come_in_only_if_they_are_let_in(void)
{
    const uid_t nobody = NOBODY, root = 0;
    const gid_t nogroup = NOBODY;
    bool yes = true, no = false;
    const shmring_link_options to_root = {.size = sizeof to_root, .uids = &root, .uid_count = 1};
    const struct {
        shmring_link_options server;
        int own, strange;
    } cases[] = {
        {{.mode = 0666}, 0, -EPROTO},
        {{.mode = 0600, .uids = &nobody, .uid_count = 1}, 0, -EACCES},
        {{.mode = 0666, .uids = &nobody, .uid_count = 1}, 0, 0},
        {{.mode = 0666, .gids = &nogroup, .gid_count = 1}, 0, 0},
        {{.mode = 0666, .is_welcome = welcome_all, .argument = &yes}, 0, 0},
        {{.mode = 0666, .is_welcome = welcome_all, .argument = &no}, -EPROTO, -EPROTO},
    };

    if (geteuid() != 0) {
        printf("strangers: not tried, for only root can become one\n");
        return;
    }
    CHECK(chmod(directory, 0755) == 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        shmring_link_options server = cases[i].server;

        server.size = sizeof server;
        server.capacity = options.capacity;
        pid_t pid = serve(&server);

        CHECK_EQ(visit(&options), cases[i].own);
        CHECK_EQ(visit_as_nobody(&to_root), cases[i].strange);
        if (cases[i].strange == 0) /* a client does not talk to another user's server unasked */
            CHECK_EQ(visit_as_nobody(NULL), -EPERM);
        stop(pid);
    }
    CHECK(chmod(directory, 0700) == 0);
}

static void the_silent_are_dropped_and_keep_nobody_waiting(void)
{
    shmring_link_options hasty = options;
    int silent[8];
    char byte;

    hasty.timeout_ns = INT64_C(200000000);
    pid_t pid = serve(&hasty);

    for (int i = 0; i < 8; i++)
        CHECK((silent[i] = connect_raw()) >= 0);
    CHECK_EQ(visit(&options), 0);
    for (int i = 0; i < 8; i++) {
        ssize_t got;

        while ((got = recv(silent[i], &byte, 1, MSG_DONTWAIT)) < 0)
            usleep(1000); /* hangs if it is never dropped */
        CHECK_EQ(got, 0);
        close(silent[i]);
    }
    stop(pid);
}

/* Connects as fast as it can, and says nothing, or nothing of sense. */
static pid_t flood(bool talks)
{
    pid_t pid = check_fork();

    if (pid != 0)
        return pid;
    for (;;) {
        int fd = connect_raw();

        if (fd >= 0 && talks)
            send(fd, "SHRH nonsense", 13, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (fd >= 0)
            close(fd);
    }
}

static void a_flood_keeps_nobody_out(void)
{
    pid_t pid = serve(&options), floods[2] = {flood(false), flood(true)};

    for (int i = 0; i < 50; i++)
        CHECK_EQ(visit(&options), 0);
    for (int i = 0; i < 2; i++)
        stop(floods[i]);
    CHECK_EQ(visit(&options), 0);
    stop(pid);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    CHECK(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/socket", directory);
    struct held before = count_held();

    a_socket_is_taken_over_from_the_dead_only();
    two_at_once_are_both_served();
    a_child_closes_its_copies_only();
    another_file_is_left_alone();
    the_directory_must_be_safe();
    the_socket_has_the_mode_that_was_asked_for();
    wrong_paths_and_options_are_refused();
    abstract_names_and_the_default_directory_work();
    strangers_come_in_only_if_they_are_let_in();
    the_silent_are_dropped_and_keep_nobody_waiting();
    a_flood_keeps_nobody_out();
    check_held(before, 100);
    char lock[SHMRING_LINK_PATH_MAX + 8];

    snprintf(lock, sizeof lock, "%s.lock", path);
    unlink(path); /* of a server that was killed */
    unlink(lock);
    CHECK_EQ(rmdir(directory), 0);
    return 0;
}

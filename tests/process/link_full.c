/* SPDX-License-Identifier: MIT */
/*
 * Claim: a listener that has no place for another client, or no descriptor, rests: it is not
 * readable all the time, and is again by itself, or once a place is free. Nobody has to make room
 * before it had its grace. It drops whom it has no descriptor for, also after somebody else took
 * the one that it had spared for that. Whom it cannot judge for lack of one is turned away,
 * unasked.
 */
#include "link_middle.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/un.h>

enum { TRIES = 1000, MANY = 400, LIMIT = 1024, HANG_MS = 60000 };

static char directory[] = "/tmp/shmring-link-XXXXXX";
static char path[SHMRING_LINK_PATH_MAX];
static shmring_listener listener;
static const shmring_link_options patient = {.size = sizeof patient,
                                             .timeout_ns = INT64_C(60000000000)};
static unsigned asked;

static bool is_welcome(void *argument, const shmring_link_peer *peer, bool is_listed, int pidfd)
{
    (void)argument, (void)peer, (void)is_listed;
    CHECK(pidfd >= 0);
    asked++;
    return true;
}

static int connect_raw(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

static bool is_readable(int fd, int milliseconds)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    return poll(&one, 1, milliseconds) == 1;
}

static int accept_now(void)
{
    shmring_link link;

    return shmring_link_accept(&listener, &link, SHMRING_NOW);
}

static void limit_to(int descriptors)
{
    struct rlimit limit = {.rlim_cur = (rlim_t)descriptors, .rlim_max = LIMIT};

    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* The lowest descriptor that is free: with a limit of that there is none. */
static int next_descriptor(void)
{
    int fd = dup(0);

    CHECK(fd >= 0 && close(fd) == 0);
    return fd;
}

static void listen_with(const shmring_link_options *options)
{
    CHECK_EQ(shmring_link_listen(&listener, path, options), 0);
}

/* With clients that say nothing, until there is no place, and one more. Nobody has to go before its
 * grace is over, so it comes to that, unless it takes so long to connect. Returns how many. */
static int fill(int fds[MANY])
{
    int count = 0;

    do {
        CHECK(count < MANY - 1);
        fds[count++] = connect_raw();
        CHECK_EQ(accept_now(), -ETIMEDOUT);
    } while (!listener.rests);
    fds[count++] = connect_raw();
    return count;
}

static void close_all(const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        close(fds[i]);
    shmring_listener_close(&listener);
}

/* The oldest makes room for the last one after a while: till then it rests, and looks again. */
static void full_it_rests(void)
{
    int fds[MANY];
    bool rests = false;

    listen_with(&patient);
    int count = fill(fds), oldest = count - 1 - SHMRING_LINK_PENDING;

    for (int i = 0; i < TRIES && !rests; i++) {
        CHECK_EQ(accept_now(), -ETIMEDOUT);
        rests = !is_readable(shmring_listener_fd(&listener), 0);
    }
    CHECK(rests);
    while (!is_readable(fds[oldest], 0)) {
        CHECK(is_readable(shmring_listener_fd(&listener), HANG_MS));
        CHECK_EQ(accept_now(), -ETIMEDOUT);
    }
    close_all(fds, count);
}

static int count_pending(void)
{
    int count = 0;

    for (int i = 0; i < SHMRING_LINK_PENDING; i++)
        count += listener.pending[i].state != 0;
    return count;
}

/* Who waits gets the place of one that goes away at once, not at the end of the rest. */
static void free_place_ends_the_rest(void)
{
    int fds[MANY];

    listen_with(&patient);
    int count = fill(fds);

    close(fds[count - 2]);
    CHECK_EQ(accept_now(), -ETIMEDOUT);
    CHECK(is_readable(shmring_listener_fd(&listener), 0));
    CHECK_EQ(accept_now(), -ETIMEDOUT);
    CHECK_EQ(count_pending(), SHMRING_LINK_PENDING);
    fds[count - 2] = fds[count - 1];
    close_all(fds, count - 1);
}

/* With so many descriptors left a client that comes now is dropped, and told. */
static void drops_one(int left)
{
    int fd = connect_raw(), error;

    limit_to(next_descriptor() + left);
    while ((error = accept_now()) == -ETIMEDOUT)
        CHECK(is_readable(shmring_listener_fd(&listener), HANG_MS));
    CHECK_EQ(error, -EMFILE);
    limit_to(LIMIT);
    CHECK(is_readable(fd, HANG_MS));
    close(fd);
}

static void spare_descriptor_comes_back(void)
{
    bool rests = false;

    listen_with(NULL);
    drops_one(0);
    drops_one(0);
    int fd = connect_raw(), before = listener.spare;

    /* Another thread was faster, at the moment when it was closed. */
    CHECK(close(listener.spare) == 0);
    CHECK_EQ(dup(0), before);
    listener.spare = -1;
    limit_to(next_descriptor());
    for (int i = 0; i < TRIES && !rests; i++) {
        int error = accept_now();

        CHECK(error == -EMFILE || error == -ETIMEDOUT);
        rests = !is_readable(shmring_listener_fd(&listener), 0);
    }
    CHECK(rests);
    CHECK(!is_readable(fd, 0));
    limit_to(LIMIT);
    CHECK(is_readable(shmring_listener_fd(&listener), HANG_MS));
    CHECK_EQ(accept_now(), -ETIMEDOUT);
    CHECK(listener.spare >= 0);
    drops_one(0);
    close(fd);
    close(before);
    shmring_listener_close(&listener);
}

static void nobody_is_judged_by_less(void)
{
    const shmring_link_options asking = {.size = sizeof asking, .is_welcome = is_welcome};

    listen_with(&asking);
    drops_one(1); /* for the socket, and none for the pidfd */
    CHECK_EQ(asked, 0);
    int fd = connect_raw();

    while (asked == 0) { /* once it has rested */
        CHECK(is_readable(shmring_listener_fd(&listener), HANG_MS));
        CHECK_EQ(accept_now(), -ETIMEDOUT);
    }
    CHECK_EQ(asked, 1);
    close(fd);
    shmring_listener_close(&listener);
}

static bool has_pidfds(void)
{
    int sockets[2], pidfd;
    socklen_t size = sizeof pidfd;
    const int so_peerpidfd = 77;

    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0);
    bool has = getsockopt(sockets[0], SOL_SOCKET, so_peerpidfd, &pidfd, &size) == 0;

    if (has)
        close(pidfd);
    close(sockets[0]);
    close(sockets[1]);
    return has;
}

int main(void)
{
    CHECK(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/socket", directory);
    full_it_rests();
    free_place_ends_the_rest();
    spare_descriptor_comes_back();
    if (has_pidfds())
        nobody_is_judged_by_less();
    CHECK(rmdir(directory) == 0);
    return 0;
}

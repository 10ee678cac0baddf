/* SPDX-License-Identifier: MIT */
/*
 * Claim: descriptors of the wrong number, order or kind, whichever of them, end the handshake with
 * a documented error on the side that got them, at once, with all of them closed; so does a lack of
 * them.
 */
#include "link_middle.h"

#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

static const shmring_link_options options = {
    .size = sizeof options, .capacity = 4096, .client_owned = true};
static const shmring_link_options plain = {.size = sizeof plain, .capacity = 4096};

enum { LANE_SIZE = 3 * 4096 + 4096 };

/* A memfd like a lane, but for what is asked for. */
static int make_memfd(off_t size, int seals, const char *header)
{
    int fd = memfd_create("wrong", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    CHECK(fd >= 0 && ftruncate(fd, size) == 0);
    if (header != NULL)
        CHECK(pwrite(fd, header, strlen(header), 0) > 0);
    CHECK(fcntl(fd, F_ADD_SEALS, seals) == 0);
    return fd;
}

enum {
    FULL = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL,
    HALF = F_SEAL_SHRINK | F_SEAL_GROW
};

/* The other end of it, which reads nothing. */
static int unread[2] = {-1, -1};

/* A TCP connection whose close() waits for its unsent data, three seconds. */
static int make_lingering(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    const struct linger linger = {1, 3};
    static const char filler[1 << 16];
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    CHECK(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    connect(fd, (struct sockaddr *)&address, length);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
    int other = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    CHECK(other >= 0);
    while (send(fd, filler, sizeof filler, MSG_DONTWAIT) > 0)
        continue;
    unread[0] = listener;
    unread[1] = other;
    return fd;
}

enum {
    PIPE,
    SOCKET,
    TMPFS_FILE,
    UNSEALED,
    NO_GROW,
    NO_FUTURE_WRITE,
    TOO_LONG,
    TOO_SHORT,
    EMPTY_MEMFD,
    WRONG_HEADER,
    NO_HEADER,
    DIRECTORY,
    PATH_ONLY,
    EVENTFD,
    NULL_DEVICE,
    LINGERING,
    LONGER_COPY,
    SHORTER_COPY,
    WRONG_KINDS
};

/* A good lane but for its size. */
static int copy_lane(int fd, off_t size)
{
    static char bytes[2 * LANE_SIZE];
    ssize_t length = pread(fd, bytes, (size_t)size, 0);
    int copy = memfd_create("wrong", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    CHECK(copy >= 0 && ftruncate(copy, size) == 0);
    if (length > 0)
        CHECK(pwrite(copy, bytes, (size_t)length, 0) == length);
    CHECK(fcntl(copy, F_ADD_SEALS, FULL) == 0);
    return copy;
}

/* In place of fd. */
static int make_wrong(int kind, int fd)
{
    int pipes[2];

    switch (kind) {
    case PIPE:
        CHECK(pipe2(pipes, O_CLOEXEC) == 0);
        close(pipes[1]);
        return pipes[0];
    case SOCKET:
        return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    case TMPFS_FILE:
        return open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    case UNSEALED:
        return make_memfd(LANE_SIZE, 0, NULL);
    case NO_GROW:
        return make_memfd(LANE_SIZE, F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE, NULL);
    case NO_FUTURE_WRITE:
        return make_memfd(LANE_SIZE, HALF | F_SEAL_SEAL, NULL);
    case TOO_LONG:
        return make_memfd(LANE_SIZE + 1, FULL, NULL);
    case TOO_SHORT:
        return make_memfd(LANE_SIZE - 1, FULL, NULL);
    case EMPTY_MEMFD:
        return make_memfd(0, FULL, NULL);
    case WRONG_HEADER:
        return make_memfd(LANE_SIZE, FULL, "shmring");
    case NO_HEADER:
        return make_memfd(LANE_SIZE, FULL, NULL);
    case DIRECTORY:
        return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    case PATH_ONLY:
        return open("/dev/null", O_PATH | O_CLOEXEC);
    case EVENTFD:
        return eventfd(0, EFD_CLOEXEC);
    case NULL_DEVICE:
        return open("/dev/null", O_RDWR | O_CLOEXEC);
    case LONGER_COPY:
        return copy_lane(fd, LANE_SIZE + 4096);
    case SHORTER_COPY:
        return copy_lane(fd, LANE_SIZE - 4096);
    default:
        return make_lingering();
    }
}

/* What is done to the descriptors of a message. */
struct change {
    enum { REPLACE, DROP, DOUBLE, SWAP, COPY } what;
    int at, other; /* COPY: other becomes the same file as at */
    int kind;
};

static void change_fds(struct packet *packet, const void *how)
{
    const struct change *change = how;
    int *at = &packet->fds[change->at], *other = &packet->fds[change->other], kept = *at;

    switch (change->what) {
    case REPLACE:
        kept = make_wrong(change->kind, *at);
        close(*at);
        *at = kept;
        break;
    case DROP:
        close(*at);
        *at = packet->fds[--packet->count];
        break;
    case DOUBLE:
        packet->fds[packet->count++] = fcntl(*at, F_DUPFD_CLOEXEC, 0);
        break;
    case SWAP:
        *at = *other;
        *other = kept;
        break;
    case COPY:
        close(*other);
        *other = fcntl(*at, F_DUPFD_CLOEXEC, 0);
        break;
    }
}

/* Must not succeed on the side that got them. */
static void expect_refused(const shmring_link_options *both, int message, struct change change)
{
    const struct tampering tampering = {message, change_fds, &change, NULL};
    const int to = message % 2 == 0 ? SHMRING_LINK_SERVER : SHMRING_LINK_CLIENT;
    const struct held before = count_held();
    const time_t began = time(NULL);
    shmring_link links[2];
    int errors[2];

    shake_hands(both, both, &tampering, links, errors);
    if (errors[to] == 0)
        fprintf(stderr, "message %d: %d at %d, %d, kind %d\n", message, (int)change.what, change.at,
                change.other, change.kind);
    CHECK(errors[to] != 0 && is_documented(errors[to]) && is_documented(errors[1 - to]));
    close_links(links, errors);
    CHECK(time(NULL) - began < 3);
    for (int i = 0; i < 2; i++) {
        if (unread[i] >= 0)
            close(unread[i]);
        unread[i] = -1;
    }
    check_held(before, 1);
}

static void a_wrong_descriptor_is_refused(void)
{
    for (int kind = 0; kind < WRONG_KINDS; kind++) {
        for (int at = 0; at < 3; at++) {
            /* The lock file is but locked: any sealed, empty memfd will do, and it is not read. */
            if (at == 1 && kind == EMPTY_MEMFD)
                continue;
            /* The client's own lane is for the client to write: what is in it does not matter, and
             * that it can be sealed is the server's concern. */
            if (at == 2 && (kind == NO_HEADER || kind == WRONG_HEADER || kind == NO_FUTURE_WRITE))
                continue;
            expect_refused(&plain, OFFER, (struct change){REPLACE, at, 0, kind});
        }
        expect_refused(&options, ACK, (struct change){REPLACE, 0, 0, kind});
    }
}

static void a_wrong_number_is_refused(void)
{
    for (int at = 0; at < 3; at++) {
        expect_refused(&plain, OFFER, (struct change){DROP, at, 0, 0});
        expect_refused(&plain, OFFER, (struct change){DOUBLE, at, 0, 0});
    }
    expect_refused(&options, ACK, (struct change){DROP, 0, 0, 0});
    expect_refused(&options, ACK, (struct change){DOUBLE, 0, 0, 0});
}

static void the_same_twice_or_in_another_order_is_refused(void)
{
    for (int at = 0; at < 3; at++) {
        for (int other = 0; other < 3; other++) {
            if (at == other)
                continue;
            expect_refused(&plain, OFFER, (struct change){COPY, at, other, 0});
            expect_refused(&plain, OFFER, (struct change){SWAP, at, other, 0});
        }
    }
}

static int lane_kept = -1;

static void keep_lane(struct packet *packet, const void *how)
{
    (void)how;
    lane_kept = fcntl(packet->fds[0], F_DUPFD_CLOEXEC, 0);
}

static void give_it_back(struct packet *packet, const void *how)
{
    (void)how;
    close(packet->fds[0]);
    packet->fds[0] = lane_kept;
}

/* It has all seals and the right size and header. */
static void the_servers_own_lane_is_not_the_clients(void)
{
    const struct tampering first = {OFFER, keep_lane, NULL, NULL};
    const struct tampering both = {ACK, give_it_back, NULL, &first};
    const struct held before = count_held();
    shmring_link links[2];
    int errors[2];

    shake_hands(&options, &options, &both, links, errors);
    CHECK_EQ(errors[SHMRING_LINK_SERVER], -EBADMSG);
    close_links(links, errors);
    check_held(before, 1);
}

/* Who has locked something else would never be told dead. */
static void a_client_must_have_locked_the_lock_file(void)
{
    const struct change change = {REPLACE, 1, 0, EMPTY_MEMFD};
    const struct tampering tampering = {OFFER, change_fds, &change, NULL};
    shmring_link links[2];
    int errors[2];

    shake_hands(&plain, &plain, &tampering, links, errors);
    CHECK_EQ(errors[SHMRING_LINK_SERVER], -EPROTO);
    CHECK_EQ(errors[SHMRING_LINK_CLIENT], -EPROTO);
}

/* Nor what comes behind a message, which nobody will ever look at. */
static void what_is_queued_does_not_linger(void)
{
    const struct held before = count_held();
    const time_t began = time(NULL);
    struct packet packet = {.length = 1};
    shmring_handshake handshake;
    shmring_link link;
    int sockets[2];

    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0);
    CHECK_EQ(shmring_handshake_begin(&handshake, SHMRING_LINK_CLIENT, sockets[0], &plain), 0);
    packet_send(sockets[1], &packet);
    packet.count = 1;
    packet.fds[0] = make_lingering();
    packet_send(sockets[1], &packet);
    CHECK_EQ(shmring_handshake_step(&handshake, &link), -EPROTO);
    CHECK(time(NULL) - began < 3);
    close(sockets[1]);
    close(unread[0]);
    close(unread[1]);
    unread[0] = unread[1] = -1;
    check_held(before, 1);
}

/* With each number of descriptors, from none at all: an error, or a link; and nothing is left. */
static void a_lack_of_descriptors_is_an_error(void)
{
    const struct rlimit old = {1024, 1024};
    shmring_link links[2];
    int errors[2];

    for (rlim_t limit = 3; limit < 40; limit++) {
        const struct rlimit low = {limit, old.rlim_max};
        shmring_handshake halves[2];
        int sockets[2], before = count_fds();

        CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0);
        for (int side = 0; side < 2; side++)
            CHECK_EQ(shmring_handshake_begin(&halves[side], (enum shmring_link_side)side,
                                             sockets[side], &plain),
                     0);
        CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
        for (int i = 0; i < 6; i++)
            errors[i % 2] = i < 2 || errors[i % 2] == -EAGAIN
                                ? shmring_handshake_step(&halves[i % 2], &links[i % 2])
                                : errors[i % 2];
        CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
        CHECK(is_documented(errors[0]) && is_documented(errors[1]));
        CHECK_EQ(errors[0] == 0, errors[1] == 0);
        CHECK(errors[SHMRING_LINK_CLIENT] == 0 || errors[SHMRING_LINK_CLIENT] == -EMFILE);
        close_links(links, errors);
        CHECK_EQ(count_fds(), before);
    }
    CHECK_EQ(errors[0], 0); /* the last had enough */
}

int main(void)
{
    shmring_link links[2];
    int errors[2];

    shake_hands(&plain, &plain, NULL, links, errors);
    CHECK(errors[0] == 0 && errors[1] == 0);
    close_links(links, errors);
    a_wrong_descriptor_is_refused();
    a_wrong_number_is_refused();
    the_same_twice_or_in_another_order_is_refused();
    the_servers_own_lane_is_not_the_clients();
    a_client_must_have_locked_the_lock_file();
    what_is_queued_does_not_linger();
    a_lack_of_descriptors_is_an_error();
    return 0;
}

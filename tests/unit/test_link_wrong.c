/* SPDX-License-Identifier: MIT */
/* What callers of links get wrong: it is refused, and nothing is written or left. */
#define _GNU_SOURCE
#include "shmring/shmring.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_welcome(void *argument, const shmring_link_peer *peer, bool is_listed, int pidfd)
{
    (void)argument, (void)peer, (void)pidfd;
    return is_listed;
}

/* By each call that takes them; never by what the path or the socket is. */
static void expect_refused(const shmring_link_options *options, size_t which)
{
    shmring_handshake handshake, untouched;
    shmring_listener listener;
    shmring_link link;
    int sockets[2];

    memset(&handshake, 0xa5, sizeof handshake);
    memset(&untouched, 0xa5, sizeof untouched);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
    cr_expect_eq(shmring_handshake_begin(&handshake, SHMRING_LINK_SERVER, sockets[0], options),
                 -EINVAL, "begin, %zu", which);
    cr_expect_eq(shmring_handshake_connect(&handshake, "/nowhere/at/all", options), -EINVAL,
                 "handshake, %zu", which);
    cr_expect_eq(shmring_link_connect(&link, "/nowhere/at/all", options, SHMRING_NOW), -EINVAL,
                 "connect, %zu", which);
    cr_expect_eq(shmring_link_listen(&listener, "/nowhere/at/all", options), -EINVAL, "listen, %zu",
                 which);
    cr_expect_eq(memcmp(&handshake, &untouched, sizeof handshake), 0, "%zu", which);
    close(sockets[0]);
    close(sockets[1]);
}

Test(link_wrong, options_out_of_range_are_refused)
{
    static const uid_t one = 0;
    shmring_link_options wrong[] = {
        {.wait = SHMRING_WAIT_ADAPTIVE + 1},
        {.fence = SHMRING_FENCE_LIGHT + 1},
        {.timeout_ns = -1},
        {.capacity = SHMRING_LINK_CAPACITY_MAX + 1},
        {.mode = 0700},
        {.mode = 01000},
        {.uid_count = 1},
        {.gid_count = 1},
        {.uids = &one, .uid_count = 1, .gid_count = 1},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        wrong[i].size = sizeof wrong[i];
        expect_refused(&wrong[i], i);
    }
}

Test(link_wrong, what_is_set_without_the_size_is_refused)
{
    static const uid_t one = 0;
    static const gid_t group = 0;
    const shmring_link_options wrong[] = {
        {.capacity = 4096},
        {.wait = SHMRING_WAIT_SPIN},
        {.fence = SHMRING_FENCE_LIGHT},
        {.pollable = true},
        {.client_owned = true},
        {.timeout_ns = 1},
        {.uids = &one},
        {.gids = &group},
        {.is_welcome = is_welcome},
        {.mode = 0600},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_refused(&wrong[i], i);
}

static void expect_begin(int socket, int error)
{
    shmring_handshake handshake;

    for (int side = SHMRING_LINK_SERVER; side <= SHMRING_LINK_CLIENT; side++)
        cr_expect_eq(
            shmring_handshake_begin(&handshake, (enum shmring_link_side)side, socket, NULL), error,
            "side %d: %d", side, error);
    close(socket);
}

Test(link_wrong, sockets_of_another_kind_are_refused)
{
    shmring_handshake handshake;
    int pair[2], pipes[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    expect_begin(pair[0], -EINVAL);
    expect_begin(pair[1], -EINVAL);
    expect_begin(pair[1], -EBADF); /* closed */
    cr_assert_eq(pipe(pipes), 0);
    expect_begin(pipes[0], -ENOTSOCK);
    expect_begin(pipes[1], -ENOTSOCK);
    expect_begin(socket(AF_INET, SOCK_DGRAM, 0), -EINVAL);
    expect_begin(socket(AF_UNIX, SOCK_SEQPACKET, 0), -ENOTCONN);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    for (int side = -1; side <= SHMRING_LINK_CLIENT + 1; side++)
        if (side != SHMRING_LINK_SERVER && side != SHMRING_LINK_CLIENT)
            cr_expect_eq(
                shmring_handshake_begin(&handshake, (enum shmring_link_side)side, pair[0], NULL),
                -EINVAL, "side %d", side);
    close(pair[0]);
    close(pair[1]);
}

static void expect_path(const char *path, int error)
{
    shmring_listener listener;
    shmring_link link;

    cr_expect_eq(shmring_link_connect(&link, path, NULL, SHMRING_NOW), error, "connect: %s", path);
    cr_expect_eq(shmring_link_listen(&listener, path, NULL), error, "listen: %s", path);
}

Test(link_wrong, names_that_cannot_be_are_refused)
{
    char text[PATH_MAX];

    expect_path(NULL, -EINVAL);
    expect_path("", -EINVAL);
    expect_path("@", -EINVAL);
    expect_path("/tmp/", -EINVAL);
    expect_path(".hidden", -EINVAL);
    expect_path("a b", -EINVAL);
    expect_path("/tmp/x.lock", -EINVAL);
    expect_path("/tmp/x.new", -EINVAL);
    memset(text, 'x', sizeof text);
    text[0] = '/';
    text[SHMRING_LINK_PATH_MAX + 1] = '\0';
    expect_path(text, -ENAMETOOLONG);
    expect_path(text + 2, -ENAMETOOLONG); /* with the directory of names before it */
    text[SHMRING_LINK_PATH_MAX - 1] = '\0';
    cr_assert_eq(setenv("XDG_RUNTIME_DIR", text, 1), 0);
    expect_path("name", -ENAMETOOLONG);
    cr_assert_eq(setenv("XDG_RUNTIME_DIR", "/nowhere/at/all", 1), 0);
    expect_path("name", -ENOENT);
}

Test(link_wrong, relative_paths_are_measured_with_where_we_are)
{
    char place[] = "/tmp/shmring-test-XXXXXX", deep[71];

    memset(deep, 'd', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    cr_assert(mkdtemp(place) != NULL && chdir(place) == 0);
    cr_assert(mkdir(deep, 0700) == 0 && chdir(deep) == 0);
    expect_path("./socket", -ENAMETOOLONG); /* the path is too long by some bytes */
    cr_assert(mkdir(deep, 0700) == 0 && chdir(deep) == 0);
    expect_path("./socket", -ENAMETOOLONG); /* and here not even the directory fits */
    cr_assert(chdir("..") == 0 && rmdir(deep) == 0);
    cr_assert(chdir("..") == 0 && rmdir(deep) == 0);
    cr_assert(chdir("/") == 0 && rmdir(place) == 0);
}

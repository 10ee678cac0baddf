/* SPDX-License-Identifier: MIT */
/* Where links meet: what a path means, and how to come there as a client. */
#define _GNU_SOURCE /* secure_getenv, SOCK_CLOEXEC */
#include "link_parts.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { DIRECTORY_MODE = 0700 };

/* How long a client waits before it tries again to get into a queue that is full. */
static const int64_t RETRY_NS = 1000000;

/* The default directory, and the one that it is in; made if they are missing. */
static int make_directory(const char *parent, const char *directory)
{
    if (parent != NULL && mkdir(parent, 0755) != 0 && errno != EEXIST)
        return -errno;
    return mkdir(directory, DIRECTORY_MODE) != 0 && errno != EEXIST ? -errno : 0;
}

static int find_default(const char *name, bool make, char ret_path[SHMRING_LINK_PATH_MAX + 1])
{
    const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
    const bool has_runtime = runtime != NULL && runtime[0] == '/';
    char directory[SHMRING_LINK_PATH_MAX + 1];
    int length =
        has_runtime ? snprintf(directory, sizeof directory, "%s/shmring", runtime)
                    : snprintf(directory, sizeof directory, "/run/shmring/%u", (unsigned)geteuid());
    int error = shmring_segment_check_name(name);

    if (error != 0)
        return error;
    if (length < 0 || length + 1 + (int)strlen(name) > SHMRING_LINK_PATH_MAX)
        return -ENAMETOOLONG;
    if (make)
        error = make_directory(has_runtime ? NULL : "/run/shmring", directory);
    if (error == 0)
        snprintf(ret_path, SHMRING_LINK_PATH_MAX + 1, "%.*s/%s", length, directory, name);
    return error;
}

/* As it is now: the caller may go elsewhere before it is removed. */
static int find_relative(const char *path, char ret_path[SHMRING_LINK_PATH_MAX + 1])
{
    char here[SHMRING_LINK_PATH_MAX + 1];

    if (getcwd(here, sizeof here) == NULL)
        return errno == ERANGE ? -ENAMETOOLONG : -errno;
    if (strlen(here) + 1 + strlen(path) > SHMRING_LINK_PATH_MAX)
        return -ENAMETOOLONG;
    stpcpy(stpcpy(stpcpy(ret_path, here), "/"), path);
    return 0;
}

static bool ends_in(const char *path, const char *suffix)
{
    size_t length = strlen(path), end = strlen(suffix);

    return length >= end && strcmp(path + length - end, suffix) == 0;
}

int link_find(const char *path, bool make, char ret_path[SHMRING_LINK_PATH_MAX + 1])
{
    size_t length = path != NULL ? strnlen(path, SHMRING_LINK_PATH_MAX + 1) : 0;

    if (length > SHMRING_LINK_PATH_MAX)
        return -ENAMETOOLONG;
    if (length == 0 || path[length - 1] == '/' || (path[0] == '@' && length == 1))
        return -EINVAL;
    if (path[0] != '@' && (ends_in(path, ".lock") || ends_in(path, ".new")))
        return -EINVAL; /* what we put beside a socket */
    if (path[0] != '@' && strchr(path, '/') == NULL)
        return find_default(path, make, ret_path);
    if (path[0] != '@' && path[0] != '/')
        return find_relative(path, ret_path);
    memcpy(ret_path, path, length + 1);
    return 0;
}

unsigned link_address(const char *path, const char *suffix, struct sockaddr_un *ret_address)
{
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int length =
        snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "%s%s", path, suffix);

    if (path[0] != '@')
        return sizeof *ret_address;
    ret_address->sun_path[0] = '\0';
    return (unsigned)offsetof(struct sockaddr_un, sun_path) + (unsigned)length;
}

int shmring_handshake_connect(shmring_handshake *ret_handshake, const char *path,
                              const shmring_link_options *options)
{
    char found[SHMRING_LINK_PATH_MAX + 1];
    shmring_link_options own;
    struct sockaddr_un address;
    int error = link_read_options(options, &own);

    if (error == 0)
        error = link_find(path, false, found);
    if (error != 0)
        return error;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    unsigned length = link_address(found, "", &address);

    if (connect(fd, (struct sockaddr *)&address, length) != 0) /* EPROTOTYPE: another type */
        error = errno == EPROTOTYPE || errno == ENOTSOCK ? -ECONNREFUSED : -errno;
    else
        error = link_begin(ret_handshake, SHMRING_LINK_CLIENT, fd, &own);
    if (error != 0)
        close(fd);
    return error;
}

int shmring_link_connect(shmring_link *ret_link, const char *path,
                         const shmring_link_options *options, int64_t deadline)
{
    shmring_handshake handshake;
    shmring_link_options own;
    int error = link_read_options(options, &own);

    if (error != 0)
        return error;
    int64_t until = shmring_deadline(own.timeout_ns);

    until = until < deadline ? until : deadline;
    while ((error = shmring_handshake_connect(&handshake, path, options)) == -EAGAIN) {
        const struct timespec pause = {.tv_nsec = RETRY_NS};

        if (shmring_clock() >= until)
            return -ETIMEDOUT;
        if (nanosleep(&pause, NULL) != 0)
            return -EINTR;
    }
    return error != 0 ? error : shmring_handshake_finish(&handshake, ret_link, until);
}

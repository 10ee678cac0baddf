/* SPDX-License-Identifier: MIT */
/* The server's end of a path: the socket, and what keeps it one server's. */
#define _GNU_SOURCE /* O_PATH, F_OFD_SETLK */
#include "lane.h"
#include "link_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = SHMRING_LINK_PENDING, /* who comes last is to get a place within his timeout */
    LOCK_TRIES = 64,
    SOCKET_MODE = 0600,
    OTHERS_WRITE = S_IWGRP | S_IWOTH,
};

/* May nobody else put something else in place of what we make there? */
static int check_directory(const char *path)
{
    char directory[SHMRING_LINK_PATH_MAX + 1];
    size_t length = (size_t)(strrchr(path, '/') - path);
    struct stat status;

    memcpy(directory, path, length + 1);
    directory[length == 0 ? 1 : length] = '\0';
    if (lstat(directory, &status) != 0)
        return -errno;
    /* A symbolic link is as good as who made it. */
    if (S_ISLNK(status.st_mode) && status.st_uid != geteuid() && status.st_uid != 0)
        return -EPERM;
    if (stat(directory, &status) != 0)
        return -errno;
    if (!S_ISDIR(status.st_mode))
        return -ENOTDIR;
    if ((status.st_uid != geteuid() && status.st_uid != 0) ||
        ((status.st_mode & OTHERS_WRITE) != 0 && (status.st_mode & S_ISVTX) == 0))
        return -EPERM;
    return 0;
}

/* Is the file at that path the one that is open? */
static bool is_still_there(const char *path, const struct stat *open)
{
    struct stat there;

    return lstat(path, &there) == 0 && there.st_dev == open->st_dev && there.st_ino == open->st_ino;
}

/* Locks the file beside the socket: who has that is the server. Returns a descriptor. */
static int lock_path(const char *path)
{
    char lock_name[SHMRING_LINK_PATH_MAX + sizeof ".lock"];

    snprintf(lock_name, sizeof lock_name, "%s.lock", path);
    for (int i = 0; i < LOCK_TRIES; i++) {
        struct stat status;
        int fd =
            open(lock_name, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, SOCKET_MODE);

        if (fd < 0)
            return errno == ELOOP || errno == EISDIR || errno == ENXIO ? -EPERM : -errno;
        int error = fstat(fd, &status) != 0 ? -errno : 0;

        if (error == 0 && (!S_ISREG(status.st_mode) || status.st_uid != geteuid()))
            error = -EPERM;
        if (error == 0)
            error = shmring_member_lock(fd, 0);
        /* The last server may have removed it after we opened it. */
        if (error == 0 && is_still_there(lock_name, &status))
            return fd;
        close(fd);
        if (error != 0)
            return error == -EBUSY ? -EADDRINUSE : error;
    }
    return -EADDRINUSE; /* by servers that come and go */
}

/* A listening socket, under another name until it listens: nobody is ever refused for coming a
 * moment too early. What is there by now is dead, for we have the lock. */
static int bind_socket(int fd, const char *path, mode_t mode, struct stat *ret_status)
{
    struct sockaddr_un address;
    struct stat there;

    if (lstat(path, &there) == 0 && !S_ISSOCK(there.st_mode))
        return -EEXIST;
    unsigned length = link_address(path, ".new", &address);

    if (lstat(address.sun_path, &there) == 0 && !S_ISSOCK(there.st_mode))
        return -EEXIST;
    if (unlink(address.sun_path) != 0 && errno != ENOENT)
        return -errno;
    /* The mode of a socket file is that of its socket, less the umask. */
    if (fchmod(fd, mode) != 0 || bind(fd, (struct sockaddr *)&address, length) != 0)
        return -errno;
    if (chmod(address.sun_path, mode) != 0 || lstat(address.sun_path, ret_status) != 0 ||
        listen(fd, BACKLOG) != 0 || rename(address.sun_path, path) != 0) {
        int error = -errno;

        unlink(address.sun_path);
        return error;
    }
    return 0;
}

static int bind_abstract(int fd, const shmring_link_options *own, const char *path)
{
    struct sockaddr_un address;
    unsigned length = link_address(path, "", &address);

    if (own->is_welcome == NULL) /* anybody could come */
        return -EINVAL;
    return bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, BACKLOG) != 0 ? -errno
                                                                                          : 0;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Can this kernel do what links need? Better said now than to each client. */
static int try_lane(void)
{
    int fd = segment_memfd();

    if (fd < 0)
        return fd;
    int error = lane_seal(fd);

    close(fd);
    return error;
}

static int open_listener(shmring_listener *listener)
{
    const mode_t mode = listener->options.mode != 0 ? listener->options.mode : SOCKET_MODE;
    const bool is_abstract = listener->path[0] == '@';
    struct stat status = {0};
    int error = try_lane();

    if (error == 0 && !is_abstract)
        error = check_directory(listener->path);
    if (error == 0 && !is_abstract) {
        listener->lock = lock_path(listener->path);
        error = listener->lock < 0 ? listener->lock : 0;
    }
    if (error != 0)
        return error;
    listener->socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    listener->epoll = epoll_create1(EPOLL_CLOEXEC);
    listener->spare = open("/", O_PATH | O_CLOEXEC);
    listener->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (listener->socket < 0 || listener->epoll < 0 || listener->spare < 0 || listener->timer < 0)
        return -errno;
    link_permit_fds(listener->socket, false);
    error = link_watch_socket(listener);
    if (error == 0 && is_abstract)
        return bind_abstract(listener->socket, &listener->options, listener->path);
    if (error == 0)
        error = bind_socket(listener->socket, listener->path, mode, &status);
    if (error != 0)
        return error;
    listener->device = status.st_dev;
    listener->inode = status.st_ino;
    return 0;
}

void shmring_listener_close(shmring_listener *listener)
{
    const struct stat ours = {.st_dev = listener->device, .st_ino = listener->inode};
    char lock_name[SHMRING_LINK_PATH_MAX + sizeof ".lock"];
    struct stat lock;
    int saved_errno = errno;

    if (listener->path[0] == '\0')
        return;
    for (uint32_t i = 0; i < SHMRING_LINK_PENDING; i++)
        shmring_handshake_cancel(&listener->pending[i]);
    /* A forked child's copy is closed, and no more. */
    if (listener->owner == getpid()) {
        if (listener->inode != 0 && is_still_there(listener->path, &ours))
            unlink(listener->path);
        /* While it is locked: who locks it next sees that it is gone. */
        snprintf(lock_name, sizeof lock_name, "%s.lock", listener->path);
        if (listener->lock >= 0 && fstat(listener->lock, &lock) == 0 &&
            is_still_there(lock_name, &lock))
            unlink(lock_name);
    }
    close_one(&listener->epoll);
    close_one(&listener->socket);
    close_one(&listener->spare);
    close_one(&listener->timer);
    close_one(&listener->lock);
    memset(listener, 0, sizeof *listener);
    errno = saved_errno;
}

int shmring_link_listen(shmring_listener *ret_listener, const char *path,
                        const shmring_link_options *options)
{
    shmring_geometry geometry;
    int error;

    memset(ret_listener, 0, sizeof *ret_listener);
    ret_listener->epoll = ret_listener->socket = ret_listener->lock = -1;
    ret_listener->spare = ret_listener->timer = -1;
    ret_listener->owner = getpid();
    error = link_read_options(options, &ret_listener->options);
    if (error == 0 && ret_listener->options.capacity == 0)
        ret_listener->options.capacity = SHMRING_LINK_CAPACITY;
    if (error == 0)
        error =
            shmring_layout_plan(SHMRING_KIND_LANE, 0, ret_listener->options.capacity, &geometry);
    if (error == 0)
        error = link_find(path, true, ret_listener->path);
    if (error == 0)
        error = open_listener(ret_listener);
    if (error != 0)
        shmring_listener_close(ret_listener);
    return error;
}

/* SPDX-License-Identifier: MIT */
/* The server's end of a path: the socket, and the handshakes that come in through it. */
#define _GNU_SOURCE /* accept4, O_PATH, F_OFD_SETLK */
#include "lane.h"
#include "link_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 128,
    ACCEPTS_PER_STEP = 16, /* so that those under way get on while others flood in */
    EVENTS_PER_STEP = SHMRING_LINK_PENDING + 1,
    SOCKET_MODE = 0600,
    OTHERS_WRITE = S_IWGRP | S_IWOTH,
};
/* Which event of the epoll is the socket's; the others are places in pending. */
static const uint32_t NEW_CLIENT = SHMRING_LINK_PENDING;

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
    for (;;) {
        struct stat status;
        int fd =
            open(lock_name, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, SOCKET_MODE);

        if (fd < 0)
            return errno == ELOOP ? -EPERM : -errno;
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

    /* The mode of a socket file is that of its socket, less the umask. */
    if ((unlink(address.sun_path) != 0 && errno != ENOENT) || fchmod(fd, mode) != 0 ||
        bind(fd, (struct sockaddr *)&address, length) != 0)
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

/* One that shakes hands is told of once, and then again after each step: if a child keeps a copy of
 * its socket, closing ours does not end the watch. */
static int watch(int epoll, int operation, int fd, uint32_t which)
{
    struct epoll_event event = {
        .events = which == NEW_CLIENT ? EPOLLIN : EPOLLIN | EPOLLONESHOT,
        .data = {.u32 = which},
    };

    return epoll_ctl(epoll, operation, fd, &event) != 0 ? -errno : 0;
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
        return fd == -ENOSYS || fd == -EINVAL ? -EOPNOTSUPP : fd;
    int error = lane_seal(fd);

    close(fd);
    return error;
}

static int open_listener(shmring_listener *listener)
{
    const mode_t mode = listener->options.mode != 0 ? listener->options.mode : SOCKET_MODE;
    const bool is_abstract = listener->path[0] == '@';
    struct stat status;
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
    if (listener->socket < 0 || listener->epoll < 0 || listener->spare < 0)
        return -errno;
    link_permit_fds(listener->socket, false);
    error = watch(listener->epoll, EPOLL_CTL_ADD, listener->socket, NEW_CLIENT);
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
    ret_listener->epoll = ret_listener->socket = ret_listener->lock = ret_listener->spare = -1;
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

/* A place for one more: a free one, or that of the oldest of the uid that takes most. */
static shmring_handshake *make_place(shmring_listener *listener)
{
    shmring_handshake *const pending = listener->pending, *worst = NULL;
    uint32_t most = 0;

    for (uint32_t i = 0; i < SHMRING_LINK_PENDING; i++) {
        uint32_t same = 0;

        if (pending[i].state == LINK_OVER)
            return &pending[i];
        for (uint32_t j = 0; j < SHMRING_LINK_PENDING; j++)
            same += pending[j].state != LINK_OVER && pending[j].peer.uid == pending[i].peer.uid;
        if (same > most || (same == most && pending[i].deadline < worst->deadline)) {
            most = same;
            worst = &pending[i];
        }
    }
    shmring_handshake_cancel(worst);
    return worst;
}

/* There is no descriptor to accept with: one is given up for the client that waits, which would
 * keep the socket readable for ever. */
static void drop_client(shmring_listener *listener)
{
    close_one(&listener->spare);
    int fd = accept4(listener->socket, NULL, NULL, SOCK_CLOEXEC);

    close_one(&fd);
    listener->spare = open("/", O_PATH | O_CLOEXEC);
}

/* One client. 0; -EAGAIN: there is none; or why it had to be dropped. */
static int accept_one(shmring_listener *listener)
{
    int fd = accept4(listener->socket, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0) {
        int error = -errno;

        if (error == -EMFILE || error == -ENFILE)
            drop_client(listener);
        return error == -ECONNABORTED || error == -EINTR ? 0 : error;
    }
    shmring_handshake handshake;
    int error = link_begin(&handshake, SHMRING_LINK_SERVER, fd, &listener->options);

    if (error != 0) { /* not welcome */
        close(fd);
        return 0;
    }
    shmring_handshake *place = make_place(listener);

    *place = handshake;
    error = watch(listener->epoll, EPOLL_CTL_ADD, fd, (uint32_t)(place - listener->pending));
    if (error != 0)
        shmring_handshake_cancel(place);
    return error;
}

static bool is_lack(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -ENOSPC ||
           error == -ENOBUFS;
}

/* One of those under way has something to say. 0 with a link, -EAGAIN, or why it was dropped. */
static int step_one(shmring_listener *listener, uint32_t which, shmring_link *ret_link)
{
    shmring_handshake *handshake = &listener->pending[which];
    int error = shmring_handshake_step(handshake, ret_link);

    if (error == 0) /* its socket is no longer ours to watch */
        epoll_ctl(listener->epoll, EPOLL_CTL_DEL, ret_link->socket, NULL);
    else if (error == -EAGAIN)
        watch(listener->epoll, EPOLL_CTL_MOD, handshake->socket, which);
    return error;
}

/* These were told of, and not looked at. */
static void tell_again(const shmring_listener *listener, const struct epoll_event *events,
                       int count)
{
    for (int i = 0; i < count; i++)
        if (events[i].data.u32 != NEW_CLIENT &&
            listener->pending[events[i].data.u32].state != LINK_OVER)
            watch(listener->epoll, EPOLL_CTL_MOD, listener->pending[events[i].data.u32].socket,
                  events[i].data.u32);
}

/* As many as wait, but not for ever. 0, or a lack. */
static int accept_some(shmring_listener *listener)
{
    int error = 0;

    for (int i = 0; error == 0 && i < ACCEPTS_PER_STEP; i++)
        error = accept_one(listener);
    return is_lack(error) ? error : 0;
}

/* All that can be done now. 0 with a link, -EAGAIN, or a lack. */
static int step(shmring_listener *listener, shmring_link *ret_link)
{
    struct epoll_event events[EVENTS_PER_STEP];
    int count = epoll_wait(listener->epoll, events, EVENTS_PER_STEP, 0), lack = 0;
    int64_t now = shmring_clock();

    for (int i = 0; i < count; i++) {
        int error = events[i].data.u32 == NEW_CLIENT
                        ? -EAGAIN
                        : step_one(listener, events[i].data.u32, ret_link);

        if (error == 0) {
            tell_again(listener, events + i + 1, count - i - 1);
            return 0;
        }
        lack = is_lack(error) ? error : lack;
    }
    for (uint32_t i = 0; i < SHMRING_LINK_PENDING; i++)
        if (listener->pending[i].state != LINK_OVER && now >= listener->pending[i].deadline)
            shmring_handshake_cancel(&listener->pending[i]);
    for (int i = 0; i < count && lack == 0; i++)
        if (events[i].data.u32 == NEW_CLIENT)
            lack = accept_some(listener);
    return lack != 0 ? lack : -EAGAIN;
}

int shmring_link_accept(shmring_listener *listener, shmring_link *ret_link, int64_t deadline)
{
    const int64_t ns_per_ms = 1000000;

    for (;;) {
        struct pollfd one = {.fd = listener->epoll, .events = POLLIN};
        int error = step(listener, ret_link);

        if (error != -EAGAIN)
            return error;
        int64_t left = deadline <= SHMRING_NOW ? 0 : deadline - shmring_clock();

        if (left <= 0)
            return -ETIMEDOUT;
        /* At most the cap, for the sake of handshakes whose time runs out. */
        left = left < SHMRING_WAIT_CAP_NS ? left : SHMRING_WAIT_CAP_NS;
        if (poll(&one, 1, (int)((left + ns_per_ms - 1) / ns_per_ms)) < 0 && errno == EINTR)
            return -EINTR;
    }
}

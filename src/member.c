/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* F_OFD_SETLK */
#include "shmring/member.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static struct flock byte_lock(short type, uint32_t id)
{
    return (struct flock){
        .l_type = type,
        .l_whence = SEEK_SET,
        .l_start = (off_t)id,
        .l_len = 1,
    };
}

int shmring_member_join(int fd, uint32_t id)
{
    struct flock lock = byte_lock(F_WRLCK, id);
    char path[sizeof "/proc/self/fd/-2147483648"];

    /* Opened anew, not duplicated: locks of one description never conflict with each other. */
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int member_fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);

    if (member_fd < 0 && errno == ENOENT)
        return fcntl(fd, F_GETFD) < 0 ? -EBADF : -ENOTSUP;
    if (member_fd < 0)
        return -errno;
    if (fcntl(member_fd, F_OFD_SETLK, &lock) == 0)
        return member_fd;
    int error = errno;

    close(member_fd);
    if (error == EAGAIN || error == EACCES)
        return -EBUSY;
    return error == EINVAL ? -ENOTSUP : -error;
}

void shmring_member_leave(int member_fd)
{
    struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

    if (member_fd < 0)
        return;
    /* Not by close() alone: a child that was forked meanwhile has the description open too. */
    fcntl(member_fd, F_OFD_SETLK, &all);
    close(member_fd);
}

int shmring_member_probe(int fd, uint32_t id)
{
    struct flock lock = byte_lock(F_WRLCK, id);

    if (fcntl(fd, F_OFD_GETLK, &lock) != 0)
        return -errno;
    return lock.l_type != F_UNLCK;
}

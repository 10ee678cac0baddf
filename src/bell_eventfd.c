/* SPDX-License-Identifier: MIT */
/*
 * Readable means rung. A member that we do not trust may have the same open file: it can fill the
 * counter, read it empty, and take O_NONBLOCK away. That is looked at before each call, for nothing
 * here may block. (It can still do all of this between the look and the write: there is no write
 * to an eventfd that says for itself that it shall not block.)
 */
#define _GNU_SOURCE /* ppoll, preadv2 */
#include "bell_backends.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int eventfd_create(struct shmring_bell_words *words, const shmring_bell_place *place,
                          enum shmring_direction direction)
{
    (void)words;
    return place->name != NULL || place->eventfds[direction] < 0 ? -EINVAL : 0;
}

static int poll_now(struct pollfd *one)
{
    const struct timespec no_time = {0};

    return ppoll(one, 1, &no_time, NULL);
}

/* Can it be read and written without blocking, and waited for? Only an eventfd answers like one. */
static int eventfd_open(shmring_bell *bell, const shmring_bell_place *place,
                        enum shmring_direction direction)
{
    const uint64_t most = UINT64_MAX, nothing = 0;
    struct stat status;

    if (place->eventfds[direction] < 0)
        return -EINVAL;
    int fd = fcntl(place->eventfds[direction], F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        return errno == EBADF ? -EINVAL : -errno;
    int flags = fcntl(fd, F_GETFL);

    /* Files, pipes, sockets and devices have a type, and are not written to. Of what has none, only
     * an eventfd takes a 0, and refuses one number. */
    if (flags < 0 || fstat(fd, &status) != 0 || (status.st_mode & S_IFMT) != 0 ||
        fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || write(fd, &most, sizeof most) >= 0 ||
        errno != EINVAL || write(fd, &nothing, sizeof nothing) != sizeof nothing) {
        close(fd);
        return -EINVAL;
    }
    if (poll_now(&(struct pollfd){.fd = fd, .events = POLLIN}) < 0 && errno != EINTR) {
        close(fd);
        return -EOPNOTSUPP;
    }
    bell->fd = fd;
    return 0;
}

static void eventfd_close(shmring_bell *bell)
{
    close(bell->fd);
}

static bool is_ready_for(int fd, short events)
{
    struct pollfd one = {.fd = fd, .events = events};

    return poll_now(&one) == 1 && (one.revents & events) != 0;
}

/* poll() wakes all who wait for it. If the counter is full, it has been rung. */
static void eventfd_ring(const shmring_bell *bell, bool all)
{
    const uint64_t one = 1;

    (void)all;
    if ((fcntl(bell->fd, F_GETFL) & O_NONBLOCK) == 0 && !is_ready_for(bell->fd, POLLOUT))
        return;
    if (write(bell->fd, &one, sizeof one) < 0)
        return; /* full */
}

/* Without blocking, whatever the flags say. */
static ssize_t read_now(int fd, uint64_t *ret_count)
{
#ifdef RWF_NOWAIT
    struct iovec whole = {.iov_base = ret_count, .iov_len = sizeof *ret_count};

    return preadv2(fd, &whole, 1, -1, RWF_NOWAIT);
#else /* musl 1.2.3: the caller asks first, and then reads */
    (void)fd, (void)ret_count;
    errno = EOPNOTSUPP;
    return -1;
#endif
}

static void eventfd_clear(const shmring_bell *bell)
{
    int saved_errno = errno;
    uint64_t count;

    if (read_now(bell->fd, &count) < 0 && errno != EAGAIN && is_ready_for(bell->fd, POLLIN) &&
        read(bell->fd, &count, sizeof count) < 0)
        errno = saved_errno; /* before Linux 5.8; another was faster */
    errno = saved_errno;
}

static int eventfd_sleep(const shmring_bell *bell, uint32_t ticket, int64_t until)
{
    struct pollfd one = {.fd = bell->fd, .events = POLLIN};
    struct timespec left = bell_time_until(until);

    (void)ticket;
    if (ppoll(&one, 1, &left, NULL) >= 0)
        return (one.revents & POLLNVAL) != 0 ? -ENOSYS : 0;
    return errno == EINTR ? -EINTR : -ENOSYS;
}

const struct bell_backend bell_eventfd = {
    .create = eventfd_create,
    .open = eventfd_open,
    .close = eventfd_close,
    .ring = eventfd_ring,
    .clear = eventfd_clear,
    .sleep = eventfd_sleep,
};

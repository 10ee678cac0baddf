/* SPDX-License-Identifier: MIT */
/*
 * The socket of a link: one byte is one ring. The other side may send what it likes, also nothing,
 * too much, or its end: that is readable, and who sleeps looks at the ring and at the other side's
 * life. MSG_DONTWAIT, and not the flags of the open file, keeps every call from blocking.
 */
#define _GNU_SOURCE /* ppoll */
#include "bell_backends.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

/* Rings that are taken back at once: a side that sends more keeps its peer awake for a moment. */
enum { CLEAR_MAX = 64 };

static int socket_open(shmring_bell *bell, const shmring_bell_place *place,
                       enum shmring_direction direction)
{
    (void)direction;
    if (place->sleeps)
        bell->fd = place->socket;
    else
        bell->ringer = place->socket;
    return 0;
}

/* If the queue is full it is readable anyhow; if there is nobody any more, nobody sleeps. */
static void socket_ring(const shmring_bell *bell, bool all)
{
    const char ring = 0;

    (void)all;
    if (bell->ringer >= 0)
        send(bell->ringer, &ring, sizeof ring, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void socket_clear(const shmring_bell *bell)
{
    int saved_errno = errno;
    char ring;

    for (int i = 0; bell->fd >= 0 && i < CLEAR_MAX; i++)
        if (recv(bell->fd, &ring, sizeof ring, MSG_DONTWAIT) <= 0)
            break;
    errno = saved_errno;
}

static int socket_sleep(const shmring_bell *bell, uint32_t ticket, int64_t until)
{
    struct pollfd one = {.fd = bell->fd, .events = POLLIN};
    struct timespec left = bell_time_until(until);

    (void)ticket;
    if (ppoll(&one, 1, &left, NULL) >= 0)
        return (one.revents & POLLNVAL) != 0 ? -ENOSYS : 0;
    return errno == EINTR ? -EINTR : -ENOSYS;
}

bool bell_socket_hung_up(int socket)
{
    struct pollfd one = {.fd = socket, .events = POLLRDHUP};

    return poll(&one, 1, 0) == 1;
}

const struct bell_backend bell_socket = {
    .open = socket_open,
    .ring = socket_ring,
    .clear = socket_clear,
    .sleep = socket_sleep,
};

/* SPDX-License-Identifier: MIT */
/*
 * Messages of one size over a pair of descriptors, of sockets or of a pipe: one write and one read
 * each. In a stream of bytes, one that is larger than what is free takes more.
 */
#ifndef BENCH_TRANSPORTS_FD_H
#define BENCH_TRANSPORTS_FD_H

#include "copying.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    /* Asked for, as the size of a pipe and of a socket's buffers: what an unprivileged process may
     * have of a pipe at most, by default. */
    FD_BYTES = 1 << 20,
};

struct side {
    struct copying copying;
    int fds[2];      /* by enum role; -1: closed */
    int blocking[2]; /* of a pipe: those that block, where fds do not */
    bool are_sockets;
    uint32_t head; /* bytes that come before each message */
    uint32_t used; /* bytes of the message in the buffer that are written or read */
};

/* Bytes that were transferred; 0: it would have to wait. */
static inline uint32_t fd_transferred(ssize_t result, const char *what)
{
    if (result > 0)
        return (uint32_t)result;
    if (result == 0)
        sample_fail("%s: the other end is closed", what);
    if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
        sample_fail("%s: %s", what, strerror(errno));
    return 0;
}

BENCH_INLINE bool side_send(struct side *side, uint32_t size, bool waits)
{
    const uint8_t *from = side->copying.buffer + side->used;
    int fd = (waits ? side->blocking : side->fds)[ROLE_PRODUCER];
    ssize_t sent = side->are_sockets ? send(fd, from, size - side->used, waits ? 0 : MSG_DONTWAIT)
                                     : write(fd, from, size - side->used);

    side->used += fd_transferred(sent, "send");
    if (side->used < size)
        return false;
    side->used = 0;
    return true;
}

BENCH_INLINE bool side_receive(struct side *side, uint32_t size, bool waits)
{
    int fd = (waits ? side->blocking : side->fds)[ROLE_CONSUMER];

    while (side->used < size) {
        uint8_t *to = side->copying.buffer + side->used - side->head;
        size_t room = size - side->used + side->head;
        ssize_t got =
            side->are_sockets ? recv(fd, to, room, waits ? 0 : MSG_DONTWAIT) : read(fd, to, room);
        uint32_t bytes = fd_transferred(got, "receive");

        if (bytes == 0)
            return false;
        if (bytes < side->head)
            sample_wrong("a packet of %u bytes", bytes);
        side->used += bytes - side->head;
    }
    side->used = 0;
    return true;
}

extern const struct loops *const fd_loops[POLICY_COUNT];

/* Both take over the descriptors (by enum role), at an error too; see to blocking, and to the size
 * of the pipe. head: bytes that come before each message that is received. */
void *fd_open_pipe(const int *fds, const struct shape *shape);
void *fd_open_sockets(const int *fds, uint32_t head, const struct shape *shape);

int fd_attach(void *side, enum role role);
void fd_close(void *side);
void fd_pipe_settings(char *ret_text, size_t text_size);

#endif

/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* MSG_CMSG_CLOEXEC */
#include "link_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* The most that one message may bring: more is cut off by the kernel, and refused. */
enum {
    RECEIVED_FDS_MAX = 8,
    QUEUE_MAX = 1024, /* no socket of a usual size holds more messages */
};

/* Descriptors that came with a message, whatever it was. */
struct received {
    int fds[RECEIVED_FDS_MAX];
    int count;
    bool other; /* something came that is none */
};

int link_send(int socket, const void *message, size_t size, const int *fds, int count)
{
    union {
        struct cmsghdr first;
        char bytes[CMSG_SPACE(LINK_FDS_MAX * sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec bytes = {.iov_base = (void *)(uintptr_t)message, .iov_len = size};
    struct msghdr header = {.msg_iov = &bytes, .msg_iovlen = 1};

    if (count > 0) {
        size_t length = (size_t)count * sizeof *fds;

        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(length);
        control.first = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(length)};
        memcpy(CMSG_DATA(&control.first), fds, length);
    }
    ssize_t sent = sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent == (ssize_t)size)
        return 0;
    if (sent >= 0 || errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)
        return -EPROTO;
    /* The queue of a side that keeps to the handshake is empty when we speak. */
    return errno == EAGAIN ? -ENOBUFS : -errno;
}

void link_close_fd(int fd)
{
    const struct linger none = {0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none); /* fails if it is no socket */
    close(fd);
}

static void collect(struct msghdr *header, struct received *ret_received)
{
    *ret_received = (struct received){.count = 0};
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL;
         part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            ret_received->other = true;
            continue;
        }
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            if (ret_received->count < RECEIVED_FDS_MAX)
                ret_received->fds[ret_received->count++] = fd;
            else
                link_close_fd(fd); /* cannot be: there was no room for more */
        }
    }
}

/* One message, of which no more than size bytes. As recvmsg(2); *ret_flags and *ret_received are
 * written if there is one. */
static ssize_t receive_any(int socket, void *place, size_t size, int *ret_flags,
                           struct received *ret_received)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(RECEIVED_FDS_MAX * sizeof(int))];
    } control;
    struct iovec bytes = {.iov_base = place, .iov_len = size};
    struct msghdr header = {.msg_iov = &bytes,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    ssize_t length = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (length < 0)
        return length;
    collect(&header, ret_received);
    *ret_flags = header.msg_flags;
    return length;
}

static void close_all(const struct received *received)
{
    for (int i = 0; i < received->count; i++)
        link_close_fd(received->fds[i]);
}

int link_receive(int socket, void *ret_message, size_t size, int *ret_fds, int count)
{
    uint8_t message[sizeof(struct link_offer) + 1]; /* a byte more: longer ones show */
    struct received received;
    int flags;
    ssize_t length = receive_any(socket, message, size + 1, &flags, &received);

    if (length < 0)
        return errno == EAGAIN || errno == EINTR ? -EAGAIN : -EPROTO;
    if (length == (ssize_t)size && (received.count == count || received.count == 0) &&
        !received.other && (flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) {
        memcpy(ret_message, message, size);
        if (received.count > 0)
            memcpy(ret_fds, received.fds, (size_t)received.count * sizeof *ret_fds);
        return received.count;
    }
    close_all(&received);
    /* All that we allow for would have fitted, but for the limit of descriptors. */
    return (flags & MSG_CTRUNC) != 0 && received.count < count ? -EMFILE : -EPROTO;
}

int link_drain(int socket)
{
    for (int i = 0; i < QUEUE_MAX; i++) {
        struct received received;
        uint8_t byte;
        int flags;

        if (receive_any(socket, &byte, sizeof byte, &flags, &received) < 0)
            return errno == EAGAIN && i == 0 ? 0 : -EPROTO;
        close_all(&received);
    }
    return -EPROTO; /* it has hung up, which a message of no length cannot be told from */
}

bool link_is_zero(const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((const uint8_t *)bytes)[i] != 0)
            return false;
    return true;
}

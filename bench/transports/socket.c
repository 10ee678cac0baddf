/* SPDX-License-Identifier: MIT */
#include "socket.h"

#include <stdio.h>

void socket_set_buffers(const int *fds)
{
    int bytes = FD_BYTES;

    for (int role = 0; role < 2; role++) {
        setsockopt(fds[role], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
        setsockopt(fds[role], SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    }
}

int socket_buffer(int domain, int type, int option)
{
    int fd = socket(domain, type | SOCK_CLOEXEC, 0), bytes = -1;
    socklen_t length = sizeof bytes;

    if (fd < 0)
        return -1;
    socket_set_buffers((int[]){fd, fd});
    if (getsockopt(fd, SOL_SOCKET, option, &bytes, &length) != 0)
        bytes = -1;
    close(fd);
    return bytes;
}

void *socket_open_unix(int type, const struct shape *shape)
{
    int fds[2];

    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0)
        return NULL;
    socket_set_buffers(fds);
    return fd_open_sockets(fds, 0, shape);
}

const char *socket_refuse_unix(const struct shape *shape)
{
    enum { OWN = 32 }; /* bytes that the kernel wants besides */
    static char reason[96];
    int bytes = socket_buffer(AF_UNIX, SOCK_DGRAM, SO_SNDBUF);

    if (bytes - OWN >= (int)shape->size)
        return NULL;
    snprintf(reason, sizeof reason, "%u B: the buffer is %d bytes (net.core.wmem_max)", shape->size,
             bytes);
    return reason;
}

void socket_unix_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "socketpair, send buffer %d bytes (of the kernel's count), one send and one recv per "
             "message; spin: MSG_DONTWAIT; adaptive: both",
             socket_buffer(AF_UNIX, SOCK_STREAM, SO_SNDBUF));
}

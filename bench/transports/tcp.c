/* SPDX-License-Identifier: MIT */
/* A TCP connection over the loopback device. */
#include "limit.h"
#include "socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>

/* Connected to the listener, and accepted there. */
static bool make_pair(int listener, int *ret_fds)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int one = 1;

    if (bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        return false;
    ret_fds[ROLE_PRODUCER] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (ret_fds[ROLE_PRODUCER] < 0 ||
        connect(ret_fds[ROLE_PRODUCER], (struct sockaddr *)&address, length) != 0)
        return false;
    ret_fds[ROLE_CONSUMER] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    return ret_fds[ROLE_CONSUMER] >= 0 &&
           setsockopt(ret_fds[ROLE_PRODUCER], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0;
}

static void *tcp_open(const struct shape *shape)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fds[2] = {-1, -1};

    if (listener < 0)
        return NULL;
    bool made = make_pair(listener, fds);
    int saved_errno = errno;

    close(listener);
    if (made)
        return fd_open_sockets(fds, 0, shape);
    for (int role = 0; role < 2; role++)
        if (fds[role] >= 0)
            close(fds[role]);
    errno = saved_errno;
    return NULL;
}

static void tcp_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "127.0.0.1, TCP_NODELAY, buffers that the kernel tunes: to send up to %ld bytes "
             "(tcp_wmem), to receive up to %ld (tcp_rmem); one send and one recv per message; "
             "spin: MSG_DONTWAIT; adaptive: both",
             system_limit("/proc/sys/net/ipv4/tcp_wmem"),
             system_limit("/proc/sys/net/ipv4/tcp_rmem"));
}

const struct transport transport_tcp = {
    .name = "tcp",
    .note = "a TCP connection over loopback, TCP_NODELAY; one send and one recv per message",
    .is_brief = true,
    .loops = fd_loops,
    .open = tcp_open,
    .attach = fd_attach,
    .close = fd_close,
    .settings = tcp_settings,
};

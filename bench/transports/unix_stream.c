/* SPDX-License-Identifier: MIT */
/* A pair of connected AF_UNIX sockets that carry bytes. */
#include "byte_stream.h"

#include <sys/socket.h>

static void *unix_open(const struct shape *shape)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return NULL;
    return byte_stream_open_sockets(fds[0], fds[1], shape->policy);
}

const struct transport transport_unix_stream = {
    .name = "unix_stream",
    .note = "a pair of AF_UNIX stream sockets; one send and one recv per message",
    .is_not_quick = true,
    .loops = {[POLICY_SPIN] = &byte_stream_loops,
              [POLICY_ADAPTIVE] = &byte_stream_adaptive_loops,
              [POLICY_BLOCK] = &byte_stream_loops},
    .open = unix_open,
    .attach = byte_stream_attach,
    .close = byte_stream_close,
    .settings = byte_stream_socket_settings,
};

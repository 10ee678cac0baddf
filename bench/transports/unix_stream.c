/* SPDX-License-Identifier: MIT */
/* A pair of connected AF_UNIX sockets that carry bytes. */
#include "socket.h"

static void *unix_open(const struct shape *shape)
{
    return socket_open_unix(SOCK_STREAM, shape);
}

const struct transport transport_unix_stream = {
    .name = "unix_stream",
    .note = "a pair of AF_UNIX stream sockets; one send and one recv per message",
    .is_brief = true,
    .loops = fd_loops,
    .open = unix_open,
    .attach = fd_attach,
    .close = fd_close,
    .settings = socket_unix_settings,
};

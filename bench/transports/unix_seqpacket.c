/* SPDX-License-Identifier: MIT */
/* A pair of connected AF_UNIX sockets that carry whole messages. */
#include "socket.h"

static void *unix_open(const struct shape *shape)
{
    return socket_open_unix(SOCK_SEQPACKET, shape);
}

const struct transport transport_unix_seqpacket = {
    .name = "unix_seqpacket",
    .note = "a pair of AF_UNIX sockets that keep messages whole",
    .is_brief = true,
    .loops = fd_loops,
    .refuse = socket_refuse_unix,
    .open = unix_open,
    .attach = fd_attach,
    .close = fd_close,
    .settings = socket_unix_settings,
};

/* SPDX-License-Identifier: MIT */
/*
 * A pair of AF_UNIX datagram sockets. Each is the other's peer, so that the length of the queue
 * (net.unix.max_dgram_qlen) is no limit; none is lost.
 */
#include "socket.h"

static void *unix_open(const struct shape *shape)
{
    return socket_open_unix(SOCK_DGRAM, shape);
}

const struct transport transport_unix_dgram = {
    .name = "unix_dgram",
    .note = "a pair of AF_UNIX datagram sockets, connected; none is lost",
    .is_brief = true,
    .fan = FAN_SHARED,
    .loops = fd_loops,
    .refuse = socket_refuse_unix,
    .open = unix_open,
    .attach = fd_attach,
    .close = fd_close,
    .settings = socket_unix_settings,
};

/* SPDX-License-Identifier: MIT */
/* UDP over the loopback device. */
#include "lossy.h"

#include <stdio.h>

enum { UDP_MAX = 65535 - 20 - 8 }; /* without the headers of IP and UDP */

static const char *udp_refuse(const struct shape *shape)
{
    return lossy_refuse(shape, UDP_MAX);
}

static void *udp_open(const struct shape *shape)
{
    return lossy_open(SOCK_DGRAM, 0, 0, shape);
}

static void udp_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "addresses in 127.0.0.0/8, connected both ways, receive buffer %d bytes (of the "
             "kernel's count), one send and one recv per message; a question is asked again after "
             "%d ms; spin: MSG_DONTWAIT; adaptive: both",
             socket_buffer(AF_INET, SOCK_DGRAM, SO_RCVBUF), BENCH_LOSS_NS / 1000000);
}

const struct transport transport_udp = {
    .name = "udp",
    .note = "UDP over loopback; what comes while the receiver's buffer is full is lost",
    .is_brief = true,
    .loops = lossy_loops,
    .refuse = udp_refuse,
    .open = udp_open,
    .attach = fd_attach,
    .close = fd_close,
    .settings = udp_settings,
};

/* SPDX-License-Identifier: MIT */
/* IP packets of a protocol of their own over the loopback device. */
#include "lossy.h"

#include <stdio.h>

enum {
    PROTOCOL = 253, /* one of the two for experiments (RFC 3692) */
    IP_HEADER = 20, /* comes with each packet that is received */
    RAW_MAX = 65535 - IP_HEADER,
};

static const char *raw_refuse(const struct shape *shape)
{
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, PROTOCOL);

    if (fd < 0)
        return errno == EPERM ? "raw sockets need CAP_NET_RAW" : "no raw sockets here";
    close(fd);
    return lossy_refuse(shape, RAW_MAX);
}

static void *raw_open(const struct shape *shape)
{
    return lossy_open(SOCK_RAW, PROTOCOL, IP_HEADER, shape);
}

static void raw_settings(char *ret_text, size_t text_size)
{
    snprintf(
        ret_text, text_size,
        "IP protocol %d, addresses in 127.0.0.0/8, connected both ways, receive buffer %d "
        "bytes (of the kernel's count), one send and one recv per message; a question is asked "
        "again after %d ms; spin: MSG_DONTWAIT; adaptive: both",
        PROTOCOL, socket_buffer(AF_INET, SOCK_DGRAM, SO_RCVBUF), BENCH_LOSS_NS / 1000000);
}

const struct transport transport_raw = {
    .name = "raw",
    .note = "an IP protocol of its own over loopback; loses messages as udp does",
    .is_brief = true,
    .loops = lossy_loops,
    .refuse = raw_refuse,
    .open = raw_open,
    .attach = fd_attach,
    .close = fd_close,
    .settings = raw_settings,
};

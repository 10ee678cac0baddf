/* SPDX-License-Identifier: MIT */
/* Pairs of connected sockets: their buffers, and what else all kinds of them share. */
#ifndef BENCH_TRANSPORTS_SOCKET_H
#define BENCH_TRANSPORTS_SOCKET_H

#include "fd.h"

/* Asks for FD_BYTES as the buffers of both: the kernel grants what net.core.*mem_max allow. */
void socket_set_buffers(const int *fds);

/* How large such a buffer is then, by the kernel's count, which is twice what one asks for: of
 * option SO_SNDBUF or SO_RCVBUF; or -1. */
int socket_buffer(int domain, int type, int option);

/* A pair of AF_UNIX. */
void *socket_open_unix(int type, const struct shape *shape);

/* For those that keep messages whole: a message must fit the buffer. */
const char *socket_refuse_unix(const struct shape *shape);

void socket_unix_settings(char *ret_text, size_t text_size);

#endif

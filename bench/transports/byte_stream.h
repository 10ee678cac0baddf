/* SPDX-License-Identifier: MIT */
/* Messages of one size over two descriptors of the kernel: one write and one read each. */
#ifndef BENCH_TRANSPORTS_BYTE_STREAM_H
#define BENCH_TRANSPORTS_BYTE_STREAM_H

#include "transport.h"

enum {
    PIPE_BYTES = 1 << 20, /* what an unprivileged process may have at most, by default */
};

/* loops: for policies spin and block; adaptive_loops: for that. */
extern const struct loops byte_stream_loops, byte_stream_adaptive_loops;

/* Both take over the descriptors (at an error too), and see to blocking, and to the size of the
 * pipe or of the socket's buffer. */
void *byte_stream_open(int read_fd, int write_fd, enum policy policy);
void *byte_stream_open_sockets(int read_fd, int write_fd, enum policy policy);
int byte_stream_attach(void *side, enum role role);
void byte_stream_close(void *side);
void byte_stream_settings(char *ret_text, size_t text_size);
void byte_stream_socket_settings(char *ret_text, size_t text_size);

#endif

/* SPDX-License-Identifier: MIT */
/* Messages of one size over two descriptors of a byte stream: one write and one read each. */
#ifndef BENCH_TRANSPORTS_BYTE_STREAM_H
#define BENCH_TRANSPORTS_BYTE_STREAM_H

#include "transport.h"

enum {
    PIPE_BYTES = 1 << 20, /* what an unprivileged process may have at most, by default */
};

extern const struct loops byte_stream_loops;

/* Takes over the descriptors (at an error too), and sets pipe size and blocking. */
void *byte_stream_open(int read_fd, int write_fd, enum policy policy);
int byte_stream_attach(void *side, enum role role);
void byte_stream_close(void *side);
void byte_stream_settings(char *ret_text, size_t text_size);

#endif

/* SPDX-License-Identifier: MIT */
/* An anonymous pipe. */
#include "byte_stream.h"

#include <fcntl.h>
#include <unistd.h>

static void *pipe_open(const struct shape *shape)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0)
        return NULL;
    return byte_stream_open(fds[0], fds[1], shape->policy);
}

const struct transport transport_pipe = {
    .name = "pipe",
    .note = "one write and one read per message",
    .loops = {[POLICY_SPIN] = &byte_stream_loops,
              [POLICY_ADAPTIVE] = &byte_stream_adaptive_loops,
              [POLICY_BLOCK] = &byte_stream_loops},
    .open = pipe_open,
    .attach = byte_stream_attach,
    .close = byte_stream_close,
    .settings = byte_stream_settings,
};

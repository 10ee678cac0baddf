/* SPDX-License-Identifier: MIT */
/* An anonymous pipe. */
#include "fd.h"

#include <fcntl.h>

static void *pipe_open(const struct shape *shape)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return NULL;
    return fd_open_pipe((int[]){[ROLE_PRODUCER] = ends[1], [ROLE_CONSUMER] = ends[0]}, shape);
}

const struct transport transport_pipe = {
    .name = "pipe",
    .note = "one write and one read per message",
    .fan = FAN_SHARED,
    .loops = fd_loops,
    .open = pipe_open,
    .attach = fd_attach,
    .close = fd_close,
    .settings = fd_pipe_settings,
};

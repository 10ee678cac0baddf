/* SPDX-License-Identifier: MIT */
/* A named pipe. The name is gone before the first message: both ends are opened here. */
#include "byte_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void *open_ends(const char *path, enum policy policy)
{
    /* The reader first, and without waiting for the writer. */
    int read_fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (read_fd < 0)
        return NULL;
    int write_fd = open(path, O_WRONLY | O_CLOEXEC);

    if (write_fd < 0) {
        close(read_fd);
        return NULL;
    }
    return byte_stream_open(read_fd, write_fd, policy);
}

static void *fifo_open(const struct shape *shape)
{
    const char *place = getenv("TMPDIR");
    char directory[4096], path[4112];
    void *side = NULL;

    snprintf(directory, sizeof directory, "%s/shmring-bench.XXXXXX",
             place != NULL && place[0] != '\0' ? place : "/tmp");
    if (mkdtemp(directory) == NULL)
        return NULL;
    snprintf(path, sizeof path, "%s/fifo", directory);
    if (mkfifo(path, 0600) == 0)
        side = open_ends(path, shape->policy);
    int saved_errno = errno;

    unlink(path);
    rmdir(directory);
    errno = saved_errno;
    return side;
}

const struct transport transport_fifo = {
    .name = "fifo",
    .note = "a named pipe; one write and one read per message",
    .loops = {[POLICY_SPIN] = &byte_stream_loops,
              [POLICY_ADAPTIVE] = &byte_stream_adaptive_loops,
              [POLICY_BLOCK] = &byte_stream_loops},
    .open = fifo_open,
    .attach = byte_stream_attach,
    .close = byte_stream_close,
    .settings = byte_stream_settings,
};

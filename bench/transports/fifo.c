/* SPDX-License-Identifier: MIT */
/* A named pipe. The name is gone before the first message: both ends are opened here. */
#include "fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void *open_ends(const char *path, const struct shape *shape)
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
    return fd_open_pipe((int[]){[ROLE_PRODUCER] = write_fd, [ROLE_CONSUMER] = read_fd}, shape);
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
        side = open_ends(path, shape);
    int saved_errno = errno;

    unlink(path);
    rmdir(directory);
    errno = saved_errno;
    return side;
}

const struct transport transport_fifo = {
    .name = "fifo",
    .note = "a named pipe; one write and one read per message",
    .is_brief = true,
    .loops = fd_loops,
    .open = fifo_open,
    .attach = fd_attach,
    .close = fd_close,
    .settings = fd_pipe_settings,
};

/* SPDX-License-Identifier: MIT */
#include "fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

enum { COPYING_LOSES = false };

#include "copying_ops.h"

const struct loops *const fd_loops[POLICY_COUNT] = {[POLICY_SPIN] = &block_loops,
                                                    [POLICY_ADAPTIVE] = &adaptive_loops,
                                                    [POLICY_BLOCK] = &block_loops};

/* The same end of the pipe; but whether it blocks is a property of its own. */
static int open_again(int fd, int access)
{
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, access | O_CLOEXEC);
}

static bool set_blocking(int fd, bool blocking)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 &&
           fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK) == 0;
}

/* A fifo may have been opened without blocking. */
static bool set_up_pipe(struct side *side, enum policy policy)
{
    static const int accesses[2] = {[ROLE_PRODUCER] = O_WRONLY, [ROLE_CONSUMER] = O_RDONLY};

    for (int role = 0; role < 2; role++) {
        if (policy == POLICY_ADAPTIVE)
            side->blocking[role] = open_again(side->fds[role], accesses[role]);
        if (side->blocking[role] < 0 || !set_blocking(side->fds[role], policy == POLICY_BLOCK))
            return false;
    }
    /* Refused where fs.pipe-max-size is smaller: settings says what it is. */
    fcntl(side->fds[ROLE_PRODUCER], F_SETPIPE_SZ, (int)FD_BYTES);
    return true;
}

static struct side *open_side(const int *fds, uint32_t head, const struct shape *shape)
{
    struct side *side = copying_alloc(sizeof *side, head, shape);

    for (int role = 0; role < 2; role++)
        if (side != NULL)
            side->fds[role] = side->blocking[role] = fds[role];
        else
            close(fds[role]);
    return side;
}

void *fd_open_pipe(const int *fds, const struct shape *shape)
{
    struct side *side = open_side(fds, 0, shape);

    if (side == NULL || set_up_pipe(side, shape->policy))
        return side;
    int saved_errno = errno;

    fd_close(side);
    errno = saved_errno;
    return NULL;
}

void *fd_open_sockets(const int *fds, uint32_t head, const struct shape *shape)
{
    struct side *side = open_side(fds, head, shape);

    if (side == NULL)
        return NULL;
    side->are_sockets = true;
    side->head = head;
    return side;
}

static void close_role(struct side *side, enum role role)
{
    if (side->blocking[role] >= 0 && side->blocking[role] != side->fds[role])
        close(side->blocking[role]);
    if (side->fds[role] >= 0)
        close(side->fds[role]);
    side->fds[role] = side->blocking[role] = -1;
}

int fd_attach(void *side, enum role role)
{
    close_role(side, role == ROLE_PRODUCER ? ROLE_CONSUMER : ROLE_PRODUCER);
    return 0;
}

void fd_close(void *side)
{
    close_role(side, ROLE_PRODUCER);
    close_role(side, ROLE_CONSUMER);
    free(side);
}

void fd_pipe_settings(char *ret_text, size_t text_size)
{
    int fds[2];
    int bytes = -1;

    if (pipe(fds) == 0) {
        bytes = fcntl(fds[1], F_SETPIPE_SZ, (int)FD_BYTES);
        if (bytes < 0)
            bytes = fcntl(fds[1], F_GETPIPE_SZ);
        close(fds[0]);
        close(fds[1]);
    }
    snprintf(ret_text, text_size,
             "pipe size %d bytes; one write and one read per message; spin: O_NONBLOCK; adaptive: "
             "both",
             bytes);
}

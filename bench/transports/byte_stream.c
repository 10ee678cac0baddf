/* SPDX-License-Identifier: MIT */
#include "byte_stream.h"

#include "workloads/loops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct side {
    int read_fd;
    int write_fd;
    uint32_t used; /* bytes of the message in the buffer that are written or read */
    bool staged;
    _Alignas(64) uint8_t buffer[BENCH_MAX_SIZE];
};

/* Bytes that were transferred; 0: it would have to wait. */
static inline uint32_t transferred(ssize_t result, const char *what)
{
    if (result > 0)
        return (uint32_t)result;
    if (result == 0)
        sample_fail("%s: the other end is closed", what);
    if (errno != EAGAIN && errno != EINTR)
        sample_fail("%s: %s", what, strerror(errno));
    return 0;
}

BENCH_INLINE void *bytes_reserve(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    return side->buffer;
}

BENCH_INLINE void bytes_stage(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->staged = true;
}

/* Only a message that is larger than what is free in the pipe takes more than one write. */
BENCH_INLINE bool bytes_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (!side->staged)
        return true;
    ssize_t written = write(side->write_fd, side->buffer + side->used, size - side->used);

    side->used += transferred(written, "write");
    if (side->used < size)
        return false;
    side->used = 0;
    side->staged = false;
    return true;
}

BENCH_INLINE const void *bytes_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    while (side->used < size) {
        ssize_t got = read(side->read_fd, side->buffer + side->used, size - side->used);
        uint32_t bytes = transferred(got, "read");

        if (bytes == 0)
            return NULL;
        side->used += bytes;
    }
    return side->buffer;
}

BENCH_INLINE void bytes_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->used = 0;
}

static const struct ops ops = {bytes_reserve, bytes_stage, bytes_publish,
                               bytes_next,    bytes_done,  NULL};

static void produce(void *side, struct run *run)
{
    stream_produce(&ops, side, run);
}

static void consume(void *side, struct run *run)
{
    stream_consume(&ops, side, run);
}

static void ping(void *out, void *in, struct run *run)
{
    pingpong_ping(&ops, out, in, run);
}

static void pong(void *in, void *out, struct run *run)
{
    pingpong_pong(&ops, in, out, run);
}

const struct loops byte_stream_loops = {produce, consume, ping, pong};

/* Blocking is a property of each end, and a fifo may have been opened without. */
static int set_blocking(int fd, enum policy policy)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0)
        return -1;
    flags = policy == POLICY_SPIN ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    return fcntl(fd, F_SETFL, flags);
}

void *byte_stream_open(int read_fd, int write_fd, enum policy policy)
{
    struct side *side = aligned_alloc(64, sizeof *side);

    if (side != NULL && set_blocking(read_fd, policy) == 0 && set_blocking(write_fd, policy) == 0) {
        memset(side, 0, sizeof *side);
        side->read_fd = read_fd;
        side->write_fd = write_fd;
        /* Refused where fs.pipe-max-size is smaller: settings says what it is. */
        fcntl(write_fd, F_SETPIPE_SZ, (int)PIPE_BYTES);
        return side;
    }
    int saved_errno = errno;

    free(side);
    close(read_fd);
    close(write_fd);
    errno = saved_errno;
    return NULL;
}

int byte_stream_attach(void *opaque, enum role role)
{
    struct side *side = opaque;
    int *unused = role == ROLE_PRODUCER ? &side->read_fd : &side->write_fd;

    close(*unused);
    *unused = -1;
    return 0;
}

void byte_stream_close(void *opaque)
{
    struct side *side = opaque;

    if (side->read_fd >= 0)
        close(side->read_fd);
    if (side->write_fd >= 0)
        close(side->write_fd);
    free(side);
}

void byte_stream_settings(char *ret_text, size_t text_size)
{
    int fds[2];
    int bytes = -1;

    if (pipe(fds) == 0) {
        bytes = fcntl(fds[1], F_SETPIPE_SZ, (int)PIPE_BYTES);
        if (bytes < 0)
            bytes = fcntl(fds[1], F_GETPIPE_SZ);
        close(fds[0]);
        close(fds[1]);
    }
    snprintf(ret_text, text_size,
             "pipe size %d bytes; one write and one read per message; spin: O_NONBLOCK", bytes);
}

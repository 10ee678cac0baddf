/* SPDX-License-Identifier: MIT */
#include "byte_stream.h"

#include "workloads/loops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One way to use both ends. */
struct way {
    int fds[2]; /* by enum role; -1: closed */
    int flags;  /* of send() and recv() */
};

struct side {
    struct way tries; /* block: these block */
    struct way waits; /* adaptive: these block; a pipe has its ends opened twice for that */
    bool are_sockets;
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

/* Only a message that is larger than what is free takes more than one write. */
BENCH_INLINE bool bytes_write(struct side *side, const struct way *way, uint32_t size)
{
    const uint8_t *from = side->buffer + side->used;
    int fd = way->fds[ROLE_PRODUCER];

    if (!side->staged)
        return true;
    ssize_t written = side->are_sockets ? send(fd, from, size - side->used, way->flags)
                                        : write(fd, from, size - side->used);

    side->used += transferred(written, "write");
    if (side->used < size)
        return false;
    side->used = 0;
    side->staged = false;
    return true;
}

BENCH_INLINE const void *bytes_read(struct side *side, const struct way *way, uint32_t size)
{
    int fd = way->fds[ROLE_CONSUMER];

    while (side->used < size) {
        uint8_t *to = side->buffer + side->used;
        ssize_t got = side->are_sockets ? recv(fd, to, size - side->used, way->flags)
                                        : read(fd, to, size - side->used);
        uint32_t bytes = transferred(got, "read");

        if (bytes == 0)
            return NULL;
        side->used += bytes;
    }
    return side->buffer;
}

BENCH_INLINE bool bytes_publish(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    return bytes_write(side, &side->tries, size);
}

BENCH_INLINE const void *bytes_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    return bytes_read(side, &side->tries, size);
}

/* The next try finds it done. */
static void bytes_sleep(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    if (side->staged)
        bytes_write(side, &side->waits, size);
    else
        bytes_read(side, &side->waits, size);
}

BENCH_INLINE void bytes_done(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    side->used = 0;
}

static const struct ops ops = {
    bytes_reserve, bytes_stage, bytes_publish, bytes_next, bytes_done, NULL, 0};
static const struct ops adaptive_ops = {bytes_reserve,        bytes_stage, bytes_publish,
                                        bytes_next,           bytes_done,  bytes_sleep,
                                        KERNEL_TRIES_PER_LOOK};

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

static void adaptive_produce(void *side, struct run *run)
{
    stream_produce(&adaptive_ops, side, run);
}

static void adaptive_consume(void *side, struct run *run)
{
    stream_consume(&adaptive_ops, side, run);
}

static void adaptive_ping(void *out, void *in, struct run *run)
{
    pingpong_ping(&adaptive_ops, out, in, run);
}

static void adaptive_pong(void *in, void *out, struct run *run)
{
    pingpong_pong(&adaptive_ops, in, out, run);
}

const struct loops byte_stream_loops = {produce, consume, ping, pong};
const struct loops byte_stream_adaptive_loops = {adaptive_produce, adaptive_consume, adaptive_ping,
                                                 adaptive_pong};

/* Blocking is a property of each end, and a fifo may have been opened without. */
static int set_blocking(int fd, bool blocking)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0)
        return -1;
    return fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

/* The same end of the pipe, but one that blocks, as a property of its own. */
static int open_again(int fd, int access)
{
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, access | O_CLOEXEC);
}

static int set_up_pipe(struct side *side, enum policy policy)
{
    const int *fds = side->tries.fds;

    for (int role = 0; role < 2; role++) {
        if (set_blocking(fds[role], policy == POLICY_BLOCK) != 0)
            return -1;
        if (policy != POLICY_ADAPTIVE)
            continue;
        side->waits.fds[role] = open_again(fds[role], role == ROLE_PRODUCER ? O_WRONLY : O_RDONLY);
        if (side->waits.fds[role] < 0)
            return -1;
    }
    /* Refused where fs.pipe-max-size is smaller: settings says what it is. */
    fcntl(fds[ROLE_PRODUCER], F_SETPIPE_SZ, (int)PIPE_BYTES);
    return 0;
}

/* Here it is a matter of each call. */
static int set_up_sockets(struct side *side, enum policy policy)
{
    int bytes = PIPE_BYTES; /* the kernel grants less: settings says how much */

    side->are_sockets = true;
    side->tries.flags = policy == POLICY_BLOCK ? 0 : MSG_DONTWAIT;
    for (int role = 0; role < 2; role++) {
        side->waits.fds[role] = fcntl(side->tries.fds[role], F_DUPFD_CLOEXEC, 0);
        if (side->waits.fds[role] < 0)
            return -1;
    }
    return setsockopt(side->tries.fds[ROLE_PRODUCER], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void byte_stream_close(void *opaque)
{
    struct side *side = opaque;

    for (int role = 0; role < 2; role++) {
        close_fd(&side->tries.fds[role]);
        close_fd(&side->waits.fds[role]);
    }
    free(side);
}

static void *open_side(int read_fd, int write_fd, enum policy policy,
                       int (*set_up)(struct side *side, enum policy policy))
{
    struct side *side = aligned_alloc(64, sizeof *side);

    if (side == NULL) {
        close(read_fd);
        close(write_fd);
        return NULL;
    }
    memset(side, 0, sizeof *side);
    side->tries = (struct way){.fds = {[ROLE_PRODUCER] = write_fd, [ROLE_CONSUMER] = read_fd}};
    side->waits = (struct way){.fds = {-1, -1}};
    if (set_up(side, policy) == 0)
        return side;
    int saved_errno = errno;

    byte_stream_close(side);
    errno = saved_errno;
    return NULL;
}

void *byte_stream_open(int read_fd, int write_fd, enum policy policy)
{
    return open_side(read_fd, write_fd, policy, set_up_pipe);
}

void *byte_stream_open_sockets(int read_fd, int write_fd, enum policy policy)
{
    return open_side(read_fd, write_fd, policy, set_up_sockets);
}

int byte_stream_attach(void *opaque, enum role role)
{
    struct side *side = opaque;
    enum role other = role == ROLE_PRODUCER ? ROLE_CONSUMER : ROLE_PRODUCER;

    close_fd(&side->tries.fds[other]);
    close_fd(&side->waits.fds[other]);
    return 0;
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
             "pipe size %d bytes; one write and one read per message; spin: O_NONBLOCK; adaptive: "
             "both",
             bytes);
}

void byte_stream_socket_settings(char *ret_text, size_t text_size)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), bytes = PIPE_BYTES;
    socklen_t length = sizeof bytes;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, &length) != 0)
        bytes = -1;
    if (fd >= 0)
        close(fd);
    snprintf(ret_text, text_size,
             "socketpair, send buffer %d bytes (of the kernel's count), one send and one recv per "
             "message; spin: MSG_DONTWAIT; adaptive: both",
             bytes);
}

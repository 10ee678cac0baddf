/* SPDX-License-Identifier: MIT */
/*
 * ZeroMQ: two sockets of type PAIR, over its ipc (an AF_UNIX socket in the abstract namespace, so
 * that no file is left) between processes, and over its inproc between threads. Messages are
 * written and read in place, or copied where the place is not on a multiple of 8 bytes.
 */
#include "transports/copying.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

enum { COPYING_LOSES = false };

struct side {
    struct copying copying;
    struct shape shape;
    uint8_t *aligned; /* a buffer of our own */
    void *context;
    void *socket;
    zmq_msg_t message;
    char endpoint[64];
};

/* Did it work? false: it would have to wait. */
static inline bool is_done(int result, const char *what)
{
    if (result < 0 && errno != EAGAIN && errno != EINTR)
        sample_fail("%s: %s", what, zmq_strerror(errno));
    return result >= 0;
}

/* Where the message is, or where it is copied from and to. */
static inline void find_place(struct side *side)
{
    uint8_t *place = zmq_msg_data(&side->message);

    side->copying.buffer = ((uintptr_t)place & 7) == 0 ? place : side->aligned;
}

static inline void make_message(struct side *side, uint32_t size)
{
    if (zmq_msg_init_size(&side->message, size) != 0)
        sample_fail("zmq_msg_init_size: %s", zmq_strerror(errno));
    find_place(side);
}

BENCH_INLINE bool side_send(struct side *side, uint32_t size, bool waits)
{
    if (side->copying.buffer == side->aligned)
        memcpy(zmq_msg_data(&side->message), side->aligned, size);
    if (!is_done(zmq_msg_send(&side->message, side->socket, waits ? 0 : ZMQ_DONTWAIT), "send"))
        return false;
    make_message(side, size);
    return true;
}

BENCH_INLINE bool side_receive(struct side *side, uint32_t size, bool waits)
{
    if (!is_done(zmq_msg_recv(&side->message, side->socket, waits ? 0 : ZMQ_DONTWAIT), "receive"))
        return false;
    if (zmq_msg_size(&side->message) != size)
        sample_wrong("a message of %zu bytes", zmq_msg_size(&side->message));
    find_place(side);
    if (side->copying.buffer == side->aligned)
        memcpy(side->aligned, zmq_msg_data(&side->message), size);
    return true;
}

#include "transports/copying_ops.h"

static struct side *make_side(const struct shape *shape)
{
    struct side *side = copying_alloc(sizeof *side, 0, shape);

    if (side == NULL)
        return NULL;
    side->aligned = side->copying.buffer;
    side->shape = *shape;
    return side;
}

static void *ipc_open(const struct shape *shape)
{
    static unsigned count;
    struct side *side = make_side(shape);

    if (side != NULL)
        snprintf(side->endpoint, sizeof side->endpoint, "ipc://@shmring-bench.%ld.%u",
                 (long)getpid(), count++);
    return side;
}

static void *inproc_open(const struct shape *shape)
{
    struct side *side = make_side(shape);

    if (side == NULL)
        return NULL;
    side->context = zmq_ctx_new();
    snprintf(side->endpoint, sizeof side->endpoint, "inproc://%p", (void *)side);
    return side;
}

static void *inproc_clone(const void *opaque)
{
    const struct side *original = opaque;
    struct side *side = make_side(&original->shape);

    if (side == NULL)
        return NULL;
    side->context = original->context;
    memcpy(side->endpoint, original->endpoint, sizeof side->endpoint);
    return side;
}

/* Returns once there is a connection: making one is no part of the first message. */
static int greet(struct side *side, enum role role)
{
    char greeting = 0;
    int bytes = role == ROLE_CONSUMER ? zmq_send(side->socket, &greeting, sizeof greeting, 0)
                                      : zmq_recv(side->socket, &greeting, sizeof greeting, 0);

    return bytes == sizeof greeting ? 0 : -errno;
}

static int zmq_attach(void *opaque, enum role role)
{
    struct side *side = opaque;
    int depth = (int)bench_depth(side->shape.size);
    int interval = 1; /* ms between tries to connect to what is not there yet */

    if (side->context == NULL)
        side->context = zmq_ctx_new();
    side->socket = zmq_socket(side->context, ZMQ_PAIR);
    if (side->socket == NULL ||
        zmq_setsockopt(side->socket, ZMQ_SNDHWM, &depth, sizeof depth) != 0 ||
        zmq_setsockopt(side->socket, ZMQ_RCVHWM, &depth, sizeof depth) != 0 ||
        zmq_setsockopt(side->socket, ZMQ_RECONNECT_IVL, &interval, sizeof interval) != 0)
        return -errno;
    if (role == ROLE_CONSUMER)
        zmq_msg_init(&side->message);
    else
        make_message(side, side->shape.size);
    if ((role == ROLE_PRODUCER ? zmq_bind(side->socket, side->endpoint)
                               : zmq_connect(side->socket, side->endpoint)) != 0)
        return -errno;
    return greet(side, role);
}

static const char *ipc_refuse(const struct shape *shape)
{
    return shape->policy == POLICY_BLOCK ? NULL : "no spinning beside the threads that carry it";
}

static void zmq_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "PAIR, high water marks of %d messages, or fewer so that they are %d bytes, one I/O "
             "thread, on any processor; spin: ZMQ_DONTWAIT; adaptive: both; written and read in "
             "place, copied where that is not on a multiple of 8 bytes",
             (int)BENCH_QUEUE_DEPTH, (int)BENCH_RING_BYTES);
}

static const struct loops *const by_policy[POLICY_COUNT] = {[POLICY_SPIN] = &block_loops,
                                                            [POLICY_ADAPTIVE] = &adaptive_loops,
                                                            [POLICY_BLOCK] = &block_loops};

const struct transport transport_zmq_ipc = {
    .name = "zmq_ipc",
    .note = "ZeroMQ over AF_UNIX; its threads carry the messages",
    .is_brief = true,
    .loops = by_policy,
    .members = MEMBERS_APART,
    .refuse = ipc_refuse,
    .open = ipc_open,
    .attach = zmq_attach,
    .close = free,
    .settings = zmq_settings,
};

const struct transport transport_zmq_inproc = {
    .name = "zmq_inproc",
    .note = "ZeroMQ between threads",
    .is_brief = true,
    .loops = by_policy,
    .members = MEMBERS_THREADS,
    .open = inproc_open,
    .clone = inproc_clone,
    .attach = zmq_attach,
    .settings = zmq_settings,
};

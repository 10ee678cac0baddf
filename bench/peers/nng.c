/* SPDX-License-Identifier: MIT */
/*
 * nng: two sockets of pair version 0, over its ipc (an AF_UNIX socket in the abstract namespace, so
 * that no file is left) between processes, and over its inproc between threads. Messages are
 * written and read in place.
 */
#include "transports/copying.h"

#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { COPYING_LOSES = false };

struct side {
    struct copying copying;
    struct shape shape;
    nng_socket socket;
    nng_msg *message;
    char url[64];
};

/* Did it work? false: it would have to wait. */
static inline bool is_done(int error, const char *what)
{
    if (error != 0 && error != NNG_EAGAIN && error != NNG_EINTR)
        sample_fail("%s: %s", what, nng_strerror(error));
    return error == 0;
}

static inline void make_message(struct side *side, uint32_t size)
{
    is_done(nng_msg_alloc(&side->message, size), "nng_msg_alloc");
    side->copying.buffer = nng_msg_body(side->message);
}

BENCH_INLINE bool side_send(struct side *side, uint32_t size, bool waits)
{
    if (!is_done(nng_sendmsg(side->socket, side->message, waits ? 0 : NNG_FLAG_NONBLOCK), "send"))
        return false;
    make_message(side, size);
    return true;
}

BENCH_INLINE bool side_receive(struct side *side, uint32_t size, bool waits)
{
    nng_msg *message;

    if (!is_done(nng_recvmsg(side->socket, &message, waits ? 0 : NNG_FLAG_NONBLOCK), "receive"))
        return false;
    if (nng_msg_len(message) != size)
        sample_wrong("a message of %zu bytes", nng_msg_len(message));
    if (side->message != NULL)
        nng_msg_free(side->message);
    side->message = message;
    side->copying.buffer = nng_msg_body(message);
    return true;
}

#include "transports/copying_ops.h"

static void *open_at(const struct shape *shape, const char *scheme)
{
    static unsigned count;
    struct side *side = bench_alloc(sizeof *side);

    if (side == NULL)
        return NULL;
    side->copying.waits = shape->policy == POLICY_BLOCK;
    side->shape = *shape;
    snprintf(side->url, sizeof side->url, "%s://shmring-bench.%ld.%u", scheme, (long)getpid(),
             count++);
    return side;
}

static void *ipc_open(const struct shape *shape)
{
    return open_at(shape, "abstract");
}

static void *inproc_open(const struct shape *shape)
{
    return open_at(shape, "inproc");
}

static void *inproc_clone(const void *original)
{
    struct side *side = bench_alloc(sizeof *side);

    return side != NULL ? memcpy(side, original, sizeof *side) : NULL;
}

/* The other side may not listen yet. */
static int dial(struct side *side)
{
    static const struct timespec pause = {0, 1000000};
    int error;

    while ((error = nng_dial(side->socket, side->url, NULL, 0)) == NNG_ECONNREFUSED)
        nanosleep(&pause, NULL);
    return error;
}

static int nng_attach(void *opaque, enum role role)
{
    struct side *side = opaque;
    int depth = (int)bench_depth(side->shape.size), error = nng_pair0_open(&side->socket);

    if (error == 0)
        error = nng_socket_set_int(side->socket, NNG_OPT_SENDBUF, depth);
    if (error == 0)
        error = nng_socket_set_int(side->socket, NNG_OPT_RECVBUF, depth);
    if (error == 0)
        error = nng_socket_set_size(side->socket, NNG_OPT_RECVMAXSZ, 0);
    if (error == 0)
        error = role == ROLE_PRODUCER ? nng_listen(side->socket, side->url, NULL, 0) : dial(side);
    if (error != 0)
        sample_fail("attach: %s", nng_strerror(error));
    if (role == ROLE_PRODUCER)
        make_message(side, side->shape.size);
    return 0;
}

static const char *nng_refuse(const struct shape *shape)
{
    return shape->policy == POLICY_BLOCK ? NULL : "no spinning beside the threads that carry it";
}

static void nng_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "pair0, buffers of %d messages on each side, or fewer so that they are %d bytes, its "
             "own number of threads, on any processor; written and read in place",
             (int)BENCH_QUEUE_DEPTH, (int)BENCH_RING_BYTES);
}

static const struct loops *const by_policy[POLICY_COUNT] = {[POLICY_SPIN] = &block_loops,
                                                            [POLICY_ADAPTIVE] = &adaptive_loops,
                                                            [POLICY_BLOCK] = &block_loops};

const struct transport transport_nng_ipc = {
    .name = "nng_ipc",
    .note = "nng over AF_UNIX; its threads carry the messages",
    .is_brief = true,
    .loops = by_policy,
    .members = MEMBERS_APART,
    .refuse = nng_refuse,
    .open = ipc_open,
    .attach = nng_attach,
    .close = free,
    .settings = nng_settings,
};

const struct transport transport_nng_inproc = {
    .name = "nng_inproc",
    .note = "nng between threads; its own threads wake them",
    .is_brief = true,
    .loops = by_policy,
    .members = MEMBERS_THREADS,
    .refuse = nng_refuse,
    .open = inproc_open,
    .clone = inproc_clone,
    .attach = nng_attach,
    .settings = nng_settings,
};

/* SPDX-License-Identifier: MIT */
/*
 * A link: what channel does, between processes that need not trust each other. They shake hands
 * over a socketpair after the fork; the producer serves. A dialogue has two links, each used in
 * one direction, as others have two channels.
 */
#include "shmring/link.h"
#include "transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct side {
    shmring_link link;
    shmring_link_options options;
    int sockets[2]; /* by enum shmring_link_side; -1: closed, or the link's */
};

BENCH_INLINE shmring_sender *side_sender(void *side)
{
    return &((struct side *)side)->link.sender;
}

BENCH_INLINE shmring_receiver *side_receiver(void *side)
{
    return &((struct side *)side)->link.receiver;
}

#include "handle_ops.h"

static void *link_open(const struct shape *shape)
{
    struct side *side = calloc(1, sizeof *side);

    if (side == NULL)
        return NULL;
    side->options = (shmring_link_options){.size = sizeof side->options,
                                           .capacity = BENCH_RING_BYTES,
                                           .wait = wait_policy(shape->policy),
                                           .timeout_ns = INT64_C(10000000000)};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, side->sockets) == 0)
        return side;
    free(side);
    return NULL;
}

static void close_socket(struct side *side, enum shmring_link_side which)
{
    if (side->sockets[which] >= 0)
        close(side->sockets[which]);
    side->sockets[which] = -1;
}

static int link_attach(void *opaque, enum role role)
{
    struct side *side = opaque;
    shmring_handshake handshake;
    enum shmring_link_side ours = role == ROLE_PRODUCER ? SHMRING_LINK_SERVER : SHMRING_LINK_CLIENT;

    /* The other's: as long as we had it open, nobody would see the other one hang up. */
    close_socket(side, ours == SHMRING_LINK_SERVER ? SHMRING_LINK_CLIENT : SHMRING_LINK_SERVER);
    int error = shmring_handshake_begin(&handshake, ours, side->sockets[ours], &side->options);

    if (error != 0)
        return error;
    side->sockets[ours] = -1;
    return shmring_handshake_finish(&handshake, &side->link, SHMRING_NEVER);
}

static void link_close(void *opaque)
{
    struct side *side = opaque;

    shmring_link_close(&side->link);
    close_socket(side, SHMRING_LINK_SERVER);
    close_socket(side, SHMRING_LINK_CLIENT);
    free(side);
}

static void link_settings(char *ret_text, size_t text_size)
{
    snprintf(ret_text, text_size,
             "capacity %d bytes in each direction, of which one is used; sealed memory, by "
             "socketpair; else as channel",
             (int)BENCH_RING_BYTES);
}

static const struct loops *const by_policy[POLICY_COUNT] = {
    [POLICY_SPIN] = &block_loops, [POLICY_ADAPTIVE] = &block_loops, [POLICY_BLOCK] = &block_loops};

const struct transport transport_link = {
    .name = "link",
    .note = "shmring's handles, for processes that need not trust each other",
    .loops = by_policy,
    .open = link_open,
    .attach = link_attach,
    .close = link_close,
    .settings = link_settings,
};

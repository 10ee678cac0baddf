/* SPDX-License-Identifier: MIT */
/* Handshakes as a whole, and the link that they end with. */
#define _GNU_SOURCE /* struct ucred */
#include "shmring/link.h"

#include "lane.h"
#include "link_parts.h"
#include "link_wire.h"
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Newer than the headers of Debian 12. */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

enum {
    SOCKET_MODE_BITS = 0666,
    UID_OF_THE_NAMELESS = 65534, /* all users that have no name in this user namespace */
};

static bool are_without_size(const shmring_link_options *options)
{
    return options != NULL && options->size == 0 &&
           (options->capacity != 0 || options->wait != 0 || options->fence != 0 ||
            options->pollable || options->client_owned || options->timeout_ns != 0 ||
            options->uids != NULL || options->gids != NULL || options->is_welcome != NULL ||
            options->mode != 0);
}

int link_read_options(const shmring_link_options *options, shmring_link_options *ret_own)
{
    int error =
        are_without_size(options) ? -EINVAL : options_read(ret_own, sizeof *ret_own, options);

    if (error != 0)
        return error;
    if (ret_own->timeout_ns == 0)
        ret_own->timeout_ns = SHMRING_LINK_TIMEOUT_NS;
    if ((unsigned)ret_own->wait > SHMRING_WAIT_ADAPTIVE ||
        (unsigned)ret_own->fence > SHMRING_FENCE_LIGHT || ret_own->timeout_ns < 0 ||
        ret_own->capacity > SHMRING_LINK_CAPACITY_MAX ||
        (ret_own->mode & ~(mode_t)SOCKET_MODE_BITS) != 0 ||
        (ret_own->uids == NULL && ret_own->uid_count != 0) ||
        (ret_own->gids == NULL && ret_own->gid_count != 0))
        return -EINVAL;
    return 0;
}

uint32_t link_own_wake(const shmring_link_options *own)
{
    return own->pollable ? SHMRING_BACKEND_SOCKET : SHMRING_BACKEND_FUTEX;
}

static int peer_pidfd(int socket)
{
    int fd;
    socklen_t size = sizeof fd;

    if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &fd, &size) != 0)
        return errno == ENOPROTOOPT ? -EOPNOTSUPP : errno == EINVAL ? -ESRCH : -errno;
    return fd;
}

static bool is_listed(const shmring_link_peer *peer, const shmring_link_options *own)
{
    if (peer->uid == geteuid() && peer->uid != UID_OF_THE_NAMELESS)
        return true;
    for (uint32_t i = 0; i < own->uid_count; i++)
        if (own->uids[i] == peer->uid)
            return true;
    for (uint32_t i = 0; i < own->gid_count; i++)
        if (own->gids[i] == peer->gid)
            return true;
    return false;
}

int link_judge(int socket, const shmring_link_options *own, shmring_link_peer *ret_peer)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;

    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return -errno;
    if (credentials.uid == (uid_t)-1) /* nobody there: not connected */
        return -ENOTCONN;
    shmring_link_peer peer = {credentials.uid, credentials.gid, credentials.pid};
    bool welcome = is_listed(&peer, own);

    if (own->is_welcome != NULL) {
        int pidfd = peer_pidfd(socket);

        /* Who could bring it about that there is none would be judged by less. */
        if (pidfd < 0 && pidfd != -EOPNOTSUPP)
            return pidfd == -ESRCH ? -EPERM : pidfd;
        welcome = own->is_welcome(own->argument, &peer, welcome, pidfd < 0 ? -1 : pidfd);
        if (pidfd >= 0)
            close(pidfd);
    }
    *ret_peer = peer;
    return welcome ? 0 : -EPERM;
}

void link_permit_fds(int socket, bool permit)
{
    int value = permit ? 1 : 0;

    /* Before Linux 6.16 there is no such option. */
    setsockopt(socket, SOL_SOCKET, SO_PASSRIGHTS, &value, sizeof value);
}

int link_refuse_fds(int socket)
{
    link_permit_fds(socket, false);
    return link_drain(socket);
}

static int prepare(int socket)
{
    int domain, type;
    socklen_t size = sizeof type;

    if (getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 ||
        getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
        return -errno;
    if (domain != AF_UNIX || type != SOCK_SEQPACKET)
        return -EINVAL;
    return fcntl(socket, F_SETFD, FD_CLOEXEC) != 0 ? -errno : 0;
}

int link_begin(shmring_handshake *ret_handshake, enum shmring_link_side side, int socket,
               const shmring_link_options *own)
{
    shmring_handshake handshake = {
        .deadline = shmring_deadline(own->timeout_ns),
        .owner = getpid(),
        .options = *own,
        .state = LINK_AWAITS_HELLO,
        .socket = socket,
        .lock = -1,
        .fds = {-1, -1},
    };
    bool serves = side == SHMRING_LINK_SERVER;
    int error = link_judge(socket, own, &handshake.peer);

    if (own->capacity == 0)
        handshake.options.capacity = serves ? SHMRING_LINK_CAPACITY : SHMRING_LINK_CAPACITY_MAX;
    if (error == 0 && serves)
        error = shmring_layout_plan(SHMRING_KIND_LANE, 0, handshake.options.capacity,
                                    &handshake.geometry);
    if (error != 0)
        return error;
    link_permit_fds(socket, !serves);
    if (!serves)
        error = link_greet(&handshake);
    if (error == 0)
        *ret_handshake = handshake;
    return error;
}

int shmring_handshake_begin(shmring_handshake *ret_handshake, enum shmring_link_side side,
                            int socket, const shmring_link_options *options)
{
    shmring_link_options own;
    int error = link_read_options(options, &own);

    if (error == 0 && side != SHMRING_LINK_SERVER && side != SHMRING_LINK_CLIENT)
        error = -EINVAL;
    if (error == 0)
        error = prepare(socket);
    return error != 0 ? error : link_begin(ret_handshake, side, socket, &own);
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        link_close_fd(*fd);
    *fd = -1;
}

static bool takes_fds(const shmring_handshake *handshake)
{
    return handshake->state == LINK_AWAITS_OFFER ||
           (handshake->state == LINK_AWAITS_ACK && (handshake->features & LINK_CLIENT_OWNED) != 0);
}

void shmring_handshake_cancel(shmring_handshake *handshake)
{
    int saved_errno = errno;

    if (handshake->state == LINK_OVER)
        return;
    if (handshake->socket >= 0 && takes_fds(handshake) && handshake->owner == getpid())
        link_refuse_fds(handshake->socket);
    close_one(&handshake->socket);
    close_one(&handshake->lock);
    /* In a forked child the lanes are not there, and something else may be in their place. */
    for (int side = SHMRING_LINK_SERVER; side <= SHMRING_LINK_CLIENT; side++) {
        close_one(&handshake->fds[side]);
        if (handshake->owner == getpid())
            lane_unmap(&handshake->lanes[side]);
    }
    handshake->state = LINK_OVER;
    errno = saved_errno;
}

int shmring_handshake_step(shmring_handshake *handshake, shmring_link *ret_link)
{
    shmring_link link;
    int error = -EINVAL;

    if (handshake->state == LINK_OVER)
        return error;
    if (handshake->state == LINK_AWAITS_HELLO || handshake->state == LINK_AWAITS_ACK)
        error = link_serve(handshake, &link);
    else
        error = link_consume(handshake, &link);
    if (error == -EAGAIN) {
        if (shmring_clock() < handshake->deadline)
            return -EAGAIN;
        error = -ETIMEDOUT;
    }
    /* What went into the link is no longer the handshake's. */
    shmring_handshake_cancel(handshake);
    if (error == 0)
        *ret_link = link;
    return error;
}

int shmring_handshake_finish(shmring_handshake *handshake, shmring_link *ret_link, int64_t deadline)
{
    const int64_t ns_per_s = 1000000000;
    int error;

    if (deadline < handshake->deadline)
        handshake->deadline = deadline;
    while ((error = shmring_handshake_step(handshake, ret_link)) == -EAGAIN) {
        int64_t left = handshake->deadline - shmring_clock();
        struct pollfd one = {.fd = handshake->socket, .events = POLLIN};
        struct timespec time = {.tv_sec = (time_t)(left / ns_per_s), .tv_nsec = left % ns_per_s};

        if (left > 0 && ppoll(&one, 1, &time, NULL) < 0) {
            error = errno == EINTR ? -EINTR : -ENOMEM;
            shmring_handshake_cancel(handshake);
            break;
        }
    }
    return error;
}

static int open_waiters(const shmring_handshake *handshake, enum shmring_link_side side,
                        shmring_link *link)
{
    const shmring_geometry *geometry = &handshake->geometry;
    uint8_t *mine = link->mine.base, *theirs = link->theirs.base;
    const enum shmring_link_side other = SHMRING_LINK_SERVER + SHMRING_LINK_CLIENT - side;
    const bool light = (handshake->features & LINK_LIGHT_WAKE) != 0;
    const shmring_bell_place room = {.backend = SHMRING_BACKEND_FUTEX};
    const shmring_bell_place ring = {.backend = (enum shmring_backend)handshake->wakes[other],
                                     .socket = link->socket};
    const shmring_bell_place sleep = {.backend = (enum shmring_backend)handshake->wakes[side],
                                      .socket = link->socket,
                                      .sleeps = true};
    int error = shmring_waiter_open_lane(
        &link->sender.waiter, (void *)(mine + geometry->producer_offset),
        (void *)(theirs + geometry->consumer_offset), light, SHMRING_ROLE_PRODUCER, &ring, &room);

    if (error == 0)
        error = shmring_waiter_open_lane(&link->receiver.waiter,
                                         (void *)(mine + geometry->consumer_offset),
                                         (void *)(theirs + geometry->producer_offset), light,
                                         SHMRING_ROLE_CONSUMER, &room, &sleep);
    return error;
}

int link_assemble(shmring_handshake *handshake, enum shmring_link_side side, shmring_link *ret_link)
{
    const enum shmring_link_side other = SHMRING_LINK_SERVER + SHMRING_LINK_CLIENT - side;
    shmring_link link = {
        .peer = handshake->peer,
        .socket = handshake->socket,
        .lock = handshake->lock,
        .owner = getpid(),
        .mine = handshake->lanes[side],
        .theirs = handshake->lanes[other],
    };
    int error = open_waiters(handshake, side, &link);

    if (error == 0)
        error = shmring_spsc_attach_producer_lane(&link.sender.producer, link.mine.base,
                                                  link.theirs.base, &handshake->geometry, link.lock,
                                                  (uint32_t)other);
    if (error == 0)
        error = shmring_spsc_attach_consumer_lane(&link.receiver.consumer, link.mine.base,
                                                  link.theirs.base, &handshake->geometry, link.lock,
                                                  (uint32_t)other);
    if (error != 0)
        return error;
    link.sender.pace.policy = link.receiver.pace.policy = handshake->options.wait;
    link.sender.is_link = link.receiver.is_link = true;
    link.sender.socket = link.receiver.socket = link.socket;
    link.receiver.is_polled = handshake->options.pollable;
    handshake->socket = handshake->lock = -1;
    handshake->lanes[SHMRING_LINK_SERVER] = handshake->lanes[SHMRING_LINK_CLIENT] =
        (shmring_lane){.base = NULL};
    *ret_link = link;
    return 0;
}

int shmring_link_pidfd(const shmring_link *link)
{
    return peer_pidfd(link->socket);
}

void shmring_link_close(shmring_link *link)
{
    int saved_errno = errno;

    if (link->mine.base == NULL)
        return;
    if (link->owner == getpid()) {
        shmring_sender_close(&link->sender);
        shmring_receiver_close(&link->receiver);
        lane_unmap(&link->mine);
        lane_unmap(&link->theirs);
        shmring_member_leave(link->lock);
    } else {
        close(link->lock); /* a child's copies */
    }
    close(link->socket);
    memset(link, 0, sizeof *link);
    errno = saved_errno;
}

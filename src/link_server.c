/* SPDX-License-Identifier: MIT */
/* The server's half of the handshake. */
#define _GNU_SOURCE /* F_ADD_SEALS */
#include "lane.h"
#include "link_parts.h"
#include "link_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* What of HELLO must be as it is in every version. */
static bool is_hello(const struct link_hello *hello)
{
    return hello->magic == LINK_HELLO_MAGIC && hello->size == sizeof *hello &&
           hello->protocol_min <= hello->protocol_max && hello->reserved == 0;
}

/* Can we serve that client? 0, or what OFFER is to say. */
static int judge_hello(const struct link_hello *hello, const shmring_link_options *own)
{
    const uint64_t known = LINK_CLIENT_OWNED | LINK_LIGHT_WAKE;

    if (hello->protocol_min > LINK_PROTOCOL || hello->protocol_max < LINK_PROTOCOL ||
        (hello->required & ~known) != 0 || hello->topology != LINK_TOPOLOGY_DUPLEX ||
        hello->role != LINK_ROLE_BOTH || hello->page_size != SHMRING_PAGE_SIZE ||
        (hello->wake != SHMRING_BACKEND_FUTEX && hello->wake != SHMRING_BACKEND_SOCKET))
        return -EPROTONOSUPPORT;
    if ((hello->required & LINK_CLIENT_OWNED) != 0 && !own->client_owned)
        return -EOPNOTSUPP;
    return 0;
}

/* 0, or -EOPNOTSUPP: one side insists on a fence that the other has not. */
static int agree_on_fence(const struct link_hello *hello, shmring_handshake *handshake)
{
    enum shmring_fence fence = handshake->options.fence;
    bool wanted = ((hello->required | hello->wanted) & LINK_LIGHT_WAKE) != 0;

    if (wanted && fence != SHMRING_FENCE_SYMMETRIC && shmring_fence_register() == 0) {
        handshake->features |= LINK_LIGHT_WAKE;
        handshake->geometry.options |= SHMRING_OPTION_LIGHT_WAKE;
        return 0;
    }
    return fence == SHMRING_FENCE_LIGHT || (hello->required & LINK_LIGHT_WAKE) != 0 ? -EOPNOTSUPP
                                                                                    : 0;
}

/* Our lane, complete and sealed. */
static int make_own_lane(shmring_handshake *handshake)
{
    int *fd = &handshake->fds[SHMRING_LINK_SERVER];
    shmring_lane *lane = &handshake->lanes[SHMRING_LINK_SERVER];
    int error;

    *fd = lane_create(&handshake->geometry);
    if (*fd < 0)
        return *fd;
    error = lane_map(*fd, handshake->geometry.total_size, true, lane);
    if (error == 0)
        error = lane_populate(lane, true);
    return error != 0 ? error : lane_seal(*fd);
}

/* Why there is no lock, in the words of a handshake. */
static int lock_error(int error)
{
    if (error == -EMFILE || error == -ENFILE || error == -ENOMEM)
        return error;
    return error == -ENOLCK ? -ENOMEM : -EOPNOTSUPP; /* no /proc, or not for us */
}

/* The lock file: empty, for nobody to write. *ret_fd is to be the client's, and the client's only:
 * locks go by open file. */
static int make_lock(shmring_handshake *handshake, int *ret_fd)
{
    int fd = segment_memfd();

    if (fd < 0)
        return fd;
    int error = fcntl(fd, F_ADD_SEALS, LANE_SEALED | F_SEAL_WRITE) != 0 ? -EOPNOTSUPP : 0;

    if (error == 0) {
        handshake->lock = shmring_member_join(fd, SHMRING_LINK_SERVER);
        error = handshake->lock < 0 ? lock_error(handshake->lock) : 0;
    }
    if (error != 0)
        close(fd);
    else
        *ret_fd = fd;
    return error;
}

/* All that OFFER hands over, but for the client's lane if it brings that itself. */
static int make_objects(shmring_handshake *handshake, int *ret_lock)
{
    int error = make_own_lane(handshake);

    if (error == 0 && (handshake->features & LINK_CLIENT_OWNED) == 0) {
        handshake->fds[SHMRING_LINK_CLIENT] = lane_create(&handshake->geometry);
        if (handshake->fds[SHMRING_LINK_CLIENT] < 0)
            error = handshake->fds[SHMRING_LINK_CLIENT];
    }
    if (error == 0 && getrandom(handshake->session, sizeof handshake->session, GRND_NONBLOCK) !=
                          sizeof handshake->session)
        error = -EOPNOTSUPP;
    return error != 0 ? error : make_lock(handshake, ret_lock);
}

static int refuse(const shmring_handshake *handshake, int error)
{
    struct link_offer offer = {
        .magic = LINK_OFFER_MAGIC,
        .protocol = LINK_PROTOCOL,
        .size = sizeof offer,
        .status = error,
    };

    memcpy(offer.nonce, handshake->nonce, sizeof offer.nonce);
    link_send(handshake->socket, &offer, sizeof offer, NULL, 0);
    return error;
}

static int send_offer(const shmring_handshake *handshake, int lock)
{
    const bool owned = (handshake->features & LINK_CLIENT_OWNED) != 0;
    const int fds[] = {handshake->fds[SHMRING_LINK_SERVER], lock,
                       handshake->fds[SHMRING_LINK_CLIENT]};
    const uint64_t size = handshake->geometry.total_size;
    struct link_offer offer = {
        .magic = LINK_OFFER_MAGIC,
        .protocol = LINK_PROTOCOL,
        .fds = owned ? 2 : 3,
        .size = sizeof offer,
        .features = handshake->features,
        .topology = LINK_TOPOLOGY_DUPLEX,
        .role = LINK_ROLE_BOTH,
        .wake = handshake->wakes[SHMRING_LINK_SERVER],
        .slot = LINK_SLOT,
        .peer_size = size,
        .mine_size = size,
        .capacity_log2 = (uint32_t)__builtin_ctzll(handshake->geometry.capacity),
        .members = 2,
    };

    memcpy(offer.nonce, handshake->nonce, sizeof offer.nonce);
    memcpy(offer.session, handshake->session, sizeof offer.session);
    return link_send(handshake->socket, &offer, sizeof offer, fds, offer.fds);
}

static int answer_hello(shmring_handshake *handshake)
{
    const shmring_link_options *own = &handshake->options;
    struct link_hello hello;
    int error = link_receive(handshake->socket, &hello, sizeof hello, NULL, 0), lock = -1;

    if (error < 0)
        return error;
    if (!is_hello(&hello))
        return -EPROTO;
    memcpy(handshake->nonce, hello.nonce, sizeof hello.nonce);
    error = judge_hello(&hello, own);
    if (error == 0)
        error = agree_on_fence(&hello, handshake);
    if (error != 0)
        return refuse(handshake, error);
    handshake->wakes[SHMRING_LINK_SERVER] = link_own_wake(own);
    handshake->wakes[SHMRING_LINK_CLIENT] = hello.wake;
    handshake->features |= hello.required & LINK_CLIENT_OWNED;
    error = make_objects(handshake, &lock);
    if (error != 0)
        return refuse(handshake, error);
    link_permit_fds(handshake->socket, (handshake->features & LINK_CLIENT_OWNED) != 0);
    error = send_offer(handshake, lock);
    close(lock);
    if (error != 0)
        return error;
    handshake->state = LINK_AWAITS_ACK;
    return -EAGAIN;
}

/* The client has mapped its lane to write, or brought it. Only now may we look at it: whoever
 * could write, truncate or punch holes into it before, can no longer. */
static int take_client_lane(shmring_handshake *handshake)
{
    int fd = handshake->fds[SHMRING_LINK_CLIENT];
    shmring_lane *lane = &handshake->lanes[SHMRING_LINK_CLIENT];
    struct stat ours, theirs;

    /* -EPERM: the client has sealed it, and it is checked with what. */
    int error = (handshake->features & LINK_CLIENT_OWNED) == 0 ? lane_seal(fd) : 0;

    if (error != 0 && error != -EPERM)
        return error;
    error = lane_check(fd, handshake->geometry.total_size, LANE_SEALED, &theirs);
    if (error == 0 && fstat(handshake->fds[SHMRING_LINK_SERVER], &ours) != 0)
        error = -errno;
    if (error == 0 && lane_is_same(&ours, &theirs))
        error = -EBADMSG;
    if (error == 0)
        error = lane_map(fd, handshake->geometry.total_size, false, lane);
    if (error == 0)
        error = lane_populate(lane, false);
    return error != 0 ? error : lane_check_header(lane, &handshake->geometry);
}

static bool is_ack(const struct link_answer *ack, const shmring_handshake *handshake)
{
    return ack->magic == LINK_ACK_MAGIC && ack->size == sizeof *ack && ack->slot == LINK_SLOT &&
           ack->reserved0 == 0 && link_is_zero(ack->reserved1, sizeof ack->reserved1) &&
           memcmp(ack->session, handshake->session, sizeof ack->session) == 0;
}

static int send_go(int socket, const uint8_t session[16])
{
    struct link_answer go = {.magic = LINK_GO_MAGIC, .size = sizeof go, .slot = LINK_SLOT};

    memcpy(go.session, session, sizeof go.session);
    return link_send(socket, &go, sizeof go, NULL, 0);
}

static int answer_ack(shmring_handshake *handshake, shmring_link *ret_link)
{
    const int wanted = (handshake->features & LINK_CLIENT_OWNED) != 0 ? 1 : 0;
    int *fd = &handshake->fds[SHMRING_LINK_CLIENT];
    struct link_answer ack;
    int came = link_receive(handshake->socket, &ack, sizeof ack, fd, wanted);

    if (came < 0)
        return came;
    /* A status says that the client gives up; so does anything that is not as agreed. */
    if (!is_ack(&ack, handshake) || ack.status != 0 || came != wanted ||
        shmring_member_probe(handshake->lock, SHMRING_LINK_CLIENT) != 1 ||
        (wanted != 0 && link_refuse_fds(handshake->socket) != 0))
        return -EPROTO;
    int error = take_client_lane(handshake);

    if (error == 0)
        error = link_assemble(handshake, SHMRING_LINK_SERVER, ret_link);
    if (error != 0)
        return error;
    error = send_go(ret_link->socket, handshake->session);
    if (error != 0)
        shmring_link_close(ret_link);
    return error;
}

int link_serve(shmring_handshake *handshake, shmring_link *ret_link)
{
    return handshake->state == LINK_AWAITS_HELLO ? answer_hello(handshake)
                                                 : answer_ack(handshake, ret_link);
}

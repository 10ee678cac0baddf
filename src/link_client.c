/* SPDX-License-Identifier: MIT */
/* The client's half of the handshake. */
#define _GNU_SOURCE /* F_SEAL_SHRINK */
#include "lane.h"
#include "link_parts.h"
#include "link_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* In the order of OFFER. */
enum { SERVER_LANE, LOCK, CLIENT_LANE };

int link_greet(shmring_handshake *handshake)
{
    const shmring_link_options *own = &handshake->options;
    struct link_hello hello = {
        .magic = LINK_HELLO_MAGIC,
        .protocol_min = LINK_PROTOCOL,
        .protocol_max = LINK_PROTOCOL,
        .size = sizeof hello,
        .role = LINK_ROLE_BOTH,
        .topology = LINK_TOPOLOGY_DUPLEX,
        .wake = link_own_wake(own),
        .required = own->client_owned ? LINK_CLIENT_OWNED : 0,
        .page_size = SHMRING_PAGE_SIZE,
    };

    if (own->fence != SHMRING_FENCE_SYMMETRIC && shmring_fence_register() == 0)
        hello.wanted |= LINK_LIGHT_WAKE;
    if (own->fence == SHMRING_FENCE_LIGHT) {
        if (hello.wanted == 0)
            return -EOPNOTSUPP;
        hello.required |= LINK_LIGHT_WAKE;
    }
    if (getrandom(hello.nonce, sizeof hello.nonce, GRND_NONBLOCK) != sizeof hello.nonce)
        return -EOPNOTSUPP;
    memcpy(handshake->nonce, hello.nonce, sizeof hello.nonce);
    handshake->features = hello.required | hello.wanted;
    handshake->wakes[SHMRING_LINK_CLIENT] = hello.wake;
    handshake->state = LINK_AWAITS_OFFER;
    return link_send(handshake->socket, &hello, sizeof hello, NULL, 0);
}

/* A refusal, in our own words: what a peer says is no errno until it was looked at. */
static int refusal(int32_t status)
{
    static const int known[] = {EPROTONOSUPPORT, EOPNOTSUPP, ENOSPC, ENOMEM, EMFILE, ENFILE};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (status == -known[i])
            return status;
    return -EPROTO;
}

static bool is_offer(const struct link_offer *offer, const shmring_handshake *handshake)
{
    return offer->magic == LINK_OFFER_MAGIC && offer->size == sizeof *offer &&
           offer->reserved0 == 0 && link_is_zero(offer->reserved1, sizeof offer->reserved1) &&
           memcmp(offer->nonce, handshake->nonce, sizeof offer->nonce) == 0;
}

/* Takes over what a good offer says. 0, -EPROTONOSUPPORT, -EMSGSIZE, -EPROTO. */
static int accept_offer(const struct link_offer *offer, shmring_handshake *handshake)
{
    const uint64_t required = handshake->options.client_owned ? LINK_CLIENT_OWNED : 0;
    shmring_geometry *geometry = &handshake->geometry;

    if (offer->protocol != LINK_PROTOCOL || offer->topology != LINK_TOPOLOGY_DUPLEX ||
        offer->role != LINK_ROLE_BOTH || offer->element_size != 0 || offer->members != 2 ||
        (offer->wake != SHMRING_BACKEND_FUTEX && offer->wake != SHMRING_BACKEND_SOCKET) ||
        (offer->features & ~handshake->features) != 0)
        return -EPROTONOSUPPORT;
    if ((offer->features & LINK_CLIENT_OWNED) != required || offer->slot != LINK_SLOT ||
        (handshake->options.fence == SHMRING_FENCE_LIGHT &&
         (offer->features & LINK_LIGHT_WAKE) == 0) ||
        offer->capacity_log2 >= 64 || offer->lock_size != 0 ||
        shmring_layout_plan(SHMRING_KIND_LANE, 0, UINT64_C(1) << offer->capacity_log2, geometry) !=
            0 ||
        offer->peer_size != geometry->total_size || offer->mine_size != geometry->total_size)
        return -EPROTO;
    if (geometry->capacity > handshake->options.capacity)
        return -EMSGSIZE;
    if ((offer->features & LINK_LIGHT_WAKE) != 0)
        geometry->options |= SHMRING_OPTION_LIGHT_WAKE;
    handshake->features = offer->features;
    handshake->wakes[SHMRING_LINK_SERVER] = offer->wake;
    memcpy(handshake->session, offer->session, sizeof offer->session);
    return 0;
}

/* Are the three (or two) descriptors what they should be, and different files? Else what we write
 * could be what we believe to come from the server. */
static int check_fds(const shmring_handshake *handshake, const int *fds, bool owned)
{
    const uint64_t size = handshake->geometry.total_size;
    struct stat server, lock, client;
    int error = lane_check(fds[SERVER_LANE], size, LANE_SEALED, &server);

    if (error == 0)
        error = lane_check(fds[LOCK], 0, F_SEAL_SHRINK | F_SEAL_GROW, &lock);
    if (error == 0 && lane_is_same(&server, &lock))
        error = -EBADMSG;
    if (error != 0 || owned)
        return error;
    error = lane_check(fds[CLIENT_LANE], size, F_SEAL_SHRINK | F_SEAL_GROW, &client);
    if (error == 0 && (lane_is_same(&client, &server) || lane_is_same(&client, &lock)))
        error = -EBADMSG;
    return error;
}

static int map_lanes(shmring_handshake *handshake)
{
    const uint64_t size = handshake->geometry.total_size;
    const bool owned = (handshake->features & LINK_CLIENT_OWNED) != 0;
    shmring_lane *mine = &handshake->lanes[SHMRING_LINK_CLIENT];
    shmring_lane *theirs = &handshake->lanes[SHMRING_LINK_SERVER];
    int error = lane_map(handshake->fds[SHMRING_LINK_CLIENT], size, true, mine);

    if (error == 0)
        error = lane_populate(mine, true);
    if (error == 0 && owned)
        error = lane_seal(handshake->fds[SHMRING_LINK_CLIENT]);
    if (error == 0)
        error = lane_map(handshake->fds[SHMRING_LINK_SERVER], size, false, theirs);
    if (error == 0)
        error = lane_populate(theirs, false);
    if (error == 0)
        error = lane_check_header(theirs, &handshake->geometry);
    /* A lane that the server has sealed too early cannot be mapped to write. */
    return error == -EPERM || error == -EACCES ? -EBADMSG : error;
}

static int send_ack(const shmring_handshake *handshake)
{
    const bool owned = (handshake->features & LINK_CLIENT_OWNED) != 0;
    struct link_answer ack = {.magic = LINK_ACK_MAGIC, .size = sizeof ack, .slot = LINK_SLOT};

    memcpy(ack.session, handshake->session, sizeof ack.session);
    return link_send(handshake->socket, &ack, sizeof ack, &handshake->fds[SHMRING_LINK_CLIENT],
                     owned ? 1 : 0);
}

/* What to do with the descriptors of a good offer, which are in handshake, or -1, by now. */
static int follow_offer(shmring_handshake *handshake)
{
    int error = 0;

    if ((handshake->features & LINK_CLIENT_OWNED) != 0) {
        handshake->fds[SHMRING_LINK_CLIENT] = lane_create(&handshake->geometry);
        error = handshake->fds[SHMRING_LINK_CLIENT] < 0 ? handshake->fds[SHMRING_LINK_CLIENT] : 0;
    }
    if (error == 0)
        error = map_lanes(handshake);
    if (error == 0 && shmring_member_lock(handshake->lock, SHMRING_LINK_CLIENT) != 0)
        error = -EBADMSG;
    return error != 0 ? error : send_ack(handshake);
}

static int answer_offer(shmring_handshake *handshake)
{
    const bool owned = handshake->options.client_owned;
    const int wanted = owned ? 2 : 3;
    int fds[LINK_FDS_MAX] = {-1, -1, -1};
    struct link_offer offer;
    int came = link_receive(handshake->socket, &offer, sizeof offer, fds, wanted);
    int error = came < 0 ? came : 0;

    if (error != 0)
        return error;
    handshake->fds[SHMRING_LINK_SERVER] = fds[SERVER_LANE];
    handshake->fds[SHMRING_LINK_CLIENT] = fds[CLIENT_LANE];
    handshake->lock = fds[LOCK];
    if (!is_offer(&offer, handshake) || offer.fds != came)
        return -EPROTO;
    if (offer.status != 0)
        return came == 0 ? refusal(offer.status) : -EPROTO;
    if (came != wanted || link_refuse_fds(handshake->socket) != 0)
        return -EPROTO;
    error = accept_offer(&offer, handshake);
    if (error == 0)
        error = check_fds(handshake, fds, owned);
    if (error == 0)
        error = follow_offer(handshake);
    if (error != 0)
        return error;
    handshake->state = LINK_AWAITS_GO;
    return -EAGAIN;
}

static int answer_go(shmring_handshake *handshake, shmring_link *ret_link)
{
    struct link_answer go;
    int came = link_receive(handshake->socket, &go, sizeof go, NULL, 0);

    if (came < 0)
        return came;
    if (go.magic != LINK_GO_MAGIC || go.size != sizeof go || go.status != 0 ||
        go.slot != LINK_SLOT || go.reserved0 != 0 ||
        !link_is_zero(go.reserved1, sizeof go.reserved1) ||
        memcmp(go.session, handshake->session, sizeof go.session) != 0)
        return -EPROTO;
    return link_assemble(handshake, SHMRING_LINK_CLIENT, ret_link);
}

int link_consume(shmring_handshake *handshake, shmring_link *ret_link)
{
    return handshake->state == LINK_AWAITS_OFFER ? answer_offer(handshake)
                                                 : answer_go(handshake, ret_link);
}

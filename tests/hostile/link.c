/* SPDX-License-Identifier: MIT */
/*
 * Claim: whatever the peer of a link writes into its memory, whatever it sends or leaves unread on
 * the socket, and whomever it wakes or moves, before and during each call: no call reads or writes
 * out of bounds, is interrupted by a signal, takes longer than its deadline and a moment, or
 * returns what its header does not list; and no message of a third party on another link of the
 * same process is lost or changed.
 *
 * usage: link [SEED] [--scale SECONDS]     by default 3
 */
#include "ends.h"
#include "foe.h"
#include "peer.h"

enum {
    CAPACITY = 4096,
    CALLS_PER_TURN = 128, /* of the neighbour */
    TRIES = 1024,         /* a peer that leaves nothing to attach to is left */
};
static const int64_t LIFE_NS = 300000000;
static const shmring_link_options options[] = {
    {.capacity = CAPACITY},
    {.capacity = CAPACITY, .pollable = true},
    {.capacity = CAPACITY, .fence = SHMRING_FENCE_SYMMETRIC},
    {.capacity = CAPACITY, .pollable = true, .wait = SHMRING_WAIT_ADAPTIVE},
};

static shmring_geometry geometry;
static uint64_t links, attached, refused, poisoned;

static void play(shmring_link *link, uint64_t seed)
{
    foe_play(link, &geometry, (uint32_t)links, seed);
}

/* The ends begin anew, at what there is: as at the end of a handshake. */
static bool renew(shmring_link *link)
{
    for (int i = 0; i < TRIES; i++) {
        call_begin("attach", SHMRING_NOW);
        int sends = shmring_spsc_attach_producer_lane(&link->sender.producer, link->mine.base,
                                                      link->theirs.base, &geometry, link->lock,
                                                      SHMRING_LINK_CLIENT);
        int receives = shmring_spsc_attach_consumer_lane(&link->receiver.consumer, link->mine.base,
                                                         link->theirs.base, &geometry, link->lock,
                                                         SHMRING_LINK_CLIENT);

        call_end(sends != 0 ? sends : receives);
        CHECK((sends == 0 || sends == -EBADMSG) && (receives == 0 || receives == -EBADMSG));
        if (sends == 0 && receives == 0) {
            attached++;
            return true;
        }
        refused++;
        shmring_cpu_pause();
    }
    return false;
}

static void use(shmring_link *link, int64_t until)
{
    while (shmring_clock() < until) {
        for (int k = 0; k < CALLS_PER_TURN; k++) {
            bool was_over = ends_is_over();

            ends_call();
            if (!was_over)
                continue;
            poisoned++;
            if (!renew(link))
                return;
        }
        neighbour_turn();
    }
}

static void live(int64_t until)
{
    shmring_link link;
    uint64_t seed = test_random(&ends.random);
    const shmring_link_options *mine = &options[links % (sizeof options / sizeof *options)];
    pid_t pid = peer_start(&link, mine, &options[0], play, seed);

    ends.sender = &link.sender;
    ends.receiver = &link.receiver;
    int64_t end = shmring_deadline(LIFE_NS);

    use(&link, end < until ? end : until);
    shmring_add32_release(&scribbles->round, 1);
    call_begin("close", SHMRING_NOW);
    shmring_link_close(&link);
    call_end(0);
    CHECK_EQ(check_wait(pid), 0);
    links++;
}

int main(int argc, char **argv)
{
    int64_t time = peer_time(&argc, argv, 3), until = shmring_deadline(time);
    uint64_t seed = test_seed(argc, argv);

    summary_begin();
    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_LANE, 0, CAPACITY, &geometry), 0);
    neighbour_start();
    ends_begin(seed);
    ends.sleeps = true;
    do
        live(until);
    while (shmring_clock() < until);
    neighbour_end();
    printf("%llu links, %llu times attached, %llu refused, %llu times poisoned; %llu messages, "
           "%llu ends\n",
           (unsigned long long)links, (unsigned long long)attached, (unsigned long long)refused,
           (unsigned long long)poisoned, (unsigned long long)ends.got,
           (unsigned long long)ends.ended);
    summary_end();
    CHECK(poisoned != 0 && attached != 0 && ends.got != 0);
    return 0;
}

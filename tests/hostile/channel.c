/* SPDX-License-Identifier: MIT */
/*
 * Claim: whatever a process that may write all of a channel writes into it, header and the ends'
 * own words included, and whomever it wakes or moves: messages may be wrong, but no call of a
 * sender or a receiver reads or writes out of bounds, is interrupted by a signal, takes longer than
 * its deadline and a moment, or returns what its header does not list; opening too; and no message
 * of a third party is lost or changed.
 *
 * usage: channel [SEED] [--scale SECONDS]     by default 3
 */
#include "ends.h"
#include "peer.h"
#include "summary.h"

enum {
    CAPACITY = 4096,
    CALLS_PER_TURN = 128, /* of the neighbour */
    ATTACHES_PER_OPEN = 16,
    HOLES_PER_HEADER = 16, /* at least so many, before one may be in the header */
};
static const int64_t LIFE_NS = 300000000;

static shmring_geometry geometry;
static shmring_sender sender;
static shmring_receiver receiver;
static uint64_t channels, opened, refused, poisoned;

static _Noreturn void play(const shmring_channel_fds *fds, uint64_t seed)
{
    void *base =
        mmap(NULL, geometry.total_size, PROT_READ | PROT_WRITE, MAP_SHARED, fds->segment, 0);
    const struct scribbler scribbler = {base, &geometry, NULL, scribbles, (uint32_t)channels};

    CHECK(base != MAP_FAILED);
    scribble(&scribbler, seed);
    _exit(0);
}

/* Zeroes pages of it, and tries to cut it short. */
static _Noreturn void punch(const shmring_channel_fds *fds, uint64_t seed)
{
    const off_t page = SHMRING_PAGE_SIZE, pages = (off_t)geometry.total_size / page;
    const int zero = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
              hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    uint8_t header[sizeof(struct shmring_header)];

    CHECK(pread(fds->segment, header, sizeof header, 0) == sizeof header);
    while (shmring_load32_acquire(&scribbles->round) == (uint32_t)channels) {
        uint64_t random = test_random(&seed);
        off_t at = (off_t)(random >> 32) % pages;

        CHECK(ftruncate(fds->segment, at * page) < 0 && errno == EPERM);
        CHECK(ftruncate(fds->segment, (pages + 1) * page) < 0 && errno == EPERM);
        if (at == 0 && random % HOLES_PER_HEADER != 0)
            continue;
        shmring_add64_relaxed(&scribbles->holes, fallocate(fds->segment, random & 32 ? hole : zero,
                                                           at * page, page) == 0);
        CHECK(at != 0 || pwrite(fds->segment, header, sizeof header, 0) == sizeof header);
    }
    _exit(0);
}

static bool is_refusal(int error)
{
    return error == -EBADMSG || error == -EPROTO || error == -EPROTONOSUPPORT || error == -EAGAIN ||
           error == -EPROTOTYPE || error == -EINVAL || error == -EOPNOTSUPP;
}

static void close_ends(void)
{
    call_begin("close", SHMRING_NOW);
    shmring_sender_close(&sender);
    shmring_receiver_close(&receiver);
    call_end(0);
}

/* What is scribbled on is refused, or not. False: it is. */
static bool open_ends(const shmring_channel_fds *fds)
{
    call_begin("open", SHMRING_NOW);
    int sends = shmring_sender_open_fds(&sender, fds, NULL);
    int receives = sends == 0 ? shmring_receiver_open_fds(&receiver, fds, NULL) : sends;

    call_end(receives);
    CHECK(receives == 0 || is_refusal(receives));
    opened += receives == 0;
    refused += receives != 0;
    if (receives != 0)
        close_ends();
    return receives == 0;
}

/* The roles are given back and taken anew, in the mapping that there is. False: they are not. */
static bool attach_ends(void)
{
    call_begin("detach", SHMRING_NOW);
    shmring_spsc_detach_producer(&sender.producer);
    shmring_spsc_detach_consumer(&receiver.consumer);
    call_end(0);
    call_begin("attach", SHMRING_NOW);
    int sends = shmring_spsc_attach_producer(&sender.producer, sender.segment.base, &geometry,
                                             sender.segment.fd);
    int receives = shmring_spsc_attach_consumer(&receiver.consumer, receiver.segment.base,
                                                &geometry, receiver.segment.fd);

    call_end(sends != 0 ? sends : receives);
    CHECK(sends == 0 || sends == -EBADMSG);
    CHECK(receives == 0 || receives == -EBADMSG);
    return sends == 0 && receives == 0;
}

static void use(const shmring_channel_fds *fds, int64_t until)
{
    bool open = false;

    while (shmring_clock() < until) {
        for (int k = 0; !open && k < CALLS_PER_TURN; k++)
            open = open_ends(fds);
        for (int k = 0; open && k < CALLS_PER_TURN; k++) {
            bool was_over = ends_is_over();

            ends_call();
            if (!was_over)
                continue;
            poisoned++;
            open = poisoned % ATTACHES_PER_OPEN != 0 && attach_ends();
            if (!open)
                close_ends();
        }
        neighbour_turn();
    }
    close_ends();
}

static void live(bool punched, int64_t until)
{
    const enum shmring_backend backend =
        channels % 3 == 2 ? SHMRING_BACKEND_EVENTFD : SHMRING_BACKEND_FUTEX;
    const shmring_channel_options options = {
        .size = sizeof options,
        .capacity = CAPACITY,
        .backend = backend,
        .fence = channels % 2 == 0 ? SHMRING_FENCE_LIGHT : SHMRING_FENCE_SYMMETRIC,
    };
    uint64_t seed = test_random(&ends.random);
    int64_t end = shmring_deadline(LIFE_NS);
    shmring_channel_fds fds;

    CHECK_EQ(shmring_channel_create_fds(&fds, &options), 0);
    pid_t pid = check_fork();

    if (pid == 0 && punched)
        punch(&fds, seed);
    if (pid == 0)
        play(&fds, seed);
    use(&fds, end < until ? end : until);
    shmring_add32_release(&scribbles->round, 1);
    CHECK_EQ(check_wait(pid), 0);
    shmring_channel_close_fds(&fds);
    channels++;
}

/* The kernel lets who touches a page wait while somebody makes a hole there: these calls are
 * counted apart. */
static void run(bool punched, int64_t until)
{
    do
        live(punched, until);
    while (shmring_clock() < until);
    printf("%llu channels, %llu times opened, %llu refused, %llu times poisoned; %llu messages, "
           "%llu ends, %llu holes\n",
           (unsigned long long)channels, (unsigned long long)opened, (unsigned long long)refused,
           (unsigned long long)poisoned, (unsigned long long)ends.got,
           (unsigned long long)ends.ended,
           (unsigned long long)shmring_load64_relaxed(&scribbles->holes));
    summary_end();
    CHECK(poisoned != 0 && opened != 0 && ends.got != 0);
    memset(calls, 0, sizeof calls);
}

int main(int argc, char **argv)
{
    int64_t time = peer_time(&argc, argv, 3), until = shmring_deadline(time);
    uint64_t seed = test_seed(argc, argv);

    summary_begin();
    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_SPSC, 0, CAPACITY, &geometry), 0);
    neighbour_start();
    ends_begin(seed);
    ends.sender = &sender;
    ends.receiver = &receiver;
    ends.sleeps = true;
    run(false, until - time / 6);
    run(true, until);
    neighbour_end();
    CHECK(refused != 0 && shmring_load64_relaxed(&scribbles->holes) != 0);
    return 0;
}

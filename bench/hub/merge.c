/* SPDX-License-Identifier: MIT */
/*
 * How many messages of 64 bytes does one thread take in turn from many channels, beside what it
 * takes from one ring, and from as many rings by hand? One process sends to all of them, a burst to
 * each in turn.
 */
#include "hub_bench.h"

#include <errno.h>
#include <stdlib.h>

enum { BURSTS = 4, WINDOWS = 40 };
static const unsigned bursts[BURSTS] = {1, 16, 64, 512}; /* 512: each ring is full */

static const int64_t WARM_NS = 20000000, WINDOW_NS = 2000000;

struct feed {
    unsigned burst;
    shmring_channel_fds *fds; /* of all rings */
};

static void feed_ring(struct hub_bench *bench, void *argument)
{
    const struct feed *feed = argument;
    shmring_sender tx = {0};
    uint64_t seq = 0;
    shmring_spin spin = {0};

    bench_check("sender", shmring_sender_open_fds(&tx, feed->fds, NULL));
    shmring_store32_release(&bench->stage->ready, 1);
    while (!bench_is_stopped(bench)) {
        void *place = shmring_spsc_reserve(&tx.producer, HUB_BENCH_SIZE);

        if (place == NULL) {
            shmring_spin_miss(&spin, seq);
            continue;
        }
        shmring_spin_hit(&spin);
        payload_fill(place, seq++, HUB_BENCH_SIZE);
        shmring_sender_commit(&tx, HUB_BENCH_SIZE, 0);
    }
}

/* One burst, as far as there is room. */
static uint64_t feed_one(shmring_sender *tx, uint64_t seq, unsigned burst)
{
    for (unsigned i = 0; i < burst; i++) {
        void *place = shmring_spsc_reserve(&tx->producer, HUB_BENCH_SIZE);

        if (place == NULL)
            break;
        payload_fill(place, seq++, HUB_BENCH_SIZE);
        shmring_sender_commit(tx, HUB_BENCH_SIZE, 0);
    }
    return seq;
}

/* To each in turn, until the sample is over. */
static void feed_all(struct hub_bench *bench, shmring_sender *const *senders, unsigned burst)
{
    uint64_t *seqs = calloc(bench->links, sizeof *seqs);

    if (seqs == NULL)
        bench_fail("memory", ENOMEM);
    shmring_store32_release(&bench->stage->ready, 1);
    while (!bench_is_stopped(bench)) {
        bool moved = false;

        for (unsigned i = 0; i < bench->links; i++) {
            uint64_t seq = feed_one(senders[i], seqs[i], burst);

            moved = moved || seq != seqs[i];
            seqs[i] = seq;
        }
        if (!moved)
            shmring_cpu_pause();
    }
    free(seqs);
}

static void feed_links(struct hub_bench *bench, void *argument)
{
    const struct feed *feed = argument;
    shmring_link *links = calloc(bench->links, sizeof *links);
    shmring_sender **senders = calloc(bench->links, sizeof(shmring_sender *));

    if (links == NULL || senders == NULL)
        bench_fail("memory", ENOMEM);
    for (unsigned i = 0; i < bench->links; i++) {
        bench_check("connect", shmring_link_connect(&links[i], bench->path, NULL, SHMRING_NEVER));
        senders[i] = &links[i].sender;
    }
    feed_all(bench, senders, feed->burst);
    for (unsigned i = 0; i < bench->links; i++)
        shmring_link_close(&links[i]);
    free(links);
    free(senders);
}

static void feed_rings(struct hub_bench *bench, void *argument)
{
    const struct feed *feed = argument;
    shmring_sender *rings = calloc(bench->links, sizeof *rings);
    shmring_sender **senders = calloc(bench->links, sizeof(shmring_sender *));

    if (rings == NULL || senders == NULL)
        bench_fail("memory", ENOMEM);
    for (unsigned i = 0; i < bench->links; i++) {
        bench_check("sender", shmring_sender_open_fds(&rings[i], &feed->fds[i], NULL));
        senders[i] = &rings[i];
    }
    feed_all(bench, senders, feed->burst);
    free(rings);
    free(senders);
}

static uint64_t taken;

static void take_ring(void *source, int64_t until)
{
    shmring_receiver *rx = source;
    const void *message;
    uint64_t length;

    for (uint64_t i = 1; i % 256 != 0 || shmring_clock() < until; i++) {
        if (shmring_receiver_peek(rx, until, &message, &length, NULL) != 0)
            break;
        if (!payload_check(message, taken++, HUB_BENCH_SIZE))
            bench_fail("a message is not what was sent", EBADMSG);
        shmring_receiver_release(rx);
    }
}

/* As many rings, and nothing between them and the thread: what the memory makes of it. */
struct by_hand {
    unsigned count;
    shmring_receiver *receivers;
    uint64_t *seqs;
};

static void take_some(struct by_hand *by_hand, unsigned which)
{
    enum { BUDGET = 64 }; /* of the hub, too */
    shmring_spsc_consumer *consumer = &by_hand->receivers[which].consumer;
    const void *message;
    uint64_t length;

    for (unsigned i = 0; i < BUDGET; i++) {
        if ((message = shmring_spsc_peek(consumer, &length, NULL)) == NULL)
            break;
        if (!payload_check(message, by_hand->seqs[which]++, HUB_BENCH_SIZE))
            bench_fail("a message is not what was sent", EBADMSG);
        shmring_spsc_release(consumer);
        taken++;
    }
}

static void take_by_hand(void *source, int64_t until)
{
    struct by_hand *by_hand = source;

    while (shmring_clock() < until)
        for (unsigned i = 0; i < by_hand->count; i++)
            take_some(by_hand, i);
}

static void handle(shmring_hub *hub, const shmring_hub_event *event, void *argument)
{
    (void)hub;
    (void)argument;
    if (event->kind != SHMRING_HUB_MESSAGE)
        return;
    uint64_t seq = (uint64_t)(uintptr_t)*event->context;

    if (!payload_check(event->message, seq, HUB_BENCH_SIZE))
        bench_fail("a message is not what was sent", EBADMSG);
    *event->context = (void *)(uintptr_t)(seq + 1);
    taken++;
}

static void take_hub(void *source, int64_t until)
{
    shmring_hub_dispatch(source, handle, NULL, until);
}

/* Messages per microsecond, or -1 if the other side did not have its processor all the time, or
 * this one did not when it wanted to. */
static double window(const char *other, void (*take)(void *source, int64_t until), void *source)
{
    const double enough = 0.95;

    take(source, shmring_deadline(WINDOW_NS / 4)); /* reading such a file takes a while */
    struct running self = bench_running(BENCH_SELF), peer = bench_running(other);
    uint64_t first = taken;
    int64_t begin = shmring_clock();

    take(source, begin + WINDOW_NS);
    double took = (double)(shmring_clock() - begin);
    uint64_t count = taken - first;
    struct running self_then = bench_running(BENCH_SELF);

    if ((double)(bench_running(other).ran - peer.ran) < enough * took ||
        (double)(self_then.waited - self.waited) > (1 - enough) * took)
        return -1;
    return (double)count * 1e3 / took;
}

/* The median of the windows in which no other program had one of the processors. */
static void sample(struct hub_bench *bench, void (*work)(struct hub_bench *bench, void *argument),
                   struct feed *feed, void (*take)(void *source, int64_t until), void *source,
                   struct figure *figure)
{
    pid_t child = bench_start(bench, work, feed);
    uint32_t before = bench_probe(bench);
    double rates[WINDOWS];
    size_t count = 0;
    char path[64];

    taken = 0;
    while (shmring_load32_acquire(&bench->stage->ready) == 0)
        take(source, shmring_deadline(1000000));
    take(source, shmring_deadline(WARM_NS));
    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)child);
    for (unsigned i = 0; i < WINDOWS; i++) {
        double rate = window(path, take, source);

        if (rate >= 0)
            rates[count++] = rate;
    }
    enum place place = bench_end(bench, child, before);

    if (count != 0)
        figure_add(figure, place, bench_median(rates, count));
}

static void sample_ring(struct hub_bench *bench, enum shmring_wait_policy wait,
                        struct figure *figure)
{
    shmring_channel_options options = {.size = sizeof options, .wait = wait};
    shmring_channel_fds fds;
    struct feed feed = {.fds = &fds};
    shmring_receiver rx = {0};

    bench_check("ring", shmring_channel_create_fds(&fds, &options));
    bench_check("receiver", shmring_receiver_open_fds(&rx, &fds, &options));
    sample(bench, feed_ring, &feed, take_ring, &rx, figure);
    shmring_receiver_close(&rx);
    shmring_channel_close_fds(&fds);
}

static void sample_by_hand(struct hub_bench *bench, unsigned burst, struct figure *figure)
{
    shmring_channel_options options = {.size = sizeof options, .wait = SHMRING_WAIT_SPIN};
    struct by_hand by_hand = {
        .count = bench->links,
        .receivers = calloc(bench->links, sizeof(shmring_receiver)),
        .seqs = calloc(bench->links, sizeof(uint64_t)),
    };
    struct feed feed = {.burst = burst, .fds = calloc(bench->links, sizeof *feed.fds)};

    if (by_hand.receivers == NULL || by_hand.seqs == NULL || feed.fds == NULL)
        bench_fail("memory", ENOMEM);
    for (unsigned i = 0; i < bench->links; i++) {
        bench_check("ring", shmring_channel_create_fds(&feed.fds[i], &options));
        bench_check("receiver",
                    shmring_receiver_open_fds(&by_hand.receivers[i], &feed.fds[i], &options));
    }
    sample(bench, feed_rings, &feed, take_by_hand, &by_hand, figure);
    for (unsigned i = 0; i < bench->links; i++) {
        shmring_receiver_close(&by_hand.receivers[i]);
        shmring_channel_close_fds(&feed.fds[i]);
    }
    free(by_hand.receivers);
    free(by_hand.seqs);
    free(feed.fds);
}

static void sample_hub(struct hub_bench *bench, enum shmring_wait_policy wait, unsigned burst,
                       struct figure *figure)
{
    shmring_hub *hub = bench_open_hub(bench, (shmring_hub_options){.wait = wait});
    struct feed feed = {.burst = burst};

    sample(bench, feed_links, &feed, take_hub, hub, figure);
    shmring_hub_close(hub);
}

void bench_merge(struct hub_bench *bench)
{
    static struct figure figures[2 + 3 * BURSTS];
    static const char *const names[] = {
        "one ring, spin",
        "one ring, block",
        "rings, spin, bursts of 1",
        "rings, spin, bursts of 16",
        "rings, spin, bursts of 64",
        "rings, spin, bursts of 512",
        "hub, spin, bursts of 1",
        "hub, spin, bursts of 16",
        "hub, spin, bursts of 64",
        "hub, spin, bursts of 512",
        "hub, block, bursts of 1",
        "hub, block, bursts of 16",
        "hub, block, bursts of 64",
        "hub, block, bursts of 512",
    };

    for (unsigned i = 0; i < sizeof figures / sizeof *figures; i++)
        figures[i] = (struct figure){.name = names[i], .unit = "M messages/s"};
    for (unsigned n = 0; n < bench->samples; n++) {
        sample_ring(bench, SHMRING_WAIT_SPIN, &figures[0]);
        sample_ring(bench, SHMRING_WAIT_BLOCK, &figures[1]);
        for (unsigned i = 0; i < BURSTS; i++) {
            sample_by_hand(bench, bursts[i], &figures[2 + i]);
            sample_hub(bench, SHMRING_WAIT_SPIN, bursts[i], &figures[2 + BURSTS + i]);
            sample_hub(bench, SHMRING_WAIT_BLOCK, bursts[i], &figures[2 + 2 * BURSTS + i]);
        }
    }
    figure_print(figures, sizeof figures / sizeof *figures);
}

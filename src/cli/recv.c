/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Of a ring of many: what one receiver has in hand the others do not get, so it takes little. */
enum { HAND = 64 };
/* While it waits for one, it looks each so often whether a sender has died beside others that live,
 * which ends no wait. */
static const int64_t LOOK_NS = 100000000;

struct recv {
    const struct cli_options *options;
    const char *name;
    uint64_t left; /* messages until it ends */
    shmring_channel_options channel;
    struct cli_batch batch;
    shmring_receiver *receiver; /* that of the ring, or of the link */
    shmring_receiver ring;
    shmring_link link;
    uint64_t written; /* messages */
    bool leaves;      /* the link, without an end */
    bool is_many;
    bool redelivers;
    shmring_queue_receiver queue;
    struct cli_deaths deaths;
    int count;
    shmring_mpmc_slot hand[HAND];
};

/* Runs in the signal handler. */
static void cancel(void *handle)
{
    struct recv *recv = handle;

    if (recv->is_many)
        shmring_queue_receiver_cancel(&recv->queue);
    else
        shmring_receiver_cancel(recv->receiver);
}

static void tell_deaths(struct recv *recv)
{
    cli_deaths_tell(&recv->deaths, recv->name, recv->queue.consumer.side.records);
}

static int open_many(struct recv *recv)
{
    shmring_geometry geometry;
    int error = cli_deaths_begin(&recv->deaths, recv->name, &recv->channel, &geometry);

    if (error == 0)
        error = shmring_queue_receiver_open(&recv->queue, recv->name, &recv->channel);
    if (error != 0)
        return error;
    recv->is_many = true;
    recv->redelivers = (geometry.options & SHMRING_OPTION_REDELIVER) != 0;
    tell_deaths(recv);
    return 0;
}

/* The sender may be about to make the ring: `shmring send x < a & shmring recv x > b`. */
static int open_ring(struct recv *recv)
{
    int64_t timeout = recv->options->timeout;
    int64_t end = cli_deadline(timeout < 0 ? CLI_PATIENCE_NS : timeout);

    recv->receiver = &recv->ring;
    for (;;) {
        int error = shmring_receiver_open(&recv->ring, recv->name, &recv->channel);

        if (error == -EPROTOTYPE)
            error = open_many(recv);
        if (error == 0)
            cli_set_cancel(cancel, recv);
        if (error != -ENOENT && error != -EAGAIN)
            return cli_what_is_wrong(recv->name, error);
        if (cli_signal)
            return -EINTR;
        if (shmring_clock() >= end)
            return cli_what_is_wrong(recv->name, error);
        cli_pause();
    }
}

static int open_link(struct recv *recv)
{
    int error = cli_link_connect(recv->options, CLI_PATIENCE_NS, &recv->link);

    if (error != 0)
        return cli_link_fail(recv->name, error, NULL);
    recv->receiver = &recv->link.receiver;
    cli_set_cancel(cancel, recv);
    return CLI_OK;
}

static int open_any(struct recv *recv)
{
    if (recv->options->link)
        return open_link(recv);
    int error = open_ring(recv);

    return error == 0 ? CLI_OK : cli_fail(recv->name, error, "receiver");
}

static void close_any(struct recv *recv)
{
    cli_set_cancel(NULL, NULL);
    shmring_queue_receiver_close(&recv->queue);
    shmring_receiver_close(&recv->ring);
    shmring_link_close(&recv->link);
}

/* Waits for the first that is wanted. */
static int take_first(struct recv *recv, shmring_mpmc_slot *ret_slot)
{
    const struct cli_options *options = recv->options;
    int64_t end = cli_deadline(options->timeout);

    for (;;) {
        int64_t look = shmring_deadline(LOOK_NS);
        int64_t deadline = look < end ? look : end;
        int error = shmring_queue_take_by(&recv->queue, options->wish, options->wish_type, deadline,
                                          ret_slot);

        if (error == 0)
            return 0;
        tell_deaths(recv);
        if (!cli_goes_on(error) && (error != -ETIMEDOUT || deadline == end))
            return error;
    }
}

/* Without waiting, and so without the ends that a wait tells of. */
static bool take_next(struct recv *recv, shmring_mpmc_slot *ret_slot)
{
    shmring_mpmc_consumer *consumer = &recv->queue.consumer;
    const struct cli_options *options = recv->options;

    if (options->wish == SHMRING_TAKE_ANY)
        return shmring_mpmc_take(consumer, ret_slot);
    return shmring_mpmc_take_by(consumer, options->wish, options->wish_type, ret_slot);
}

static int gather_many(struct recv *recv)
{
    int limit = recv->left < HAND ? (int)recv->left : HAND;
    shmring_mpmc_slot *slot = recv->hand;
    int error = take_first(recv, slot);

    if (error != 0)
        return error;
    do
        recv->count++;
    while (cli_batch_add(&recv->batch, recv->options->framing, slot->data, slot->length) &&
           recv->count < limit && take_next(recv, ++slot));
    return 0;
}

int cli_gather(shmring_receiver *receiver, const struct cli_options *options, uint64_t limit,
               int64_t deadline, struct cli_batch *batch)
{
    const void *message;
    uint64_t length;
    int error;

    do
        error = shmring_receiver_peek(receiver, deadline, &message, &length, NULL);
    while (cli_goes_on(error));
    if (error != 0)
        return error;
    do
        shmring_spsc_hold(&receiver->consumer);
    while (cli_batch_add(batch, options->framing, message, length) &&
           (uint64_t)batch->count < limit &&
           (message = shmring_spsc_peek(&receiver->consumer, &length, NULL)) != NULL);
    return 0;
}

static int gather(struct recv *recv)
{
    const struct cli_options *options = recv->options;

    if (recv->is_many)
        return gather_many(recv);
    return cli_gather(recv->receiver, options, recv->left, cli_deadline(options->timeout),
                      &recv->batch);
}

/* What was written belongs to us now, and nobody gets it again: one store for each write. */
static int give_back(struct recv *recv, int count)
{
    recv->left -= (uint64_t)count;
    recv->written += (uint64_t)count;
    if (!recv->is_many) {
        shmring_receiver_release(recv->receiver);
        shmring_receiver_flush(recv->receiver);
        return 0;
    }
    recv->count -= count;
    for (int i = 0; i < count; i++) {
        int error = shmring_queue_release(&recv->queue, &recv->hand[i]);
        if (error != 0)
            return error;
    }
    return 0;
}

/* After a failed write: only the first count of the messages that are held were written. What is
 * held and not released comes again to the next receiver, and that is us once more. (A link has no
 * next one: its sender hears that not all was taken.) */
static void give_back_some(struct recv *recv, int count)
{
    const void *message;
    uint64_t length;

    if (recv->is_many) {
        give_back(recv, count);
        return;
    }
    if (recv->options->link)
        return;
    cli_set_cancel(NULL, NULL);
    shmring_receiver_close(&recv->ring);
    if (shmring_receiver_open(&recv->ring, recv->name, &recv->channel) != 0)
        return;
    for (; count > 0; count--) {
        if (shmring_receiver_peek(&recv->ring, SHMRING_NOW, &message, &length, NULL) != 0)
            return;
        give_back(recv, 1);
    }
}

/* The same for a link. */
static int end_of_link(struct recv *recv, int error)
{
    if (error != -EPIPE)
        return cli_link_fail(recv->name, error, "server");
    /* One that has sent nothing and would still take something? Then an end would be that of a
     * stream that it waits for. */
    if (recv->written != 0 || shmring_spsc_peer_left(&recv->link.sender.producer.side))
        return CLI_OK;
    recv->leaves = true;
    return cli_say(CLI_FAILED, "%s: the server sends nothing, it receives (see serve --send)",
                   recv->name);
}

/* No message was there, and error says why. *ret_over: nothing more is to come. */
static int end_of_stream(struct recv *recv, int error, bool *ret_over)
{
    bool follow = recv->options->follow;

    *ret_over = true;
    if (recv->options->link)
        return end_of_link(recv, error);
    bool is_end = error == -EPIPE || error == -EOWNERDEAD;
    uint32_t told = recv->deaths.told;

    *ret_over = !follow || !is_end;
    if (is_end)
        recv->deaths.told = 0;
    if (is_end && told != 0)
        return CLI_BROKEN;
    if (error == -EPIPE)
        return CLI_OK;
    return cli_fail(recv->name, error, "receiver");
}

static int output_failed(struct recv *recv, int error, int done)
{
    int held = recv->is_many ? recv->count - done : 0;

    if (done != 0)
        give_back_some(recv, done);
    if (held > 0 && !recv->redelivers)
        cli_say(CLI_FAILED, "%s: lost %d messages, taken and not written (see create --redeliver)",
                recv->name, held);
    if (error == -EINTR)
        return cli_fail(recv->name, error, "receiver");
    if (error != -EPIPE) /* the reader has had enough, and knows it */
        cli_say(CLI_FAILED, "standard output: %s", strerror(-error));
    return CLI_FAILED;
}

static int receive_all(struct recv *recv)
{
    while (recv->left != 0) {
        int error = cli_signal ? -EINTR : gather(recv);
        if (error != 0) {
            bool over;
            int status = end_of_stream(recv, error, &over);
            if (over)
                return status;
            continue;
        }

        int done;
        error = cli_batch_write(&recv->batch, STDOUT_FILENO, &done);
        if (error != 0)
            return output_failed(recv, error, done);
        error = give_back(recv, done);
        if (error != 0)
            return cli_fail(recv->name, error, "receiver");
    }
    return CLI_OK;
}

int cli_recv(const struct cli_options *options)
{
    static struct recv recv; /* large */
    int status = cli_check_link("recv", options);

    if (status == CLI_OK && !options->link)
        status = cli_check_name(options->arguments[0]);
    if (status != CLI_OK)
        return status;
    if (options->wishes > 1)
        return cli_say(CLI_USAGE, "recv: only one of --type, --type-except, --type-max and "
                                  "--by-priority can be had");
    recv.options = options;
    recv.name = options->arguments[0];
    recv.channel = cli_channel_options(options);
    recv.left = options->limit != 0 ? options->limit : UINT64_MAX;
    status = open_any(&recv);
    if (status != CLI_OK)
        return status;
    if (options->wishes != 0 && !recv.is_many)
        status = cli_say(CLI_USAGE,
                         "%s: what is in a ring of kind spsc comes in order; to choose by type or "
                         "priority, make it with create --kind mpmc",
                         recv.name);
    else
        status = receive_all(&recv);
    if (!recv.leaves)
        close_any(&recv);
    return status;
}

/* SPDX-License-Identifier: MIT */
#include "cli.h"

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
    const char *ring;
    uint64_t left; /* messages until it ends */
    shmring_channel_options channel;
    struct cli_batch batch;
    shmring_receiver receiver;
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
        shmring_receiver_cancel(&recv->receiver);
}

static void tell_deaths(struct recv *recv)
{
    cli_deaths_tell(&recv->deaths, recv->ring, recv->queue.consumer.side.records);
}

static int open_many(struct recv *recv)
{
    shmring_geometry geometry;
    int error = cli_deaths_begin(&recv->deaths, recv->ring, &recv->channel, &geometry);

    if (error == 0)
        error = shmring_queue_receiver_open(&recv->queue, recv->ring, &recv->channel);
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
    const int64_t patience = 1000000000;
    int64_t timeout = recv->options->timeout;
    int64_t end = cli_deadline(timeout < 0 ? patience : timeout);

    for (;;) {
        int error = shmring_receiver_open(&recv->receiver, recv->ring, &recv->channel);

        if (error == -EPROTOTYPE)
            error = open_many(recv);
        if (error == 0)
            cli_set_cancel(cancel, recv);
        if (error != -ENOENT && error != -EAGAIN)
            return error;
        if (cli_signal)
            return -EINTR;
        if (shmring_clock() >= end)
            return cli_what_is_missing(recv->ring, error);
        cli_pause();
    }
}

static void close_ring(struct recv *recv)
{
    cli_set_cancel(NULL, NULL);
    shmring_queue_receiver_close(&recv->queue);
    shmring_receiver_close(&recv->receiver);
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

/* Waits for a message and takes those that are there, without giving them back to the sender. */
static int gather(struct recv *recv)
{
    struct cli_batch *batch = &recv->batch;
    shmring_spsc_consumer *consumer = &recv->receiver.consumer;
    const void *message;
    uint64_t length;
    int error;

    if (recv->is_many)
        return gather_many(recv);
    int64_t deadline = cli_deadline(recv->options->timeout);
    do
        error = shmring_receiver_peek(&recv->receiver, deadline, &message, &length, NULL);
    while (cli_goes_on(error));
    if (error != 0)
        return error;
    do
        shmring_spsc_hold(consumer);
    while (cli_batch_add(batch, recv->options->framing, message, length) &&
           (uint64_t)batch->count < recv->left &&
           (message = shmring_spsc_peek(consumer, &length, NULL)) != NULL);
    return 0;
}

/* What was written belongs to us now, and nobody gets it again: one store for each write. */
static int give_back(struct recv *recv, int count)
{
    recv->left -= (uint64_t)count;
    if (!recv->is_many) {
        shmring_receiver_release(&recv->receiver);
        shmring_receiver_flush(&recv->receiver);
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
 * held and not released comes again to the next receiver, and that is us once more. */
static void give_back_some(struct recv *recv, int count)
{
    const void *message;
    uint64_t length;

    if (recv->is_many) {
        give_back(recv, count);
        return;
    }
    cli_set_cancel(NULL, NULL);
    shmring_receiver_close(&recv->receiver);
    if (shmring_receiver_open(&recv->receiver, recv->ring, &recv->channel) != 0)
        return;
    for (; count > 0; count--) {
        if (shmring_receiver_peek(&recv->receiver, SHMRING_NOW, &message, &length, NULL) != 0)
            return;
        give_back(recv, 1);
    }
}

/* No message was there, and error says why. *ret_over: nothing more is to come. */
static int end_of_stream(struct recv *recv, int error, bool *ret_over)
{
    bool follow = recv->options->follow;

    bool is_end = error == -EPIPE || error == -EOWNERDEAD;
    uint32_t told = recv->deaths.told;

    *ret_over = !follow || !is_end;
    if (is_end)
        recv->deaths.told = 0;
    if (is_end && told != 0)
        return CLI_BROKEN;
    if (error == -EPIPE)
        return CLI_OK;
    return cli_fail(recv->ring, error, "receiver");
}

static int output_failed(struct recv *recv, int error, int done)
{
    int held = recv->is_many ? recv->count - done : 0;

    if (done != 0)
        give_back_some(recv, done);
    if (held > 0 && !recv->redelivers)
        cli_say(CLI_FAILED, "%s: lost %d messages, taken and not written (see create --redeliver)",
                recv->ring, held);
    if (error == -EINTR)
        return cli_fail(recv->ring, error, "receiver");
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
            return cli_fail(recv->ring, error, "receiver");
    }
    return CLI_OK;
}

int cli_recv(const struct cli_options *options)
{
    static struct recv recv; /* large */
    int status = cli_check_name(options->arguments[0]);

    if (status != CLI_OK)
        return status;
    if (options->wishes > 1)
        return cli_say(CLI_USAGE, "recv: only one of --type, --type-except, --type-max and "
                                  "--by-priority can be had");
    recv.options = options;
    recv.ring = options->arguments[0];
    recv.channel = cli_channel_options(options);
    recv.left = options->limit != 0 ? options->limit : UINT64_MAX;
    int error = open_ring(&recv);
    if (error != 0)
        return cli_fail(recv.ring, error, "receiver");
    if (options->wishes != 0 && !recv.is_many)
        status = cli_say(CLI_USAGE,
                         "%s: what is in a ring of kind spsc comes in order; to choose by type or "
                         "priority, make it with create --kind mpmc",
                         recv.ring);
    else
        status = receive_all(&recv);
    close_ring(&recv);
    return status;
}

/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Of a ring of many: what one receiver has in hand the others do not get, so it takes little. */
enum { HAND = 64 };

struct recv {
    const struct cli_options *options;
    const char *ring;
    uint64_t left; /* messages until it ends */
    shmring_channel_options channel;
    struct cli_wait wait;
    struct cli_batch batch;
    shmring_receiver receiver;
    bool is_many;
    struct cli_many many;
    int count;
    shmring_mpmc_slot hand[HAND];
};

static int open_once(struct recv *recv)
{
    int error = shmring_receiver_open(&recv->receiver, recv->ring, &recv->channel);

    if (error != -EPROTOTYPE && error != -EPROTONOSUPPORT)
        return error;
    error = cli_many_open(&recv->many, recv->ring, &recv->channel, SHMRING_ROLE_CONSUMER);
    recv->is_many = error == 0;
    return error;
}

/* The sender may be about to make the ring: `shmring send x < a & shmring recv x > b`. */
static int open_ring(struct recv *recv)
{
    const int64_t patience = 1000000000;
    struct cli_wait wait = {.timeout =
                                recv->options->timeout < 0 ? patience : recv->options->timeout};

    cli_wait_start(&wait);
    for (;;) {
        int missing = open_once(recv);
        if (missing != -ENOENT && missing != -EAGAIN)
            return missing;
        int error = -ETIMEDOUT;
        if (!cli_wait_goes_on(&wait, &error))
            return error == -EINTR ? error : missing;
        cli_pause();
    }
}

static int gather_many(struct recv *recv)
{
    int limit = recv->left < HAND ? (int)recv->left : HAND;
    shmring_mpmc_slot *slot = recv->hand;
    int error = cli_many_take(&recv->many, recv->options, slot);

    if (error != 0)
        return error;
    do
        recv->count++;
    while (cli_batch_add(&recv->batch, recv->options->framing, slot->data, slot->length) &&
           recv->count < limit && cli_many_take_now(&recv->many, recv->options, ++slot));
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
    cli_wait_start(&recv->wait);
    do
        error = shmring_receiver_peek(&recv->receiver, recv->wait.slice, &message, &length, NULL);
    while (cli_wait_goes_on(&recv->wait, &error));
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
    return shmring_mpmc_release_many(&recv->many.consumer, recv->hand, (uint32_t)count);
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

    *ret_over = !follow;
    if (error == -EPIPE)
        return recv->is_many && recv->many.crew.died != 0 ? CLI_BROKEN : CLI_OK;
    *ret_over = !follow || error != -EOWNERDEAD;
    return cli_fail(recv->ring, error, "receiver");
}

static int output_failed(struct recv *recv, int error, int done)
{
    int held = recv->is_many ? recv->count - done : 0;

    if (done != 0)
        give_back_some(recv, done);
    if (held > 0 && (recv->many.geometry.options & SHMRING_OPTION_REDELIVER) == 0)
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
    recv.wait.timeout = options->timeout;
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
    if (recv.is_many)
        cli_many_close(&recv.many);
    else
        shmring_receiver_close(&recv.receiver);
    return status;
}

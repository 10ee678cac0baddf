/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct recv {
    const struct cli_options *options;
    const char *ring;
    shmring_channel_options channel;
    struct cli_wait wait;
    struct cli_batch batch;
    shmring_receiver receiver;
};

/* The sender may be about to make the ring: `shmring send x < a & shmring recv x > b`. */
static int open_ring(struct recv *recv)
{
    const int64_t patience = 1000000000;
    struct cli_wait wait = {.timeout =
                                recv->options->timeout < 0 ? patience : recv->options->timeout};

    cli_wait_start(&wait);
    for (;;) {
        int missing = shmring_receiver_open(&recv->receiver, recv->ring, &recv->channel);
        if (missing != -ENOENT && missing != -EAGAIN)
            return missing;
        int error = -ETIMEDOUT;
        if (!cli_wait_goes_on(&wait, &error))
            return error == -EINTR ? error : missing;
        cli_pause();
    }
}

/* Waits for a message and takes those that are there, without giving them back to the sender. */
static int gather(struct recv *recv)
{
    struct cli_batch *batch = &recv->batch;
    shmring_spsc_consumer *consumer = &recv->receiver.consumer;
    const void *message;
    uint64_t length;
    int error;

    cli_wait_start(&recv->wait);
    do
        error = shmring_receiver_peek(&recv->receiver, recv->wait.slice, &message, &length, NULL);
    while (cli_wait_goes_on(&recv->wait, &error));
    if (error != 0)
        return error;
    do
        shmring_spsc_hold(consumer);
    while (cli_batch_add(batch, recv->options->framing, message, length) &&
           (message = shmring_spsc_peek(consumer, &length, NULL)) != NULL);
    return 0;
}

/* What was written belongs to us now, and nobody gets it again: one store for each write. */
static void give_back(struct recv *recv)
{
    shmring_receiver_release(&recv->receiver);
    shmring_receiver_flush(&recv->receiver);
}

/* After a failed write: only the first count of the messages that are held were written. What is
 * held and not released comes again to the next receiver, and that is us once more. */
static void give_back_some(struct recv *recv, int count)
{
    const void *message;
    uint64_t length;

    shmring_receiver_close(&recv->receiver);
    if (shmring_receiver_open(&recv->receiver, recv->ring, &recv->channel) != 0)
        return;
    for (; count > 0; count--) {
        if (shmring_receiver_peek(&recv->receiver, SHMRING_NOW, &message, &length, NULL) != 0)
            return;
        give_back(recv);
    }
}

static int receive_all(struct recv *recv)
{
    for (;;) {
        int error = cli_signal ? -EINTR : gather(recv);
        if (error == -EPIPE)
            return CLI_OK;
        if (error != 0)
            return cli_fail(recv->ring, error, "receiver");

        int done;
        error = cli_batch_write(&recv->batch, STDOUT_FILENO, &done);
        if (error == 0) {
            give_back(recv);
            continue;
        }
        if (done != 0)
            give_back_some(recv, done);
        if (error == -EINTR)
            return cli_fail(recv->ring, error, "receiver");
        if (error != -EPIPE) /* the reader has had enough, and knows it */
            cli_say(CLI_FAILED, "standard output: %s", strerror(-error));
        return CLI_FAILED;
    }
}

int cli_recv(const struct cli_options *options)
{
    static struct recv recv; /* large */
    int status = cli_check_name(options->arguments[0]);

    if (status != CLI_OK)
        return status;
    recv.options = options;
    recv.ring = options->arguments[0];
    recv.channel = cli_channel_options(options);
    recv.wait.timeout = options->timeout;
    int error = open_ring(&recv);
    if (error != 0)
        return cli_fail(recv.ring, error, "receiver");
    status = receive_all(&recv);
    shmring_receiver_close(&recv.receiver);
    return status;
}

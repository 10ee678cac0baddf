/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

static int failed(const struct cli_sink *sink, int error)
{
    if (sink->kind == CLI_TO_SERVER || sink->kind == CLI_TO_CLIENT)
        return cli_link_fail(sink->name, error, sink->kind == CLI_TO_SERVER ? "server" : "client");
    return cli_fail(sink->name, error, "sender");
}

/* Runs in the signal handler. */
static void cancel(void *handle)
{
    struct cli_sink *sink = handle;

    if (sink->kind == CLI_TO_MANY)
        shmring_queue_sender_cancel(&sink->queue);
    else
        shmring_sender_cancel(sink->sender);
}

static int open_once(struct cli_sink *sink, shmring_channel_options options)
{
    int error = shmring_sender_open(&sink->ring, sink->name, &options);

    sink->sender = &sink->ring;
    if (error != -EPROTOTYPE)
        return error;
    options.create = false;
    error = shmring_queue_sender_open(&sink->queue, sink->name, &options);
    if (error == 0)
        sink->kind = CLI_TO_MANY;
    return error;
}

/* A ring that is half made becomes a whole one in a moment, or never. */
static int open_ring(struct cli_sink *sink)
{
    shmring_channel_options options = cli_channel_options(sink->options);
    int64_t end = shmring_deadline(CLI_PATIENCE_NS);
    int error;

    options.create = !sink->options->no_create;
    do {
        error = open_once(sink, options);
        if (error != -EAGAIN)
            break;
        cli_pause();
    } while (!cli_signal && shmring_clock() < end);
    if (error == -EAGAIN && cli_signal)
        error = -EINTR;
    if (error != 0)
        return cli_fail(sink->name, cli_what_is_wrong(sink->name, error), "sender");
    return CLI_OK;
}

static int open_link(struct cli_sink *sink)
{
    int error = cli_link_connect(sink->options, CLI_PATIENCE_NS, &sink->link);

    if (error != 0)
        return cli_link_fail(sink->name, error, NULL);
    /* For a server that would send, too. */
    shmring_receiver_close(&sink->link.receiver);
    sink->sender = &sink->link.sender;
    return CLI_OK;
}

/* The next that connects; more are not listened to meanwhile. */
static int await_client(struct cli_sink *sink)
{
    static shmring_listener listener; /* large */
    shmring_link_options options = cli_link_options(sink->options);
    int64_t deadline = cli_deadline(sink->options->timeout);
    int error;

    cli_set_cancel(NULL, NULL);
    shmring_link_close(&sink->link);
    error = shmring_link_listen(&listener, sink->name, &options);
    if (error != 0)
        return cli_listen_fail(sink->name, error);
    do
        error = cli_signal ? -ECANCELED : shmring_link_accept(&listener, &sink->link, deadline);
    while (cli_goes_on(error));
    shmring_listener_close(&listener);
    if (error != 0)
        return cli_link_fail(sink->name, error, NULL);
    shmring_receiver_close(&sink->link.receiver);
    sink->sender = &sink->link.sender;
    cli_set_cancel(cancel, sink);
    return CLI_OK;
}

int cli_sink_open(struct cli_sink *sink)
{
    int status;

    if (sink->kind == CLI_TO_CLIENT)
        return await_client(sink);
    status = sink->kind == CLI_TO_SERVER ? open_link(sink) : open_ring(sink);
    if (status == CLI_OK)
        cli_set_cancel(cancel, sink);
    return status;
}

uint64_t cli_sink_max_message(const struct cli_sink *sink)
{
    return sink->kind == CLI_TO_MANY ? shmring_mpmc_slot_size(&sink->queue.producer.side)
                                     : shmring_spsc_max_message(&sink->sender->producer.side);
}

/* Beside the ring: a slot that waits for input would be in the way of others, and a client that
 * comes to nothing would take a message with it. */
static int reserve_beside(struct cli_sink *sink, uint64_t length, void **ret_place)
{
    if (sink->place == NULL || length > sink->place_size) {
        uint64_t size = length < CLI_BATCH_SIZE ? CLI_BATCH_SIZE : length;
        uint8_t *place = realloc(sink->place, (size_t)size);
        if (place == NULL)
            return cli_say(CLI_FAILED, "out of memory");
        sink->place = place;
        sink->place_size = size;
    }
    *ret_place = sink->place;
    return CLI_OK;
}

int cli_sink_reserve(struct cli_sink *sink, uint64_t length, void **ret_place)
{
    int error;

    if (sink->kind == CLI_TO_MANY || sink->kind == CLI_TO_CLIENT)
        return reserve_beside(sink, length, ret_place);
    int64_t deadline = cli_deadline(sink->options->timeout);
    do
        error = shmring_sender_reserve(sink->sender, length, deadline, ret_place);
    while (cli_goes_on(error));
    return error == 0 ? CLI_OK : failed(sink, error);
}

/* To the first client that takes it: one that only looks, or only sends, goes without. */
static int give_first(struct cli_sink *sink, const void *message, uint64_t length)
{
    const struct cli_options *options = sink->options;

    for (;;) {
        int error = shmring_sender_send(sink->sender, message, length, options->type, SHMRING_NOW);

        if (error == 0)
            error = cli_link_drain(sink->sender, sink->link.socket, options->timeout);
        sink->is_taken = error == 0;
        if (error != -EPIPE && error != -EOWNERDEAD)
            return error == 0 ? CLI_OK : failed(sink, error);
        int status = await_client(sink);
        if (status != CLI_OK)
            return status;
    }
}

int cli_sink_commit(struct cli_sink *sink, const void *place, uint64_t length)
{
    const struct cli_options *options = sink->options;
    int64_t deadline = cli_deadline(options->timeout);
    int error;

    if (sink->kind == CLI_TO_CLIENT && !sink->is_taken)
        return give_first(sink, place, length);
    if (sink->kind == CLI_TO_RING || sink->kind == CLI_TO_SERVER) {
        shmring_sender_commit(sink->sender, length, options->type);
        return CLI_OK;
    }
    do
        error =
            sink->kind == CLI_TO_MANY
                ? shmring_queue_send(&sink->queue, place, (uint32_t)length, options->type, deadline)
                : shmring_sender_send(sink->sender, place, length, options->type, deadline);
    while (cli_goes_on(error));
    return error == 0 ? CLI_OK : failed(sink, error);
}

/* What the other side's end means while there is more to come: a status, CLI_OK to go on. */
static int take_end(struct cli_sink *sink, int end)
{
    if (end == 0)
        return CLI_OK;
    if (sink->kind == CLI_TO_CLIENT && !sink->is_taken)
        return await_client(sink);
    return failed(sink, end);
}

int cli_sink_await(void *context, int fd)
{
    struct cli_sink *sink = context;

    while (!cli_signal) {
        struct pollfd fds[] = {{.fd = fd, .events = POLLIN},
                               {.fd = sink->link.socket, .events = POLLRDHUP}};
        int end = cli_link_end(&sink->sender->producer.side, sink->link.socket);

        sink->status = take_end(sink, end);
        if (sink->status != CLI_OK)
            return -ECANCELED;
        if (end == 0 && poll(fds, 2, -1) > 0 && fds[1].revents == 0)
            return 0;
    }
    return -EINTR;
}

int cli_sink_finish(struct cli_sink *sink)
{
    if (sink->kind != CLI_TO_SERVER && sink->kind != CLI_TO_CLIENT)
        return CLI_OK;
    int error = cli_link_drain(sink->sender, sink->link.socket, sink->options->timeout);

    return error == 0 ? CLI_OK : failed(sink, error);
}

void cli_sink_close(struct cli_sink *sink)
{
    cli_set_cancel(NULL, NULL);
    shmring_link_close(&sink->link);
    shmring_queue_sender_close(&sink->queue);
    shmring_sender_close(&sink->ring);
    free(sink->place);
}

/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct send {
    const struct cli_options *options;
    const char *ring; /* names, for messages */
    const char *input;
    uint64_t max; /* bytes in a message */
    uint64_t count;
    struct cli_reader reader;
    shmring_sender sender;
    bool is_many;
    shmring_queue_sender queue;
    uint8_t *place; /* a message for a ring of many, while it is read */
    uint64_t place_size;
};

static int input_failed(const struct send *send, int error)
{
    if (error == -EINTR && cli_signal)
        return CLI_SIGNAL + (int)cli_signal;
    return cli_say(CLI_FAILED, "%s: %s", send->input, strerror(-error));
}

static int too_long(const struct send *send, const char *what)
{
    return cli_say(CLI_FAILED, "%s: %s %llu is longer than a message may be, %llu bytes",
                   send->input, what, (unsigned long long)send->count + 1,
                   (unsigned long long)send->max);
}

/* Beside the ring: a slot that waits for input would be in the way of others. */
static int reserve_beside(struct send *send, uint64_t length, void **ret_place)
{
    if (send->place == NULL || length > send->place_size) {
        uint64_t size = length < CLI_BATCH_SIZE ? CLI_BATCH_SIZE : length;
        uint8_t *place = realloc(send->place, (size_t)size);
        if (place == NULL)
            return cli_say(CLI_FAILED, "out of memory");
        send->place = place;
        send->place_size = size;
    }
    *ret_place = send->place;
    return CLI_OK;
}

/* A place to read a message into; says why there is none. */
static int reserve(struct send *send, uint64_t length, void **ret_place)
{
    int error;

    if (send->is_many)
        return reserve_beside(send, length, ret_place);
    int64_t deadline = cli_deadline(send->options->timeout);
    do
        error = shmring_sender_reserve(&send->sender, length, deadline, ret_place);
    while (cli_goes_on(error));
    return error == 0 ? CLI_OK : cli_fail(send->ring, error, "sender");
}

/* Sends the message that lies in that place. */
static int commit(struct send *send, const void *place, uint64_t length)
{
    const struct cli_options *options = send->options;
    int error;

    send->count++;
    if (!send->is_many) {
        shmring_sender_commit(&send->sender, length, options->type);
        return CLI_OK;
    }
    int64_t deadline = cli_deadline(options->timeout);
    do
        error = shmring_queue_send(&send->queue, place, (uint32_t)length, options->type, deadline);
    while (cli_goes_on(error));
    return error == 0 ? CLI_OK : cli_fail(send->ring, error, "sender");
}

static int send_line(struct send *send, const char *line, size_t length)
{
    void *place;

    if (send->is_many)
        return commit(send, line, length);
    int status = reserve(send, length, &place);
    if (status != CLI_OK)
        return status;
    memcpy(place, line, length);
    return commit(send, place, length);
}

static int send_lines(struct send *send)
{
    const char *line;
    size_t length;

    for (;;) {
        if (cli_signal)
            return CLI_SIGNAL + (int)cli_signal;
        int got = cli_reader_line(&send->reader, (size_t)send->max, &line, &length);
        if (got == 0)
            return CLI_OK;
        if (got == -EMSGSIZE)
            return too_long(send, "line");
        if (got < 0)
            return input_failed(send, got);
        int status = send_line(send, line, length);
        if (status != CLI_OK)
            return status;
    }
}

/* Straight from the kernel into a ring of two. */
static int send_raw(struct send *send)
{
    uint64_t size = send->max < CLI_BATCH_SIZE ? send->max : CLI_BATCH_SIZE;
    void *place;

    if (send->options->max_message != 0)
        size = send->max;
    for (;;) {
        if (cli_signal)
            return CLI_SIGNAL + (int)cli_signal;
        int status = reserve(send, size, &place);
        if (status != CLI_OK)
            return status;
        ssize_t count = cli_read(send->reader.fd, place, (size_t)size);
        if (count < 0)
            return input_failed(send, (int)count);
        if (count == 0)
            return CLI_OK;
        status = commit(send, place, (uint64_t)count);
        if (status != CLI_OK)
            return status;
    }
}

static int send_len32(struct send *send)
{
    uint8_t header[4];
    void *place;

    for (;;) {
        if (cli_signal)
            return CLI_SIGNAL + (int)cli_signal;
        ssize_t got = cli_reader_take(&send->reader, header, sizeof header);
        if (got < 0)
            return input_failed(send, (int)got);
        if (got == 0)
            return CLI_OK;
        uint64_t length = header[0] | (uint32_t)header[1] << 8 | (uint32_t)header[2] << 16 |
                          (uint32_t)header[3] << 24;
        if (got == sizeof header) {
            if (length > send->max)
                return too_long(send, "message");
            int status = reserve(send, length, &place);
            if (status != CLI_OK)
                return status;
            got = cli_reader_take(&send->reader, place, (size_t)length);
            if (got < 0)
                return input_failed(send, (int)got);
            if ((uint64_t)got == length) {
                status = commit(send, place, length);
                if (status != CLI_OK)
                    return status;
                continue;
            }
        }
        return cli_say(CLI_FAILED, "%s: ends in the middle of message %llu", send->input,
                       (unsigned long long)send->count + 1);
    }
}

static int send_all(struct send *send)
{
    uint64_t max = send->is_many ? shmring_mpmc_slot_size(&send->queue.producer.side)
                                 : shmring_spsc_max_message(&send->sender.producer.side);

    send->max = max;
    if (send->options->max_message > max)
        return cli_say(CLI_FAILED, "%s: its messages have at most %llu bytes", send->ring,
                       (unsigned long long)max);
    if (send->options->max_message != 0)
        send->max = send->options->max_message;
    switch (send->options->framing) {
    case CLI_RAW:
        return send_raw(send);
    case CLI_LEN32:
        return send_len32(send);
    default:
        return send_lines(send);
    }
}

static int open_once(struct send *send, shmring_channel_options options)
{
    int error = shmring_sender_open(&send->sender, send->ring, &options);

    if (error != -EPROTOTYPE)
        return error;
    options.create = false;
    error = shmring_queue_sender_open(&send->queue, send->ring, &options);
    send->is_many = error == 0;
    return error;
}

/* Runs in the signal handler. */
static void cancel(void *handle)
{
    struct send *send = handle;

    if (send->is_many)
        shmring_queue_sender_cancel(&send->queue);
    else
        shmring_sender_cancel(&send->sender);
}

static void close_ring(struct send *send)
{
    cli_set_cancel(NULL, NULL);
    shmring_queue_sender_close(&send->queue);
    shmring_sender_close(&send->sender);
}

/* A ring that is half made becomes a whole one in a moment, or never. */
static int open_ring(struct send *send)
{
    shmring_channel_options options = cli_channel_options(send->options);
    int64_t end = shmring_deadline(1000000000);
    int error;

    options.create = !send->options->no_create;
    do {
        error = open_once(send, options);
        if (error != -EAGAIN)
            break;
        cli_pause();
    } while (!cli_signal && shmring_clock() < end);
    if (error == -EAGAIN && cli_signal)
        error = -EINTR;
    if (error != 0)
        return cli_fail(send->ring, cli_what_is_missing(send->ring, error), "sender");
    cli_set_cancel(cancel, send);
    return CLI_OK;
}

int cli_send(const struct cli_options *options)
{
    static struct send send; /* large */
    int status = cli_check_name(options->arguments[0]);

    send.options = options;
    send.ring = options->arguments[0];
    send.input = "standard input";
    send.reader.fd = STDIN_FILENO;
    if (status != CLI_OK)
        return status;
    if (options->count > 1 && strcmp(options->arguments[1], "-") != 0) {
        send.input = options->arguments[1];
        send.reader.fd = open(send.input, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (send.reader.fd < 0)
            return input_failed(&send, -errno);
    }
    status = open_ring(&send);
    if (status == CLI_OK) {
        status = send_all(&send);
        close_ring(&send);
    }
    free(send.place);
    cli_reader_close(&send.reader);
    return status;
}

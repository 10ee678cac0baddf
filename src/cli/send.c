/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct send {
    const struct cli_options *options;
    const char *input; /* a name, for messages */
    uint64_t max;      /* bytes in a message */
    uint64_t count;
    struct cli_reader reader;
    struct cli_sink sink;
};

static int input_failed(const struct send *send, int error)
{
    if (send->sink.status != CLI_OK)
        return send->sink.status;
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

static int commit(struct send *send, const void *place, uint64_t length)
{
    send->count++;
    return cli_sink_commit(&send->sink, place, length);
}

static int send_line(struct send *send, const char *line, size_t length)
{
    void *place;
    int status = cli_sink_reserve(&send->sink, length, &place);

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
        int status = cli_sink_reserve(&send->sink, size, &place);
        if (status != CLI_OK)
            return status;
        ssize_t count = cli_reader_read(&send->reader, place, (size_t)size);
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
            int status = cli_sink_reserve(&send->sink, length, &place);
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
    uint64_t max = cli_sink_max_message(&send->sink);

    send->max = max;
    if (send->options->max_message > max)
        return cli_say(CLI_FAILED, "%s: its messages have at most %llu bytes", send->sink.name,
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

static int run(struct send *send, enum cli_sink_kind kind)
{
    struct cli_sink *sink = &send->sink;

    sink->options = send->options;
    sink->name = send->options->arguments[0];
    sink->kind = kind;
    if (kind == CLI_TO_SERVER || kind == CLI_TO_CLIENT) {
        send->reader.await = cli_sink_await;
        send->reader.context = sink;
    }
    int status = cli_sink_open(sink);

    if (status == CLI_OK)
        status = send_all(send);
    if (status == CLI_OK)
        status = cli_sink_finish(sink);
    cli_sink_close(sink);
    return status;
}

static struct send of_stdin(const struct cli_options *options)
{
    return (struct send){
        .options = options,
        .input = "standard input",
        .reader.fd = STDIN_FILENO,
    };
}

int cli_serve_send(const struct cli_options *options)
{
    struct send send = of_stdin(options);
    int status = run(&send, CLI_TO_CLIENT);

    cli_reader_close(&send.reader);
    return status;
}

int cli_send(const struct cli_options *options)
{
    struct send send = of_stdin(options);
    int status = cli_check_link("send", options);

    if (status == CLI_OK && !options->link)
        status = cli_check_name(options->arguments[0]);
    if (status != CLI_OK)
        return status;
    if (options->count > 1 && strcmp(options->arguments[1], "-") != 0) {
        send.input = options->arguments[1];
        send.reader.fd = open(send.input, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (send.reader.fd < 0)
            return input_failed(&send, -errno);
    }
    status = run(&send, options->link ? CLI_TO_SERVER : CLI_TO_RING);
    cli_reader_close(&send.reader);
    return status;
}

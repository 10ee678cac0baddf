/* SPDX-License-Identifier: MIT */
/* How messages lie in a stream of bytes. */
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* After a failed read or write: 0 to try again, or -errno. */
static int retry(int fd, short events)
{
    if (errno == EINTR)
        return cli_signal ? -EINTR : 0;
    if (errno != EAGAIN)
        return -errno;
    /* The descriptor was made non-blocking by someone who shares it. */
    struct pollfd ready = {fd, events, 0};
    if (poll(&ready, 1, 100) < 0 && errno != EINTR)
        return -errno;
    return cli_signal ? -EINTR : 0;
}

ssize_t cli_reader_read(struct cli_reader *reader, void *place, size_t size)
{
    for (;;) {
        int error = reader->await != NULL ? reader->await(reader->context, reader->fd) : 0;
        if (error != 0)
            return error;
        ssize_t count = read(reader->fd, place, size);
        if (count >= 0)
            return count;
        error = retry(reader->fd, POLLIN);
        if (error != 0)
            return error;
    }
}

/* Makes room behind end. The unread part moves only if it is at most half of the buffer, so each
 * byte moves a bounded number of times. Returns 0 or -ENOMEM. */
static int make_room(struct cli_reader *reader)
{
    size_t unread = reader->end - reader->start;

    if (unread > reader->size / 2 || reader->size == 0) {
        size_t size = reader->size == 0 ? CLI_BATCH_SIZE : 2 * reader->size;
        char *buffer = realloc(reader->buffer, size);
        if (buffer == NULL)
            return -ENOMEM;
        reader->buffer = buffer;
        reader->size = size;
    }
    if (reader->start != 0) {
        memmove(reader->buffer, reader->buffer + reader->start, unread);
        reader->scanned -= reader->start;
        reader->end = unread;
        reader->start = 0;
    }
    return 0;
}

/* Reads once into the buffer: bytes, 0 at the end, -errno. */
static ssize_t fill(struct cli_reader *reader)
{
    if (reader->start == reader->end)
        reader->start = reader->scanned = reader->end = 0;
    if (reader->end == reader->size) {
        int error = make_room(reader);
        if (error != 0)
            return error;
    }
    ssize_t count =
        cli_reader_read(reader, reader->buffer + reader->end, reader->size - reader->end);
    if (count > 0)
        reader->end += (size_t)count;
    return count;
}

ssize_t cli_reader_take(struct cli_reader *reader, void *place, size_t length)
{
    size_t done = 0;

    while (done < length) {
        size_t unread = reader->end - reader->start;
        size_t left = length - done;
        ssize_t count;

        if (unread != 0) {
            count = (ssize_t)(unread < left ? unread : left);
            memcpy((char *)place + done, reader->buffer + reader->start, (size_t)count);
            reader->start += (size_t)count;
            reader->scanned = reader->start;
        } else if (left >= CLI_BATCH_SIZE) {
            count = cli_reader_read(reader, (char *)place + done, left);
        } else {
            ssize_t filled = fill(reader);
            if (filled > 0)
                continue;
            count = filled;
        }
        if (count < 0)
            return count;
        if (count == 0)
            break;
        done += (size_t)count;
    }
    return (ssize_t)done;
}

int cli_reader_line(struct cli_reader *reader, size_t max, const char **ret_line,
                    size_t *ret_length)
{
    const char *newline = NULL;
    ssize_t count = 1;

    for (;;) {
        if (reader->end != reader->scanned)
            newline = memchr(reader->buffer + reader->scanned, '\n', reader->end - reader->scanned);
        reader->scanned = reader->end;
        if (newline != NULL || reader->end - reader->start > max)
            break;
        count = fill(reader);
        if (count <= 0)
            break;
    }
    if (count < 0)
        return (int)count;
    if (newline == NULL && reader->start == reader->end)
        return 0;

    const char *line = reader->buffer + reader->start;
    size_t length = newline != NULL ? (size_t)(newline - line) : reader->end - reader->start;
    if (length > max)
        return -EMSGSIZE;
    *ret_line = line;
    *ret_length = length;
    reader->start += length + (newline != NULL);
    reader->scanned = reader->start;
    return 1;
}

void cli_reader_close(struct cli_reader *reader)
{
    free(reader->buffer);
    if (reader->fd != STDIN_FILENO)
        close(reader->fd);
}

static void add_part(struct cli_batch *batch, const void *bytes, size_t size)
{
    struct iovec *last = &batch->parts[batch->parts_count];

    batch->size += size;
    if (batch->parts_count != 0 && (const char *)last[-1].iov_base + last[-1].iov_len == bytes)
        last[-1].iov_len += size;
    else if (size != 0) /* iovec has no const; writev() only reads */
        batch->parts[batch->parts_count++] = (struct iovec){(void *)bytes, size};
}

static void add_copy(struct cli_batch *batch, const void *bytes, size_t size)
{
    char *place = batch->buffer + batch->copied;

    memcpy(place, bytes, size);
    batch->copied += size;
    add_part(batch, place, size);
}

bool cli_batch_add(struct cli_batch *batch, enum cli_framing framing, const void *message,
                   uint64_t length)
{
    if (framing == CLI_LEN32) {
        uint8_t header[4];
        for (int i = 0; i < 4; i++)
            header[i] = (uint8_t)(length >> 8 * i);
        add_copy(batch, header, sizeof header);
    }
    if (length <= CLI_BATCH_COPIED)
        add_copy(batch, message, (size_t)length);
    else
        add_part(batch, message, (size_t)length);
    if (framing == CLI_LINE)
        add_copy(batch, "\n", 1);
    batch->ends[batch->count++] = batch->size;
    return batch->count < CLI_BATCH_MESSAGES && batch->size < CLI_BATCH_SIZE &&
           batch->parts_count <= CLI_BATCH_PARTS - 3;
}

int cli_batch_write(struct cli_batch *batch, int fd, int *ret_done)
{
    struct iovec *part = batch->parts, *end = batch->parts + batch->parts_count;
    size_t written = 0;
    int error = 0, done = 0;

    while (part != end) {
        ssize_t count = writev(fd, part, (int)(end - part));
        if (count < 0 && (error = retry(fd, POLLOUT)) != 0)
            break;
        size_t left = count < 0 ? 0 : (size_t)count;
        written += left;
        for (; part != end && left >= part->iov_len; part++)
            left -= part->iov_len;
        if (left != 0)
            *part = (struct iovec){(char *)part->iov_base + left, part->iov_len - left};
    }
    while (done < batch->count && batch->ends[done] <= written)
        done++;
    *ret_done = done;
    batch->count = batch->parts_count = 0;
    batch->size = batch->copied = 0;
    return error;
}

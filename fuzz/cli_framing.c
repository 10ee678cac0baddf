/* SPDX-License-Identifier: MIT */
/*
 * The command's framing (src/cli/framing.c), under a kernel that reads and writes by halves, is
 * interrupted and fails. Claims: what is read is the stream, cut where the framing says; what is
 * written is the messages in their framing, and as many are counted as were written whole; errors
 * lose nothing.
 *
 * Input: flags, longest line (two bytes), size of the script, script (a byte a call), then,
 * reading, the stream; writing, messages (two bytes each).
 */
#include "common/cli_names.h"

#include "common/region.h"

#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
    FD = 1000,
    STREAM_MAX = 300 << 10,
    MESSAGES_MAX = 64,
};

enum flag { WRITES = 1, LONG = 0x8e, FRAMING = 0x30 };

volatile sig_atomic_t cli_signal;

/* What is read; or what is written, and where messages come from. */
static uint8_t stream[STREAM_MAX], source[STREAM_MAX];

static struct {
    fuzz_input script;
    size_t size, done; /* of the stream; as far as the kernel has come */
} run;

/* What the next call does: how much at most, or fails. */
static ssize_t next_step(size_t wanted)
{
    static const int errors[] = {EINTR, EAGAIN, EIO, ENOSPC};
    uint8_t step = fuzz_left(&run.script) != 0 ? fuzz_byte(&run.script) : 0xff;
    size_t most = step == 0xff ? wanted : (step >> 3) * (step % 8 == 7 ? 1024u : 1u) + 1;

    cli_signal = step == 0x80;
    if (step % 32 < 4 && step != 0x80 + 3) {
        errno = errors[step % 4];
        return -1;
    }
    return (ssize_t)(most < wanted ? most : wanted);
}

ssize_t stream_read(int fd, void *place, size_t size)
{
    size_t left = run.size - run.done;
    ssize_t count = next_step(size < left ? size : left);

    fuzz_expect(fd == FD && size != 0, "it reads what it was told, into room that it has");
    if (count > 0) {
        memcpy(place, stream + run.done, (size_t)count);
        run.done += (size_t)count;
    }
    return count;
}

ssize_t stream_writev(int fd, const struct iovec *parts, int count)
{
    size_t wanted = 0;

    fuzz_expect(fd == FD && count > 0 && count <= 1024, "it writes what the kernel can take");
    for (int i = 0; i < count; i++)
        wanted += parts[i].iov_len;
    ssize_t written = next_step(wanted);
    size_t left = written < 0 ? 0 : (size_t)written;

    for (int i = 0; i < count && left != 0; i++) {
        size_t size = parts[i].iov_len < left ? parts[i].iov_len : left;

        fuzz_expect(run.done + size <= run.size, "no more than was added");
        fuzz_expect(memcmp(stream + run.done, parts[i].iov_base, size) == 0, "in that framing");
        run.done += size;
        left -= size;
    }
    return written;
}

int stream_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    (void)fds, (void)timeout;
    fuzz_expect(count == 1, "it waits for what was not ready");
    if (next_step(1) >= 0)
        return 1;
    errno = errno == EINTR ? EINTR : ENOMEM;
    return -1;
}

int stream_close(int fd)
{
    fuzz_expect(fd == FD, "it closes what it was told");
    return 0;
}

static bool is_kernels(ssize_t error)
{
    return error == -EIO || error == -EINTR || error == -ENOSPC || error == -ENOMEM;
}

/* Of a reader: an error is over the next time. */
static bool is_failure(ssize_t result, int *tries)
{
    if (!is_kernels(result))
        return false;
    fuzz_expect(++*tries < 1024, "the script comes to its end");
    return true;
}

/* Lines, and pieces by length, as they come: at is where the reader has to be. */
static void read_all(size_t longest)
{
    struct cli_reader reader = {.fd = FD};
    size_t at = 0;
    int tries = 0;

    while (at < run.size) {
        const char *line;
        size_t length;
        const uint8_t *end = memchr(stream + at, '\n', run.size - at);
        size_t want = (end != NULL ? (size_t)(end - (stream + at)) : run.size - at);

        if (stream[at] % 8 == 7) { /* a piece */
            size_t size = stream[at] * (stream[at] % 16 == 15 ? 600u : 1u), got = 0;
            ssize_t more = 0;

            /* What was read before an error is not told, and gone with it: the command ends. */
            more = cli_reader_take(&reader, source, size);
            if (more < 0)
                break;
            got = (size_t)more;
            fuzz_expect(got == (size < run.size - at ? size : run.size - at), "short at the end");
            fuzz_expect(memcmp(source, stream + at, got) == 0, "the next bytes");
            at += got;
            continue;
        }
        int result = cli_reader_line(&reader, longest, &line, &length);

        if (is_failure(result, &tries))
            continue;
        fuzz_expect(result == (want > longest ? -EMSGSIZE : 1), "a line, or too long");
        if (result != 1)
            break;
        fuzz_expect(length == want && memcmp(line, stream + at, want) == 0, "the next line");
        at += want + (end != NULL);
    }
    if (at == run.size) {
        const char *line;
        size_t length;
        int result;

        do
            result = cli_reader_line(&reader, longest, &line, &length);
        while (is_failure(result, &tries));
        fuzz_expect(result == 0, "the end");
    }
    cli_reader_close(&reader);
}

/* What the stream must be once the message is written. */
static void expect_message(enum cli_framing framing, const uint8_t *message, size_t length)
{
    if (framing == CLI_LEN32)
        for (int i = 0; i < 4; i++)
            stream[run.size++] = (uint8_t)(length >> 8 * i);
    memcpy(stream + run.size, message, length);
    run.size += length;
    if (framing == CLI_LINE)
        stream[run.size++] = '\n';
}

static void write_all(fuzz_input *messages, enum cli_framing framing)
{
    static struct cli_batch batch;
    size_t ends[MESSAGES_MAX], count = 0;

    while (fuzz_left(messages) != 0) {
        uint16_t number = (uint16_t)fuzz_number(messages, 2);
        size_t length = number % 4 == 0 ? number : number % 4 == 1 ? number >> 5 : number >> 11;
        const uint8_t *message = source + number % 512;

        expect_message(framing, message, length);
        ends[count++] = run.size;
        if (cli_batch_add(&batch, framing, message, length) && count < MESSAGES_MAX &&
            run.size < STREAM_MAX / 2 && fuzz_left(messages) != 0 && number % 32 != 31)
            continue;
        int done, error = cli_batch_write(&batch, FD, &done);
        size_t whole = 0;

        while (whole < count && ends[whole] <= run.done)
            whole++;
        fuzz_expect((size_t)done == whole, "as many as were written whole");
        fuzz_expect(error != 0 || whole == count, "all, or an error");
        fuzz_expect(error == 0 || is_kernels(error), "the kernel's error");
        fuzz_expect(batch.count == 0 && batch.parts_count == 0, "it is empty");
        run.size = run.done = count = 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum cli_framing framings[] = {CLI_LINE, CLI_RAW, CLI_LEN32, CLI_LINE};
    fuzz_input input = {data, data + size};
    uint8_t flags = fuzz_byte(&input);
    bool is_long = (flags & LONG) == LONG;
    size_t longest = fuzz_number(&input, 2);

    memset(&run, 0, sizeof run);
    run.script = fuzz_part(&input, fuzz_byte(&input));
    if ((flags & WRITES) != 0) {
        if (source[1] != 1)
            for (size_t i = 0; i < sizeof source; i++)
                source[i] = (uint8_t)(i % 251);
        write_all(&input, framings[(flags & FRAMING) / (FRAMING / 3)]);
        return 0;
    }
    run.size = fuzz_left(&input) < STREAM_MAX ? fuzz_left(&input) : STREAM_MAX;
    if (run.size != 0)
        memcpy(stream, input.at, run.size);
    /* Over and over: so that the reader's buffer is too small. */
    for (size_t more = run.size; is_long && more != 0 && run.size < 200 << 10;) {
        size_t piece = more < STREAM_MAX - run.size ? more : STREAM_MAX - run.size;

        memcpy(stream + run.size, stream, piece);
        run.size += piece;
        more = run.size;
    }
    read_all(is_long ? longest * 4 : longest);
    source[1] = 0; /* pieces were read into it */
    return 0;
}

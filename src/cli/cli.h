/* SPDX-License-Identifier: MIT */
/*
 * What the files of the command share. Include it first: it asks libc for everything.
 *
 * A run function gets checked options and returns the exit status. Data goes to standard output,
 * every message to standard error, each as one line that begins with "shmring: ".
 */
#ifndef CLI_H
#define CLI_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "shmring/shmring.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

/* 3 to 7 are about the ring; trouble with files and streams is 1. A signal is 128 + its number. */
enum cli_status {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_MISSING = 3,
    CLI_TIMEOUT = 4,
    CLI_BROKEN = 5,
    CLI_PERMISSION = 6,
    CLI_LAYOUT = 7,
    CLI_SIGNAL = 128,
};

enum cli_framing {
    CLI_LINE,  /* a message is a line without its newline */
    CLI_RAW,   /* a message is whatever was read at once */
    CLI_LEN32, /* a message follows its length, 4 bytes, little-endian */
};

struct cli_options {
    char **arguments;
    int count;
    uint64_t capacity; /* 0: the default */
    mode_t mode;       /* 0: the default */
    uint64_t max_message;
    int64_t timeout; /* ns; < 0: none given */
    uint32_t type;
    enum cli_framing framing;
    enum shmring_wait_policy wait;
    bool no_create;
    bool json;
    bool force;
    bool help;
};

struct cli_command {
    const char *name;
    const char *arguments; /* for people */
    const char *summary;
    const char *accepts; /* letters of the options in options.c */
    const char *details; /* more help, whole lines; NULL: none */
    int arguments_min;
    int arguments_max;
    int (*run)(const struct cli_options *options);
};

/* main.c: the last SIGINT or SIGTERM, 0: none. */
extern volatile sig_atomic_t cli_signal;

/* report.c. They return the exit status. */
int cli_say(enum cli_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* For an error (-errno) of the library about the ring name. role: what this process is or wants to
 * be in it, "sender" or "receiver"; NULL: neither. */
int cli_fail(const char *name, int error, const char *role);
/* Is name fit for a ring? Else says why not. */
int cli_check_name(const char *name);

/* options.c. Strict: no sign, no blank, no rest, no overflow. */
bool cli_parse_size(const char *text, uint64_t *ret_size);  /* 64, 4K, 4M, 1G, 1T */
bool cli_parse_duration(const char *text, int64_t *ret_ns); /* 0, 10us, 5ms, 1s */
bool cli_parse_mode(const char *text, mode_t *ret_mode);    /* octal, 1 to 0777 */
bool cli_parse_number(const char *text, uint32_t *ret_number);
int cli_parse(const struct cli_command *command, int argc, char **argv,
              struct cli_options *ret_options);
void cli_print_options(const struct cli_command *command);

/* framing.c: input. Zero it but for fd. */
struct cli_reader {
    int fd;
    char *buffer;
    size_t size, start, scanned, end; /* from start on unread; no newline before scanned */
};

/* One read(2) that a signal may end: bytes, 0 at the end, -errno (-EINTR: cli_signal is set). */
ssize_t cli_read(int fd, void *place, size_t size);
/* The next length bytes. Returns how many there were, fewer only at the end of input; or -errno. */
ssize_t cli_reader_take(struct cli_reader *reader, void *place, size_t length);
/* The next line, in place until the next call. Returns 1, 0 at the end, -EMSGSIZE if it is longer
 * than max bytes, or -errno. */
int cli_reader_line(struct cli_reader *reader, size_t max, const char **ret_line,
                    size_t *ret_length);
void cli_reader_close(struct cli_reader *reader);

/* framing.c: output. Messages that are written with one system call: long ones straight from the
 * ring, short ones and what is between messages by way of a buffer. Zero it. */
enum {
    CLI_BATCH_SIZE = 64 << 10, /* bytes: when there are more, the batch is full */
    CLI_BATCH_COPIED = 1024,   /* longest message that is copied */
    CLI_BATCH_MESSAGES = 8192,
    CLI_BATCH_PARTS = 256,
};

struct cli_batch {
    int count;
    int parts_count;
    size_t size;
    size_t copied;
    struct iovec parts[CLI_BATCH_PARTS];
    size_t ends[CLI_BATCH_MESSAGES]; /* bytes of the batch up to the end of each message */
    char buffer[CLI_BATCH_SIZE + CLI_BATCH_COPIED + 8];
};

/* False: now it is full. */
bool cli_batch_add(struct cli_batch *batch, enum cli_framing framing, const void *message,
                   uint64_t length);
/* Writes and empties it. Returns 0 or -errno; *ret_done messages were written whole either way. */
int cli_batch_write(struct cli_batch *batch, int fd, int *ret_done);

/* inspect.c: a ring as seen from outside, without mapping it or taking a role. */
enum cli_role_state { CLI_FREE, CLI_ATTACHED, CLI_DEAD };

struct cli_role {
    enum cli_role_state state;
    uint64_t pos;
    uint32_t session;
    uint32_t pid;
};

struct cli_ring {
    const char *name;
    struct stat status;
    struct shmring_header header;
    shmring_geometry geometry;
    struct cli_role sender;
    struct cli_role receiver;
    uint64_t used;
};

extern const char CLI_DIRECTORY[]; /* where named rings are */

/* Looks at the file name in directory. Returns 0, or -errno as from shmring_segment_open(); name
 * and status are good with -EAGAIN, -EPROTO, -EPROTONOSUPPORT and -EBADMSG too. */
int cli_inspect(int directory, const char *name, struct cli_ring *ret_ring);

/* wait.c: options for the library, and waiting in slices, so that a signal that comes just before a
 * sleep is not slept through:
 *   cli_wait_start(&wait);
 *   do
 *       error = shmring_..._...(..., wait.slice);
 *   while (cli_wait_goes_on(&wait, &error));
 */
shmring_channel_options cli_channel_options(const struct cli_options *options);

struct cli_wait {
    int64_t timeout; /* ns; < 0: none */
    int64_t end;
    int64_t slice;
};

void cli_wait_start(struct cli_wait *wait);
bool cli_wait_goes_on(struct cli_wait *wait, int *error);
/* A few milliseconds. */
void cli_pause(void);

int cli_create(const struct cli_options *options);
int cli_rm(const struct cli_options *options);
int cli_ls(const struct cli_options *options);
int cli_info(const struct cli_options *options);
int cli_send(const struct cli_options *options);
int cli_recv(const struct cli_options *options);
int cli_help(const struct cli_options *options);

#endif

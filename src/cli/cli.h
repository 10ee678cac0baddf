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

enum { CLI_PATIENCE_NS = 1000000000 }; /* how long who comes first waits for what is not there */
enum { CLI_ALLOWED_MAX = 64 };         /* users, and groups, that are named */

struct cli_options {
    char **arguments;
    int count;
    char given[64];    /* the letters of the options that were there */
    uint64_t capacity; /* 0: the default */
    mode_t mode;       /* 0: the default */
    uint64_t max_message;
    uint64_t slots; /* 0: the default */
    uint64_t slot_size;
    uint64_t limit;  /* messages; 0: none */
    int64_t timeout; /* ns; < 0: none given */
    uint32_t kind;   /* enum shmring_kind; 0: none given */
    uint32_t type;
    enum shmring_mpmc_wish wish;
    uint32_t wish_type;
    int wishes; /* how many were given */
    enum cli_framing framing;
    enum shmring_wait_policy wait;
    enum shmring_backend backend;
    enum shmring_fence fence;
    uid_t uids[CLI_ALLOWED_MAX];
    gid_t gids[CLI_ALLOWED_MAX];
    uint32_t uid_count;
    uint32_t gid_count;
    bool client_owned;
    bool link;
    bool sends; /* serve */
    bool once;
    bool redeliver;
    bool follow;
    bool no_create;
    bool json;
    bool all;
    bool is_long;
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
/* -ENOENT says that a ring is missing, or a semaphore of it: then, -EIDRM; -EPERM that a file may
 * not be used: but it may be no ring, or a damaged one, which is said first. */
int cli_what_is_wrong(const char *name, int error);
/* Is name fit for a ring? Else says why not. */
int cli_check_name(const char *name);

/* values.c. Strict: no sign, no blank, no rest, no overflow. */
bool cli_parse_size(const char *text, uint64_t *ret_size);  /* 64, 4K, 4M, 1G, 1T */
bool cli_parse_duration(const char *text, int64_t *ret_ns); /* 0, 10us, 5ms, 1s */
bool cli_parse_mode(const char *text, mode_t *ret_mode);    /* octal, 0600 to 0666 */
bool cli_parse_number(const char *text, uint32_t *ret_number);
bool cli_parse_user(const char *text, uid_t *ret_user); /* a number or a name */
bool cli_parse_group(const char *text, gid_t *ret_group);

/* options.c: by enum shmring_backend. */
extern const char *const cli_backends[SHMRING_BACKENDS];
const char *cli_option_name(int letter);
int cli_parse(const struct cli_command *command, int argc, char **argv,
              struct cli_options *ret_options);
void cli_print_options(const struct cli_command *command);

/* framing.c: input. Zero it but for fd. */
struct cli_reader {
    int fd;
    /* Or NULL: called before each read, which must not begin if it fails: 0 or -errno. */
    int (*await)(void *context, int fd);
    void *context;
    char *buffer;
    size_t size, start, scanned, end; /* from start on unread; no newline before scanned */
};

/* One read(2) that a signal may end, beside the buffer: bytes, 0 at the end, -errno (-EINTR:
 * cli_signal is set). */
ssize_t cli_reader_read(struct cli_reader *reader, void *place, size_t size);
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

enum { CLI_CELL_SIZE = 256 }; /* of a table: text */

/* inspect.c: a ring as seen from outside, without mapping it or taking a role. */
enum cli_role_state { CLI_FREE, CLI_ATTACHED, CLI_DEAD };

struct cli_role {
    enum cli_role_state state;
    uint64_t pos;
    uint32_t session;
    uint32_t pid;
};

/* Somebody who is attached, or died so. */
struct cli_member {
    uint32_t id;
    uint32_t pid;
    uint32_t session;
    enum shmring_member_role role;
    bool dead;
    bool stopped;        /* as far as we can see */
    uint32_t writing;    /* slots that it has claimed, */
    uint32_t reading;    /* and taken */
    uint64_t held_since; /* as in its record */
};

/* The members of one role. */
struct cli_crowd {
    uint32_t alive;
    uint32_t dead;
    uint32_t pid; /* of one that is alive */
};

struct cli_ring {
    const char *name;
    struct stat status;
    struct shmring_header header;
    shmring_geometry geometry;
    struct cli_role sender; /* of a ring of many: free, as are positions */
    struct cli_role receiver;
    struct cli_crowd senders;
    struct cli_crowd receivers;
    uint64_t used;
    uint64_t dropped;
    uint64_t redelivered;
    const struct cli_member *members; /* by id; good until the next ring is looked at */
    uint32_t members_count;
    /* By enum shmring_direction: the file, or the number of the set; empty: none, or it is gone. */
    char semaphores[2][CLI_CELL_SIZE];
    bool is_mute; /* one is gone: nobody can attach */
};

extern const char CLI_DIRECTORY[]; /* where named rings are */

/* Looks at the file name in directory. Returns 0, or -errno as from shmring_segment_open(); name
 * and status are good with -EAGAIN, -EPROTO, -EPROTONOSUPPORT and -EBADMSG too. */
int cli_inspect(int directory, const char *name, struct cli_ring *ret_ring);
/* The same for the ring of that name. */
int cli_inspect_named(const char *name, struct cli_ring *ret_ring);
/* All of size bytes, or -errno. */
int cli_read_at(int fd, void *place, size_t size, uint64_t offset);

/* members.c: what a ring of many says of its members and messages. */
int cli_inspect_members(int fd, struct cli_ring *ring);
/* The same from the role pages of a ring of two, which were read before. */
void cli_inspect_roles(struct cli_ring *ring);

/* bells.c: the semaphores that belong to a ring and live beside it. */
int cli_inspect_bells(int fd, struct cli_ring *ring);
/* Is that file in directory a semaphore as rings have them, of a ring that is not there? */
bool cli_is_leftover(int directory, const char *file);
/* Removes those of a ring that is damaged or gone, as far as they can be told. False: there was no
 * named one. */
bool cli_remove_lost_bells(const char *name);

/* table.c: lines of cells, for people or as JSON. They return the exit status. */
enum cli_cell { CLI_TEXT, CLI_NUMBER, CLI_BOOLEAN };
struct libscols_table;

struct cli_table {
    struct libscols_table *table;
    bool json;
};

int cli_table_start(struct cli_table *table, const char *name, bool json);
/* title: its lower case is the key of the JSON; NULL: no titles at all. */
int cli_table_column(struct cli_table *table, const char *title, enum cli_cell cell);
/* For people, where titles stand in front of lines: SENDER_PID as "sender pid". */
enum { CLI_TITLE_SIZE = 32 };
void cli_spell_title(const char *title, char ret_title[CLI_TITLE_SIZE]);
/* A cell that is NULL is "-", or null. */
int cli_table_line(struct cli_table *table, const char *const *cells, int count);
int cli_table_print(struct cli_table *table, const char *schema);
void cli_table_end(struct cli_table *table);

/* fields.c: what ls and info say about a ring. */
/* clang-format off */
enum cli_field {
    CLI_NAME, CLI_KIND, CLI_CAPACITY, CLI_USED, CLI_SENDER, CLI_RECEIVER, CLI_MODE, CLI_OWNER,
    CLI_STATE,
    CLI_BACKEND, CLI_FENCE, CLI_MESSAGES_SEMAPHORE, CLI_ROOM_SEMAPHORE,
    CLI_PATH, CLI_SIZE, CLI_ELEMENT_SIZE, CLI_MAX_MESSAGE, CLI_TAIL, CLI_HEAD,
    CLI_SENDER_STATE, CLI_SENDER_PID, CLI_SENDER_SESSION,
    CLI_RECEIVER_STATE, CLI_RECEIVER_PID, CLI_RECEIVER_SESSION,
    CLI_SLOTS, CLI_SLOT_SIZE, CLI_REDELIVER, CLI_SENDERS, CLI_RECEIVERS, CLI_MEMBERS, CLI_DEAD_ONES,
    CLI_DROPPED, CLI_REDELIVERED,
    CLI_LAYOUT_VERSION, CLI_INCOMPATIBLE, CLI_READ_ONLY_COMPATIBLE, CLI_COMPATIBLE,
    CLI_UID, CLI_GROUP, CLI_GID,
    CLI_FIELDS,
    CLI_LS_FIELDS = CLI_STATE + 1,
    CLI_LS_LONG_FIELDS = CLI_ROOM_SEMAPHORE + 1,
};
/* clang-format on */

struct cli_column {
    const char *title;
    enum cli_cell cell;
    uint32_t kind; /* of ring that has it; 0: all */
};

extern const struct cli_column cli_columns[CLI_FIELDS];

/* short_form: for people, and little room. False: there is nothing to say. error: what
 * cli_inspect() said. */
bool cli_format(const struct cli_ring *ring, int error, enum cli_field field, bool short_form,
                char ret_cell[CLI_CELL_SIZE]);

/* wait.c: options for the library; and waiting, which a signal ends by way of cancel():
 *   do
 *       error = shmring_..._...(..., deadline);
 *   while (cli_goes_on(error));
 */
shmring_channel_options cli_channel_options(const struct cli_options *options);
/* Of a wait that begins now; ns, < 0: never. */
int64_t cli_deadline(int64_t timeout);
/* A signal that is none of ours has ended the call (as SIGCONT ends some): call it again. */
bool cli_goes_on(int error);
/* call(handle), which must be async-signal-safe, is run when SIGINT or SIGTERM comes, or at once if
 * one has come; NULL: before the handle is closed. */
void cli_set_cancel(void (*call)(void *handle), void *handle);
/* For the signal handler. */
void cli_cancel(void);
/* A few milliseconds. */
void cli_pause(void);

/* deaths.c: which senders of a ring of many have died. Zero it. */
struct cli_death {
    uint32_t session; /* at the last look, and who had it; */
    uint32_t pid;
    uint32_t role;
    uint32_t died; /* and the last session that ended by death */
};

struct cli_deaths {
    uint32_t told; /* since it was set to 0 */
    struct cli_death seen[SHMRING_MEMBER_RECORDS];
};

/* From here on: call it before a receiver is opened, which buries the dead. Returns 0, -EPROTOTYPE
 * if the ring is not one of many, or as from shmring_segment_open(). */
int cli_deaths_begin(struct cli_deaths *deaths, const char *name,
                     const shmring_channel_options *options, shmring_geometry *ret_geometry);
/* Says who has died since the last look; not who came and died since, if another has the id. */
void cli_deaths_tell(struct cli_deaths *deaths, const char *ring,
                     const struct shmring_member_record *records);

/* recv.c: adds the messages that are there, held and not given back, to the batch, limit at most;
 * waits for the first. Returns 0, or as from shmring_receiver_peek(). */
int cli_gather(shmring_receiver *receiver, const struct cli_options *options, uint64_t limit,
               int64_t deadline, struct cli_batch *batch);

int cli_create(const struct cli_options *options);
int cli_rm(const struct cli_options *options);
int cli_ls(const struct cli_options *options);
int cli_info(const struct cli_options *options);
int cli_who(const struct cli_options *options);
int cli_send(const struct cli_options *options);
int cli_serve(const struct cli_options *options);
/* send.c, link_info.c: serve --send, info --link. */
int cli_serve_send(const struct cli_options *options);
int cli_link_info(const struct cli_options *options);
int cli_recv(const struct cli_options *options);
int cli_help(const struct cli_options *options);

#endif

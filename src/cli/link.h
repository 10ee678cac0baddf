/* SPDX-License-Identifier: MIT */
/* Links as the command makes them, and where messages go: to rings, or through links. */
#ifndef CLI_LINK_H
#define CLI_LINK_H

#include "cli.h"

/* link.c. Do the options fit together, and with the server that NAME is, or is not (--link)?
 * Else says why not. */
int cli_check_link(const char *command, const struct cli_options *options);
int cli_check_serve(const struct cli_options *options);
shmring_link_options cli_link_options(const struct cli_options *options);
/* Tries for patience (ns), or the --timeout, while nobody listens there. 0, or as from
 * shmring_link_connect(). */
int cli_link_connect(const struct cli_options *options, int64_t patience, shmring_link *ret_link);
/* How the other side has come to its end: 0, -EPIPE or -EOWNERDEAD. */
int cli_link_end(const shmring_spsc_side *side, int socket);
/* Until the other side has taken all that was sent, or for timeout without progress (ns, < 0:
 * never). 0, -ETIMEDOUT, -EINTR (cli_signal is set), or its end. */
int cli_link_drain(const shmring_sender *sender, int socket, int64_t timeout);
/* For an error of connecting (peer: NULL), of a link (who is at its other end, for people), or of
 * listening. They return the exit status. */
int cli_link_fail(const char *path, int error, const char *peer);
int cli_listen_fail(const char *path, int error);

/* sink.c: where messages go: a ring of two or of many, a server, or a client of ours. Zero it, but
 * for options and name. The functions say what is wrong, and return the exit status. */
enum cli_sink_kind {
    CLI_TO_RING,
    CLI_TO_MANY,
    CLI_TO_SERVER,
    CLI_TO_CLIENT,
};

struct cli_sink {
    const struct cli_options *options;
    const char *name;
    enum cli_sink_kind kind;
    shmring_sender *sender; /* that of the ring, or of the link */
    shmring_sender ring;
    shmring_queue_sender queue;
    shmring_link link;
    bool is_taken; /* the client has taken a message: it has the stream */
    int status;    /* CLI_OK, or what await() has said: reads fail for that */
    uint8_t *place;
    uint64_t place_size;
};

int cli_sink_open(struct cli_sink *sink);
uint64_t cli_sink_max_message(const struct cli_sink *sink);
/* A place to read a message into, until the next call; commit sends what lies there. */
int cli_sink_reserve(struct cli_sink *sink, uint64_t length, void **ret_place);
int cli_sink_commit(struct cli_sink *sink, const void *place, uint64_t length);
/* For the reader, of a link: watches the other side while there is no input. */
int cli_sink_await(void *sink, int fd);
/* All was sent: waits until it was taken, where it would be lost otherwise. */
int cli_sink_finish(struct cli_sink *sink);
void cli_sink_close(struct cli_sink *sink);

#endif

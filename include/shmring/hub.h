/* SPDX-License-Identifier: MIT */
/*
 * A hub: the many links (link.h) of a server under one handle. Clients come and go; any number of
 * the server's threads take their messages in turn, and send to one, to some or to all of them.
 *
 *   static void handle(shmring_hub *hub, const shmring_hub_event *event, void *argument)
 *   {
 *       if (event->kind == SHMRING_HUB_MESSAGE)
 *           shmring_hub_send(hub, event->id, event->message, event->length, 0, SHMRING_NOW);
 *   }
 *   ...
 *   shmring_hub_open(&hub, "echo", NULL);
 *   shmring_hub_dispatch(hub, handle, NULL, SHMRING_NEVER);    in one thread, or in several
 *   shmring_hub_close(hub);
 *
 * A library of its own (libshmring-hub), which needs liburcu (flavour memb); not part of shmring.h.
 * Everything is done by the threads that call it, but for one thing: what has ended is unmapped by
 * liburcu's own thread (call_rcu), which the first open of a process makes and which stays. It
 * takes no signals, and has the processors and the priority of who called that open. (If it cannot
 * be made, liburcu ends the process.) Memory is allocated by open, and for each client that joins.
 *
 * Merging. Channels that have messages take turns, and a turn ends after a budget: none starves.
 * Only one thread at a time has the turn of a channel, so its messages are handled one after the
 * other, in order, and so are its other events; different channels are handled at the same time.
 * Channels that have nothing cost nothing: they wake a thread through their socket.
 *
 * Sending. Any thread sends to any channel. A full ring holds nobody up who does not ask to wait:
 * the message is dropped for that channel, and counted, and a channel can be evicted for that.
 *
 * Leaving. Threads look up a channel under RCU (read-copy update), and then hold it by its turn or
 * by a count. Who ends a channel takes it out of the table, and waits for nothing: once nobody can
 * be looking it up any more the table's share in the count is given up, and who gives up the last
 * share unmaps it. So a slow handler keeps its own channel mapped, and nobody waiting. While as
 * many channels wait to be unmapped as may be there, no client is let in. What passes between
 * threads:
 *
 *   the turn of a channel
 *   [hub.A] set   ready bit release        [hub.B] clear ready bit acquire
 *   [hub.C] swap  state to idle            [hub.D] swap  state to queued
 *   sleeping, and news for a turn
 *   [hub.E] bit cleared, state running: fence, then load sleepers, waking and flags
 *   [hub.F] sleepers + 1, or waking cleared: fence, then load ready bits
 *   [hub.G] flag stored: fence, then load state
 *   leaving
 *   [hub.H] users - 1 acquire release      [hub.I] load  users acquire
 *   [hub.J] store slot release             [hub.K] load  slot acquire
 *
 *   A pairs with B, C with D: without them a turn could begin with the handle as it was before the
 *   last turn, which another thread had.
 *   E pairs with F: without it a channel could be ready and every thread asleep or busy elsewhere.
 *   E pairs with G: without it a turn could end without having seen the news, and be the last.
 *   H pairs with H and I: without it a channel, or the hub, could be freed before its last user is
 *   done with it.
 *   J pairs with K: without it a channel could be seen before it is complete.
 *
 * After fork() a hub is the parent's: calls in the child return -EOWNERDEAD and do nothing, also
 * open, for the child has no thread of liburcu's. It should go on to exec() or _exit(): until then
 * its copies of the descriptors keep clients from seeing the parent die, and exit() may let liburcu
 * wait for that thread.
 * Threads must not be ended (pthread_cancel(), longjmp()) inside a call. But for cancel, calls are
 * not async-signal-safe.
 *
 * Sources: RCU, as M. Desnoyers, P. McKenney and others have it in liburcu, "User-Level
 * Implementations of Read-Copy Update" (2012); the state of a turn is that of the polling of
 * network devices in Linux (NAPI).
 */
#ifndef SHMRING_HUB_H
#define SHMRING_HUB_H

#include "shmring/link.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

enum {
    SHMRING_HUB_CHANNELS = 1024, /* by default */
    SHMRING_HUB_CHANNELS_MAX = 1 << 14,
    SHMRING_HUB_BUDGET = 64,
    SHMRING_HUB_BUDGET_SIZE = 64 << 10,
};

/* What a channel may take and cost. */
typedef struct shmring_hub_limits {
    /* Messages per turn, and bytes, after which a turn ends. 0: as the hub has it, and in its own
     * options SHMRING_HUB_BUDGET and SHMRING_HUB_BUDGET_SIZE. */
    uint32_t budget;
    uint32_t budget_size;
    /* Evict a channel that so many messages in a row had to be dropped for, or that was found full
     * again, or still, so long (ns) after the first time, with no message sent in between (who
     * waits for room looks every SHMRING_WAIT_CAP_NS). 0: never. */
    uint32_t drops;
    int64_t full_ns;
} shmring_hub_limits;

/* Set size to sizeof(the struct), all else to 0 for the defaults. What is set without the size is
 * -EINVAL. */
typedef struct shmring_hub_options {
    size_t size;
    uint32_t channels; /* at most; clients beyond that are closed at once */
    /*
     * What dispatch does when nothing is there. Block: it sleeps at once, spin: never, adaptive:
     * when spinning has not paid off of late.
     */
    enum shmring_wait_policy wait;
    /* Dispatch leaves joining to shmring_hub_control(), which a thread of its own must call: so
     * nobody's messages wait while memory for another is made and mapped. */
    bool control_apart;
    /* Every thread that calls is registered as a reader with liburcu (flavour memb) by the caller.
     * Else the hub does that, at the first call of a thread until the thread ends. */
    bool readers_registered;
    shmring_hub_limits limits;
    /* pollable and wait are the hub's. A handshake that takes too long is dropped when the next
     * client comes. */
    shmring_link_options link;
} shmring_hub_options;

/* Opaque; made by open. */
typedef struct shmring_hub shmring_hub;

/* Counted since the channel joined. */
typedef struct shmring_hub_counts {
    uint64_t received, received_size; /* messages handled, and their bytes */
    uint64_t sent, sent_size;
    uint64_t dropped; /* messages that were not sent, because the ring was full */
    uint64_t turns;
} shmring_hub_counts;

typedef struct shmring_hub_stats {
    uint32_t channels;  /* there now */
    uint32_t unmapping; /* ended, not yet unmapped */
    uint64_t joined, left, died, broke, evicted;
    uint64_t refused;          /* clients that could not join: no place, no memory, no descriptor */
    shmring_hub_counts counts; /* of all channels, also those that are gone */
} shmring_hub_stats;

enum shmring_hub_kind {
    SHMRING_HUB_JOINED = 1, /* the first event of a channel */
    SHMRING_HUB_MESSAGE,
    /* The last event: every message that had been sent was handled, and it is gone. */
    SHMRING_HUB_LEFT, /* it closed the link, or its sender (-EPIPE) */
    SHMRING_HUB_DIED, /* it died (-EOWNERDEAD), or closed the socket without closing the link */
    /* The last event; what else had been sent is lost. */
    SHMRING_HUB_BROKE,   /* it broke the rules (-EBADMSG) */
    SHMRING_HUB_EVICTED, /* by shmring_hub_evict(), or for not reading (limits) */
};

/* What is valid during the handler only, but for the values. */
typedef struct shmring_hub_event {
    enum shmring_hub_kind kind;
    uint32_t type; /* of the message */
    uint64_t id;   /* of the channel: never 0, never used again */
    /* In place, 8-aligned. A hostile client may change it while it is read. */
    const void *message;
    uint64_t length;
    void **context; /* of the channel, for the handler: *context begins as NULL */
    const shmring_link_peer *peer;
    const shmring_hub_counts *counts; /* with the last event, else NULL */
} shmring_hub_event;

/*
 * Handles an event. May call everything here but dispatch, control and close of the same hub. While
 * it runs its channel waits, others do not if there are more threads.
 */
typedef void shmring_hub_handler(shmring_hub *hub, const shmring_hub_event *event, void *argument);

/*
 * Listens at path (see shmring_link_listen()). options may be NULL. Returns 0, -EINVAL for the
 * options, -EOWNERDEAD in a child after fork() of a process that has opened a hub, -ENOMEM,
 * -EMFILE, -ENFILE, -EOPNOTSUPP, or as from shmring_link_listen().
 */
int shmring_hub_open(shmring_hub **ret_hub, const char *path, const shmring_hub_options *options);

/*
 * Closes all links and frees everything; NULL is ignored. Threads that are in dispatch or control,
 * or that wait in send, get -ECANCELED, and close waits for them, and so for their handlers. No
 * other call may be under way, and none may begin: who calls again and again is to be ended first
 * (cancel). Nobody is told of the channels that end so. Returns 0; -EDEADLK: called by a handler of
 * this hub; -EOWNERDEAD.
 */
int shmring_hub_close(shmring_hub *hub);

/*
 * Takes turns with channels until deadline (absolute, see clock.h), and sleeps while there is
 * nothing to do. With SHMRING_NOW: one turn for each channel that has something. For any number of
 * threads. Never returns 0:
 *   -ETIMEDOUT   the deadline has passed
 *   -EINTR       a signal handler ran while it slept
 *   -ENOSYS      a seccomp filter that came later refuses to let it sleep
 *   -ECANCELED   cancel, or close
 *   -EDEADLK     called by a handler of this hub
 *   -EOWNERDEAD  in a child after fork()
 */
int shmring_hub_dispatch(shmring_hub *hub, shmring_hub_handler *handler, void *argument,
                         int64_t deadline);

/* Lets clients in until deadline: needed with control_apart, else dispatch does it. Returns as
 * dispatch does. */
int shmring_hub_control(shmring_hub *hub, int64_t deadline);

/* From now on calls that would wait return -ECANCELED, also those that wait already: at once, or,
 * of those that wait for room, within SHMRING_WAIT_CAP_NS. Async-signal-safe. resume undoes it. */
void shmring_hub_cancel(shmring_hub *hub);
void shmring_hub_resume(shmring_hub *hub);

/* A descriptor for poll() and epoll, for one thread: readable when dispatch with SHMRING_NOW has
 * something to do. While another thread is in dispatch, what that has still to do may not be told;
 * of several threads let all sleep in dispatch. It belongs to the hub. With control_apart joining
 * is not told there. */
int shmring_hub_fd(const shmring_hub *hub);

/*
 * Copies a message to the channel, and waits until deadline for room. Messages of one thread keep
 * their order. Returns 0, or
 *   -ETIMEDOUT   full: dropped, and counted. (With SHMRING_NOW also while another thread waits.)
 *   -ENOENT      no such channel, or not any more: also if it is evicted meanwhile
 *   -EMSGSIZE    longer than half a ring less 8 bytes; not counted
 *   -EINTR       a signal handler ran while it waited, and no other thread did for the same
 *   -ENOSYS      a seccomp filter that came later refuses to let it sleep
 *   -EPIPE       full, and the client does not read any more: dropped
 *   -EOWNERDEAD  the same, for it died; also in a child after fork()
 *   -EBADMSG     the client broke the rules; dispatch will tell its end
 *   -ECANCELED   cancel was called, or close, and there was no room
 */
int shmring_hub_send(shmring_hub *hub, uint64_t id, const void *message, uint64_t length,
                     uint32_t type, int64_t deadline);

/* How many channels a message was sent to, and how many were full or ending. */
typedef struct shmring_hub_sent {
    uint32_t sent;
    uint32_t dropped;
} shmring_hub_sent;

/*
 * Sends a message to those of the ids that are there, or to all channels that filter (NULL: all)
 * permits; without waiting for any of them. Channels that join or leave meanwhile may be left out.
 * filter may call nothing here. ret_sent may be NULL. Returns 0, -EMSGSIZE, -EOWNERDEAD (after
 * fork()).
 */
int shmring_hub_send_to(shmring_hub *hub, const uint64_t *ids, uint32_t count, const void *message,
                        uint64_t length, uint32_t type, shmring_hub_sent *ret_sent);
typedef bool shmring_hub_filter(uint64_t id, const shmring_link_peer *peer, void *argument);
int shmring_hub_send_all(shmring_hub *hub, const void *message, uint64_t length, uint32_t type,
                         shmring_hub_filter *filter, void *argument, shmring_hub_sent *ret_sent);

/* Ends a channel: nothing more is sent to it, but what another thread is just sending, or taken
 * from it, and dispatch tells the last event.
 * Called by its own handler, no message comes after that. 0, -ENOENT, -EOWNERDEAD. */
int shmring_hub_evict(shmring_hub *hub, uint64_t id);

/* Limits of one channel in place of those of the hub, from now on: all of them, also drops and
 * full_ns of 0. 0, -EINVAL, -ENOENT, -EOWNERDEAD. */
int shmring_hub_limit(shmring_hub *hub, uint64_t id, const shmring_hub_limits *limits);

/* The counts are exact when nobody sends or dispatches. stats takes time in proportion to
 * channels. 0, -ENOENT, -EOWNERDEAD. */
int shmring_hub_counts_of(shmring_hub *hub, uint64_t id, shmring_hub_counts *ret_counts);
int shmring_hub_get_stats(shmring_hub *hub, shmring_hub_stats *ret_stats);

/* The ids of the channels that are there now, up to max of them, in no order. Returns how many, or
 * -EOWNERDEAD. */
int shmring_hub_ids(shmring_hub *hub, uint64_t *ret_ids, uint32_t max);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

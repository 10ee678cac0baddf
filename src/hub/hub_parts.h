/* SPDX-License-Identifier: MIT */
/* A hub and its channels, as the files of this directory share them. */
#ifndef SHMRING_HUB_PARTS_H
#define SHMRING_HUB_PARTS_H

#include "process.h"
#include "readers.h"
#include "ready.h"
#include "shmring/hub.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <time.h>

enum {
    HUB_LINE = 128,
    HUB_SLOT_BITS = 14, /* of an id; above them is a number that is never used again */
    HUB_SLOT_MASK = SHMRING_HUB_CHANNELS_MAX - 1,
    HUB_EVENTS = 64, /* taken from the kernel at once */
};
_Static_assert(SHMRING_HUB_CHANNELS_MAX == 1 << HUB_SLOT_BITS, "a slot fits into an id");

/* What an epoll event is about; else it is the id of a channel. */
enum { HUB_EVENT_BELL = 0, HUB_EVENT_LISTENER = 1 };

/*
 * idle     all is handled, and what comes next rings
 * queued   its bit is set, or is about to be
 * running  a thread has its turn
 * again    likewise, and there was news meanwhile: not idle after that
 * gone     for good
 */
enum hub_state { HUB_IDLE = 0, HUB_QUEUED, HUB_RUNNING, HUB_AGAIN, HUB_GONE };

typedef struct hub_channel {
    /* Of who has the turn, but for the first two and the limits. */
    shmring_word32 state;
    shmring_word32 over; /* enum shmring_hub_kind: nothing more is taken or sent. 0: it is not */
    shmring_word32 budget, budget_size, drops; /* limits */
    shmring_word64 full_ns;
    uint64_t id;
    bool is_new;     /* JOINED is to be told */
    uint32_t misses; /* turns in a row that found nothing */
    void *context;
    shmring_word64 received, received_size, turns;
    struct shmring_hub *hub;
    struct rcu_head ended; /* once it is out of the table */

    /* Of who sends. */
    _Alignas(HUB_LINE) shmring_word32 users; /* who found it in the table; and the table itself */
    pthread_mutex_t sending;                 /* never held while waiting for a peer */
    pthread_cond_t waited;                   /* is_waiting has become false */
    bool is_waiting;                         /* a thread has the sender, and waits for room */
    uint32_t drops_in_row;
    int64_t full_since; /* 0: the last message was sent */
    shmring_word64 sent, sent_size, dropped;
    shmring_link link;
} hub_channel;

struct shmring_hub {
    /* Only read once it is open. */
    shmring_hub_options options;
    shmring_word64 *table; /* of pointers to channels, by slot */
    hub_ready ready;
    uint64_t max_message;
    int epoll, bell, control_epoll, control_bell;

    _Alignas(HUB_LINE) shmring_word32 cancelled;
    shmring_word32 slots_used;                  /* no slot from this on was ever used */
    shmring_word32 retired;                     /* channels that ended, and are not yet freed */
    _Alignas(HUB_LINE) shmring_word32 sleepers; /* threads that are about to sleep in dispatch */
    shmring_word32 waking;                      /* one of them was woken, and has not yet looked */
    _Alignas(HUB_LINE) shmring_word32 inside;   /* calls that close waits for */

    /* Who lets clients in. */
    _Alignas(HUB_LINE) pthread_mutex_t control;
    shmring_listener listener;
    uint64_t joins;

    /* Who puts a channel into the table or takes it out, or counts. */
    _Alignas(HUB_LINE) pthread_mutex_t ledger;
    uint32_t free_count;
    uint16_t *free_slots;
    shmring_hub_stats stats; /* counts: of channels that are gone */
};

/* The calls that a thread is in: of several hubs, each made by a handler of the one before. */
typedef struct hub_frame {
    shmring_hub *hub;
    struct hub_frame *outer;
} hub_frame;
/* A call that close waits for, and that no handler may make. 0, -EDEADLK, -EOWNERDEAD; leave after
 * 0 only. */
int hub_enter(shmring_hub *hub, hub_frame *frame);
void hub_leave(const hub_frame *frame);
bool hub_is_cancelled(const shmring_hub *hub);

/* channel.c */
hub_channel *hub_slot(const shmring_hub *hub, uint32_t slot);
void hub_set_slot(shmring_hub *hub, uint32_t slot, hub_channel *channel);
/* The channel of that id, or in that slot, if there is one; it stays until unpin, which frees it if
 * it has ended and nobody else has it. */
hub_channel *hub_pin(shmring_hub *hub, uint64_t id);
hub_channel *hub_pin_slot(shmring_hub *hub, uint32_t slot);
void hub_unpin(hub_channel *channel);
void hub_free_channel(hub_channel *channel);
/* There is news, of which a flag tells: sees to it that a turn follows. True: it is queued now. For
 * who reads, has pinned it or has its turn. */
bool hub_rouse(shmring_hub *hub, hub_channel *channel);
/* One of the threads that sleep looks what there is to do. For a thread that dispatches, and so
 * looks itself if there is none; others ring. */
void hub_wake_one(shmring_hub *hub);
void hub_ring(int bell);

/* What an epoll has to tell, until then: the count, or -1 and errno. May end early. */
int hub_sleep(int epoll, struct epoll_event *events, int max, int64_t until, int64_t now);
/* Ends it, if it is not over yet; its next turn tells. */
void hub_end(shmring_hub *hub, hub_channel *channel, enum shmring_hub_kind kind);
/* Is it over? The event that is to be told, or 0. */
enum shmring_hub_kind hub_over(const hub_channel *channel);
int hub_read_limits(const shmring_hub_limits *limits, const shmring_hub_limits *defaults,
                    shmring_hub_limits *ret_own);
void hub_set_limits(hub_channel *channel, const shmring_hub_limits *own);
void hub_read_counts(const hub_channel *channel, shmring_hub_counts *ret_counts);
void hub_add_counts(shmring_hub_counts *sum, const shmring_hub_counts *counts);

/* turn.c */
typedef struct hub_turn {
    shmring_hub *hub;
    shmring_hub_handler *handler;
    void *argument;
    bool settles; /* a channel that is found empty is to be idle */
} hub_turn;
/* The turn of the channel, which the caller took. Returns how many messages were handled. */
uint32_t hub_turn_take(const hub_turn *turn, hub_channel *channel);

/* control.c */
/* Lets in who waits; nothing, if another thread does that. */
void hub_control_step(shmring_hub *hub);

/* For counters that have one writer at a time. */
static inline void hub_count(shmring_word64 *counter, uint64_t more)
{
    /* relaxed: for statistics. */
    shmring_store64_relaxed(counter, shmring_load64_relaxed(counter) + more);
}

static inline struct timespec hub_timespec(int64_t ns)
{
    const int64_t ns_per_s = 1000000000;

    return (struct timespec){.tv_sec = (time_t)(ns / ns_per_s), .tv_nsec = ns % ns_per_s};
}

#endif

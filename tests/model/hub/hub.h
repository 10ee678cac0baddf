/* SPDX-License-Identifier: MIT */
/*
 * What the models of hubs share: the shipped text of src/hub, compiled in by hub_genmc.py, over a
 * kernel, clients and an RCU that are stand-ins. What lies between threads is plain memory where it
 * is so in the hub, so that an access that is not ordered is found as a race.
 *
 * The kernel: one word counts what has happened to the bell and to the sockets. Who looks takes
 * all of it, and sees what was done before; who sleeps does so until there is something, and never
 * else. A sleeper that is left to sleep is a lost wake, which GenMC reports.
 * RCU: who defers waits for the reader, of which there is one at most: several would be ordered by
 * the lock that it has here, and by RCU are not.
 */
#ifndef SHMRING_TESTS_MODEL_HUB_H
#define SHMRING_TESTS_MODEL_HUB_H

#include "begin.h"

#include <assert.h>
#include <pthread.h>

enum { CHANNELS = 3, THE_BELL = 3, OTHER_BELL = 4 };
enum { FIRST_ID = 1 << HUB_SLOT_BITS, A_SOCKET = 5 };
enum { BELL = 1, SOCKET = 1 << 4, SOCKET_BITS = 4 }; /* counts in the kernel's word */

/* The kernel. */

static shmring_word32 news;
static uint64_t ids[CHANNELS]; /* what the sockets were added with */

static inline void kernel_adds(uint32_t count)
{
    shmring_add32_release(&news, count);
}

static int take_news_from_kernel(struct epoll_event *events)
{
    int count = 0;
    uint32_t taken = shmring_load32_relaxed(&news);

    while (taken != 0 && !shmring_cas32_acq_rel(&news, &taken, 0))
        ;
    if (taken % SOCKET != 0)
        events[count++].data.u64 = HUB_EVENT_BELL;
    for (int i = 0; i < CHANNELS; i++)
        if ((taken >> SOCKET_BITS * (i + 1)) % SOCKET != 0)
            events[count++].data.u64 = ids[i];
    return count;
}

int epoll_wait(int epoll, struct epoll_event *events, int max, int timeout)
{
    (void)epoll, (void)max, (void)timeout;
    return take_news_from_kernel(events);
}

static inline int doze(struct epoll_event *events)
{
    while (shmring_load32_acquire(&news) == 0)
        ;
    return take_news_from_kernel(events);
}

/* No loop around that, which GenMC would take for one that waits. */
int hub_sleep(int epoll, struct epoll_event *events, int max, int64_t until, int64_t now)
{
    (void)epoll, (void)max, (void)until, (void)now;
    int count = doze(events);

    if (count == 0) /* another took it */
        count = doze(events);
    if (count == 0)
        count = doze(events);
    assert(count != 0);
    return count;
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    (void)epoll, (void)operation, (void)fd, (void)event;
    return 0;
}

ssize_t model_write(int fd, const void *bytes, size_t size)
{
    (void)bytes;
    if (fd == THE_BELL)
        kernel_adds(BELL);
    return (ssize_t)size;
}

int model_close(int fd)
{
    (void)fd;
    return 0;
}

/* Close looks again after that, as it might have the first time, but later. */
int model_nanosleep(const struct timespec *time, struct timespec *rest)
{
    (void)time, (void)rest;
    __VERIFIER_assume(false);
    return 0;
}

int model_destroy(void *object)
{
    (void)object;
    return 0;
}

int64_t shmring_clock(void)
{
    return 1;
}

int hub_process_check(void)
{
    return 0;
}

/* RCU. */

static pthread_mutex_t reading;
static bool has_reader; /* else nothing is freed */
static shmring_word64 deferred;

void hub_readers_begin(bool registered)
{
    (void)registered;
    if (has_reader)
        pthread_mutex_lock(&reading);
}

void hub_readers_end(void)
{
    if (has_reader)
        pthread_mutex_unlock(&reading);
}

static void (*deferred_function)(struct rcu_head *);

void hub_readers_defer(bool registered, struct rcu_head *head,
                       void (*function)(struct rcu_head *head))
{
    (void)registered;
    deferred_function = function;
    shmring_store64_release(&deferred, (uintptr_t)head);
}

/* liburcu's thread. */
static inline void *call_deferred(void *unused)
{
    (void)unused;
    struct rcu_head *head = (struct rcu_head *)(uintptr_t)shmring_load64_acquire(&deferred);

    __VERIFIER_assume(head != NULL);
    hub_readers_begin(true);
    hub_readers_end();
    deferred_function(head);
    return NULL;
}

/* Links: how many messages a client has sent, and whether it has left. */

static shmring_word32 sent[CHANNELS], left[CHANNELS];
static shmring_word64 armed[CHANNELS];
static uint32_t taken[CHANNELS]; /* of who has the turn */
static struct shmring_role clients[CHANNELS];

static bool is_message_there(uint32_t slot)
{
    return shmring_load32_acquire(&sent[slot]) != taken[slot];
}

const void *model_spsc_peek(shmring_spsc_consumer *consumer, uint64_t *ret_length,
                            uint32_t *ret_type)
{
    *ret_length = 8;
    *ret_type = 0;
    return is_message_there(consumer->side.peer_id) ? consumer : NULL;
}

void model_spsc_release(shmring_spsc_consumer *consumer)
{
    taken[consumer->side.peer_id]++;
}

bool model_spsc_peer_left(const shmring_spsc_side *side)
{
    (void)side;
    return false;
}

void model_wake(shmring_waiter *waiter)
{
    (void)waiter;
}

void shmring_receiver_flush(shmring_receiver *receiver)
{
    (void)receiver;
}

/* As for poll: arms, looks again (wait.h), then at the end of the client. */
int model_receiver_peek(shmring_receiver *receiver, int64_t deadline, const void **ret_message,
                        uint64_t *ret_length, uint32_t *ret_type)
{
    uint32_t slot = receiver->consumer.side.peer_id;

    (void)deadline, (void)ret_message, (void)ret_length, (void)ret_type;
    shmring_store64_relaxed(&armed[slot], 1);
    shmring_fence_seq_cst();
    if (is_message_there(slot))
        return 0;
    return shmring_load32_acquire(&left[slot]) != 0 ? -EPIPE : -ETIMEDOUT;
}

static inline void client_sends(uint32_t slot)
{
    shmring_add32_release(&sent[slot], 1);
    shmring_fence_seq_cst();
    if (shmring_load64_relaxed(&armed[slot]) != 0)
        kernel_adds(SOCKET << SOCKET_BITS * slot);
}

void shmring_listener_close(shmring_listener *listener)
{
    (void)listener;
}

/* Unmapped: whoever uses it, does so before. */
void shmring_link_close(shmring_link *link)
{
    link->socket = -1;
}

/* The hub. */

void hub_control_step(shmring_hub *hub)
{
    (void)hub;
}

void hub_read_counts(const hub_channel *channel, shmring_hub_counts *ret_counts)
{
    (void)channel, (void)ret_counts;
}

void hub_add_counts(shmring_hub_counts *sum, const shmring_hub_counts *counts)
{
    (void)sum, (void)counts;
}

static shmring_word64 words[1], table[CHANNELS];
static uint16_t free_slots[CHANNELS];
static shmring_hub hub = {
    .options = {.channels = CHANNELS},
    .table = table,
    .ready = {.words = words, .word_count = 1},
    .bell = THE_BELL,
    .control_bell = OTHER_BELL,
    .free_slots = free_slots,
};

/* What a channel has in all models. */
static inline void fill(hub_channel *channel, shmring_hub *of, uint32_t slot)
{
    channel->id = FIRST_ID | slot;
    channel->hub = of;
    channel->link.mine.base = of; /* the link is open */
    channel->link.socket = A_SOCKET;
    channel->link.receiver.consumer.side.peer_id = slot;
    channel->link.receiver.waiter.peer = &clients[slot];
    shmring_store32_relaxed(&channel->users, 1);
    shmring_store32_relaxed(&channel->budget, 1);
    shmring_store32_relaxed(&channel->budget_size, 8);
}

/* In main(), before all else: in the table, in that slot. */
static inline void put(hub_channel *channel, uint32_t slot)
{
    fill(channel, &hub, slot);
    ids[slot] = channel->id;
    hub_set_slot(&hub, slot, channel);
}

/* One that is freed, in slot 0, and has a turn. By hand: GenMC has no memset() for such memory. */
static inline hub_channel *new_channel(shmring_hub *of)
{
    hub_channel *channel = malloc(sizeof *channel);

    fill(channel, of, 0);
    channel->is_new = false;
    channel->misses = 0;
    channel->context = NULL;
    channel->link.receiver.consumer.side.error = 0;
    shmring_store32_relaxed(&channel->state, HUB_RUNNING);
    shmring_store32_relaxed(&channel->over, 0);
    shmring_store64_relaxed(&channel->turns, 0);
    hub_set_slot(of, 0, channel);
    return channel;
}

static inline shmring_hub *new_hub(void)
{
    shmring_hub *opened = malloc(sizeof *opened);

    opened->options.channels = 1;
    opened->options.readers_registered = true;
    opened->table = malloc(sizeof *opened->table);
    opened->free_slots = malloc(sizeof *opened->free_slots);
    opened->ready.words = malloc(sizeof *opened->ready.words);
    opened->free_count = 0;
    opened->epoll = opened->bell = opened->control_epoll = opened->control_bell = -1;
    opened->stats.left = opened->stats.died = opened->stats.broke = opened->stats.evicted = 0;
    pthread_mutex_init(&opened->ledger, NULL);
    shmring_store32_relaxed(&opened->cancelled, 0);
    shmring_store32_relaxed(&opened->retired, 0);
    shmring_store32_relaxed(&opened->inside, 0);
    return opened;
}

/* A handler that does not return. */
static inline void stay(shmring_hub *of, const shmring_hub_event *event, void *argument)
{
    (void)of, (void)event, (void)argument;
    pthread_exit(NULL);
}

/* A thread that knows of news for a channel is in a handler of another, which does not return. */
static inline void be_busy(hub_channel *with, hub_channel *has_news)
{
    struct loop loop = {.turn = {.hub = &hub, .handler = stay}};

    hub_rouse(&hub, has_news);
    take_turn(&loop, (int)(with->id & HUB_SLOT_MASK));
}

/* A thread in dispatch takes a turn, if there is one. */
static inline void step(shmring_hub_handler *handler)
{
    struct loop loop = {.turn = {.hub = &hub, .handler = handler, .settles = true}};
    int slot = take_next(&loop);

    if (slot >= 0)
        take_turn(&loop, slot);
}

/* Runs them at once, to their ends. */
static inline void run_all(void *(*first)(void *), void *(*second)(void *), void *(*third)(void *))
{
    pthread_t a, b, c;

    pthread_create(&a, NULL, first, NULL);
    pthread_create(&b, NULL, second, NULL);
    if (third != NULL)
        pthread_create(&c, NULL, third, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    if (third != NULL)
        pthread_join(c, NULL);
}

#endif

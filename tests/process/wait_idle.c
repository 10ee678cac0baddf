/* SPDX-License-Identifier: MIT */
/*
 * Claim: who waits, for a message or for room, does next to nothing: it wakes up a few times per
 * second, to see whether the others are alive, and uses no processor; with each backend, and also
 * when some of the others have died, or all of them have and that was told.
 */
#include "../messages.h"

#include "../backends.h"
#include <sys/resource.h>

enum {
    SECONDS = 3,
    WAKEUPS_MAX = 15 * SECONDS, /* SHMRING_WAIT_CAP_NS makes it 10 each second */
    CPU_US_MAX = 10000 * SECONDS,
    MESSAGE = 2040,
};

/* What the idle member is, and what has happened before. */
enum idler {
    CHANNEL_RECEIVER,
    CHANNEL_RECEIVER_ALONE, /* its sender has died */
    CHANNEL_SENDER,
    QUEUE_RECEIVER,
    QUEUE_RECEIVER_BEREAVED, /* one of two senders has died */
    QUEUE_RECEIVER_ALONE,    /* its sender has died */
    QUEUE_SENDER,
    IDLERS,
};
static const char *const idler_names[IDLERS] = {
    [CHANNEL_RECEIVER] = "receiver of a channel",
    [CHANNEL_RECEIVER_ALONE] = "receiver of a channel whose sender died",
    [CHANNEL_SENDER] = "sender to a full channel",
    [QUEUE_RECEIVER] = "receiver of a queue",
    [QUEUE_RECEIVER_BEREAVED] = "receiver of a queue that lost a sender",
    [QUEUE_RECEIVER_ALONE] = "receiver of a queue that lost all senders",
    [QUEUE_SENDER] = "sender to a full queue",
};

/* The other members, in the parent. Those that are to die do that in children of theirs. */
static shmring_sender senders[SHMRING_BACKENDS][IDLERS];
static shmring_receiver receivers[SHMRING_BACKENDS][IDLERS];
static shmring_queue_sender queue_senders[SHMRING_BACKENDS][IDLERS];
static shmring_queue_receiver queue_receivers[SHMRING_BACKENDS][IDLERS];

static bool is_queue(enum idler idler)
{
    return idler >= QUEUE_RECEIVER;
}

static void die_as_sender(const backend_ring *ring)
{
    pid_t child = check_fork();

    if (child == 0) {
        shmring_queue_sender queue_sender;
        shmring_sender sender;

        _exit(ring->is_queue ? backend_queue_sender_open(&queue_sender, ring, NULL)
                             : backend_sender_open(&sender, ring, NULL));
    }
    CHECK_EQ(check_wait(child), 0);
}

/* The others of the ring, before the idle one comes. */
static void join(const backend_ring *ring, enum idler idler)
{
    enum shmring_backend backend = ring->backend;

    if (idler == CHANNEL_RECEIVER)
        CHECK_EQ(backend_sender_open(&senders[backend][idler], ring, NULL), 0);
    else if (idler == CHANNEL_SENDER)
        CHECK_EQ(backend_receiver_open(&receivers[backend][idler], ring, NULL), 0);
    else if (idler == QUEUE_SENDER)
        CHECK_EQ(backend_queue_receiver_open(&queue_receivers[backend][idler], ring, NULL), 0);
    else if (idler == QUEUE_RECEIVER || idler == QUEUE_RECEIVER_BEREAVED)
        CHECK_EQ(backend_queue_sender_open(&queue_senders[backend][idler], ring, NULL), 0);
}

/* Waits until that time; all that it can learn before that is a death. */
static int receive(const backend_ring *ring, enum idler idler, int64_t until)
{
    static shmring_receiver receiver;
    static shmring_queue_receiver queue_receiver;
    shmring_mpmc_slot slot;
    char byte;
    int error;

    if (is_queue(idler))
        CHECK_EQ(backend_queue_receiver_open(&queue_receiver, ring, NULL), 0);
    else
        CHECK_EQ(backend_receiver_open(&receiver, ring, NULL), 0);
    if (idler != CHANNEL_RECEIVER && idler != QUEUE_RECEIVER)
        die_as_sender(ring);
    do {
        error = is_queue(idler)
                    ? shmring_queue_recv(&queue_receiver, &byte, 1, &slot, until)
                    : shmring_receiver_recv(&receiver, &byte, 1, NULL, NULL, until);
    } while (error == -EOWNERDEAD);
    return error;
}

static int send(const backend_ring *ring, enum idler idler, int64_t until)
{
    static shmring_sender sender;
    static shmring_queue_sender queue_sender;
    static char message[MESSAGE];
    int error;

    if (is_queue(idler))
        CHECK_EQ(backend_queue_sender_open(&queue_sender, ring, NULL), 0);
    else
        CHECK_EQ(backend_sender_open(&sender, ring, NULL), 0);
    do {
        error = is_queue(idler) ? shmring_queue_send(&queue_sender, message, 8, 0, until)
                                : shmring_sender_send(&sender, message, MESSAGE, 0, until);
    } while (error == 0);
    return error;
}

static _Noreturn void idle(const backend_ring *ring, enum idler idler)
{
    bool sends = idler == CHANNEL_SENDER || idler == QUEUE_SENDER;
    int64_t until = shmring_deadline((int64_t)SECONDS * 1000000000);
    struct rusage usage;

    alarm(60); /* it has hung */
    CHECK_EQ(sends ? send(ring, idler, until) : receive(ring, idler, until), -ETIMEDOUT);
    CHECK(shmring_clock() >= until);
    /* A sanitizer has a thread of its own, which is not meant. */
    CHECK(getrusage(RUSAGE_THREAD, &usage) == 0);
    long cpu_us = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                  usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;

    printf("%s, %s: %ld wakeups, %ld us\n", backend_name(ring->backend), idler_names[idler],
           usage.ru_nvcsw, cpu_us);
    fflush(stdout);
    CHECK(usage.ru_nvcsw <= WAKEUPS_MAX);
    CHECK(cpu_us <= CPU_US_MAX);
    _exit(0);
}

static _Noreturn void let_all_idle(void)
{
    static backend_ring rings[SHMRING_BACKENDS][IDLERS];
    static pid_t pids[SHMRING_BACKENDS][IDLERS];
    int failed = 0;

    for (int i = 0; i < SHMRING_BACKENDS * IDLERS; i++) {
        enum shmring_backend backend = (enum shmring_backend)(i / IDLERS);
        enum idler idler = (enum idler)(i % IDLERS);
        backend_ring *ring = &rings[backend][idler];
        shmring_channel_options options = {.capacity = is_queue(idler) ? 2 : 4096, .slot_size = 8};

        CHECK_EQ(backend_ring_create(ring, backend, is_queue(idler), options), 0);
        join(ring, idler);
        pids[backend][idler] = check_fork();
        if (pids[backend][idler] == 0)
            idle(ring, idler);
    }
    for (int i = 0; i < SHMRING_BACKENDS * IDLERS; i++) {
        failed |= check_wait(pids[i / IDLERS][i % IDLERS]);
        backend_ring_remove(&rings[i / IDLERS][i % IDLERS]);
    }
    fflush(NULL);
    _exit(failed != 0);
}

int main(void)
{
    pid_t child = check_fork();

    if (child == 0)
        let_all_idle();
    int status = check_wait(child);

    backend_rings_remove_of(child);
    return status != 0;
}

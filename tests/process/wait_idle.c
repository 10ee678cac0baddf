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
    CPU_US_MAX = 10000,         /* in a second */
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

static shmring_receiver idle_receiver;
static shmring_queue_receiver idle_queue_receiver;
static shmring_sender idle_sender;
static shmring_queue_sender idle_queue_sender;

static void come(const backend_ring *ring, enum idler idler)
{
    if (idler == CHANNEL_SENDER)
        CHECK_EQ(backend_sender_open(&idle_sender, ring, NULL), 0);
    else if (idler == QUEUE_SENDER)
        CHECK_EQ(backend_queue_sender_open(&idle_queue_sender, ring, NULL), 0);
    else if (is_queue(idler))
        CHECK_EQ(backend_queue_receiver_open(&idle_queue_receiver, ring, NULL), 0);
    else
        CHECK_EQ(backend_receiver_open(&idle_receiver, ring, NULL), 0);
    if (idler == CHANNEL_RECEIVER_ALONE || idler == QUEUE_RECEIVER_BEREAVED ||
        idler == QUEUE_RECEIVER_ALONE)
        die_as_sender(ring);
}

/* Waits until that time; all that it can learn before that is a death. */
static int receive(enum idler idler, int64_t until)
{
    shmring_mpmc_slot slot;
    char byte;
    int error;

    do {
        error = is_queue(idler)
                    ? shmring_queue_recv(&idle_queue_receiver, &byte, 1, &slot, until)
                    : shmring_receiver_recv(&idle_receiver, &byte, 1, NULL, NULL, until);
    } while (error == -EOWNERDEAD);
    return error;
}

static int send(enum idler idler, int64_t until)
{
    static char message[MESSAGE];
    int error;

    do {
        error = is_queue(idler) ? shmring_queue_send(&idle_queue_sender, message, 8, 0, until)
                                : shmring_sender_send(&idle_sender, message, MESSAGE, 0, until);
    } while (error == 0);
    return error;
}

/* Of this thread: a sanitizer has one of its own, which is not meant. */
static struct rusage usage_now(void)
{
    struct rusage usage;

    CHECK(getrusage(RUSAGE_THREAD, &usage) == 0);
    return usage;
}

static long cpu_us(const struct rusage *usage)
{
    return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 + usage->ru_utime.tv_usec +
           usage->ru_stime.tv_usec;
}

/* Returns what that took of the processor, in microseconds. */
static long idle_for_a_second(enum idler idler)
{
    bool sends = idler == CHANNEL_SENDER || idler == QUEUE_SENDER;
    int64_t until = shmring_deadline(1000000000);
    struct rusage before = usage_now();

    CHECK_EQ(sends ? send(idler, until) : receive(idler, until), -ETIMEDOUT);
    CHECK(shmring_clock() >= until);
    struct rusage after = usage_now();

    return cpu_us(&after) - cpu_us(&before);
}

/* In one second of three it may be more: a virtual machine counts as used what its processor was
 * away for. */
static _Noreturn void idle(const backend_ring *ring, enum idler idler)
{
    long most = 0, second_most = 0;

    alarm(60); /* it has hung */
    come(ring, idler);
    for (int second = 0; second < SECONDS; second++) {
        long took = idle_for_a_second(idler);

        second_most = took > most ? most : took > second_most ? took : second_most;
        most = took > most ? took : most;
    }
    struct rusage usage = usage_now();

    printf("%s, %s: %ld wakeups, %ld us, at most %ld and %ld in a second\n",
           backend_name(ring->backend), idler_names[idler], usage.ru_nvcsw, cpu_us(&usage), most,
           second_most);
    fflush(stdout);
    CHECK(usage.ru_nvcsw <= WAKEUPS_MAX);
    CHECK(second_most <= CPU_US_MAX);
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

/* SPDX-License-Identifier: MIT */
/*
 * Claim: no wake is lost. Two processes send one message to and fro and sleep for it, with random
 * delays, under a storm of signals, and with one of them killed now and then: nobody ever sleeps to
 * the end of its sleep with a message there that it was not woken for, unless the other one was
 * killed. The sleeps are made of the parts (wait.h, event.h), so that a wake that is made good by
 * the cap is seen; over each backend that needs no name, both fences, both kinds of ring.
 *
 * How long a sleep took is net of the time for which the sleeper was ready to run, and others ran
 * (/proc/thread-self/schedstat). Beside them a process sleeps as long as the cap, again and again:
 * by how much it is late is the machine's doing.
 *
 * usage: wait_soak [SEED [PAIRS | SECONDSs]]
 */
#define _GNU_SOURCE
#include "../messages.h"

#include <shmring/shmring.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WAYS = 2, /* a ring for each */
    SLOTS = 4,
    SPSC_BYTES = 4096,
    CYCLES_MAX = 60000, /* of a random delay: about as long as it takes to wake somebody */
    STORM_US = 200,     /* between signals */
};
static const int64_t LATE_NS = SHMRING_WAIT_CAP_NS + 10000000, LIFE_NS = 400000000;

/* Of sleeps, ns. */
struct lengths {
    shmring_word64 count;
    shmring_word64 late, late_net; /* that took longer than the cap and 10 ms */
    shmring_word64 longest, longest_net;
};

/* What the parent learns, written by the children. */
struct tally {
    shmring_word64 pairs;  /* sleeps that were ended by a wake */
    shmring_word64 lost;   /* that ended by their cap with a message there, and no wake */
    shmring_word32 killed; /* the other one is no more: nobody may wake */
    struct lengths sleeps, bare;
};

struct ring {
    shmring_geometry geometry;
    void *memory;
    shmring_bell_place place;
};

/* One end of one way, of either kind. */
struct end {
    bool many;
    shmring_spsc_producer producer;
    shmring_spsc_consumer consumer;
    shmring_waiter waiter;
    shmring_mpmc_producer sender;
    shmring_mpmc_consumer receiver;
    shmring_eventcount messages;
};

static struct tally *tally;

static void ring_make(struct ring *ring, bool many, bool light, enum shmring_backend backend)
{
    shmring_geometry *geometry = &ring->geometry;

    CHECK_EQ(shmring_layout_plan(many ? SHMRING_KIND_MPMC : SHMRING_KIND_SPSC, many ? 8 : 0,
                                 many ? SLOTS : SPSC_BYTES, geometry),
             0);
    geometry->options = (uint64_t)backend * SHMRING_OPTION_BACKEND;
    if (light)
        geometry->options |= SHMRING_OPTION_LIGHT_WAKE;
    ring->memory =
        mmap(NULL, geometry->total_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(ring->memory != MAP_FAILED);
    shmring_layout_format(ring->memory, geometry);
    ring->place = (shmring_bell_place){.backend = backend, .segment_fd = -1, .eventfds = {-1, -1}};
    for (int i = 0; i < 2 && backend == SHMRING_BACKEND_EVENTFD; i++)
        ring->place.eventfds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK_EQ(shmring_bells_create(ring->memory, geometry, &ring->place), 0);
}

static void ring_free(struct ring *ring)
{
    for (int i = 0; i < 2; i++)
        if (ring->place.eventfds[i] >= 0)
            close(ring->place.eventfds[i]);
    munmap(ring->memory, ring->geometry.total_size);
}

static void end_open(struct end *end, const struct ring *ring, bool sends)
{
    const shmring_geometry *geometry = &ring->geometry;

    end->many = geometry->kind == SHMRING_KIND_MPMC;
    if (end->many) {
        CHECK_EQ(shmring_event_open(&end->messages, ring->memory, geometry, SHMRING_FOR_MESSAGES,
                                    &ring->place),
                 0);
        CHECK_EQ(sends ? shmring_mpmc_attach_producer(&end->sender, ring->memory, geometry, -1)
                       : shmring_mpmc_attach_consumer(&end->receiver, ring->memory, geometry, -1),
                 0);
        return;
    }
    CHECK_EQ(sends ? shmring_spsc_attach_producer(&end->producer, ring->memory, geometry, -1)
                   : shmring_spsc_attach_consumer(&end->consumer, ring->memory, geometry, -1),
             0);
    CHECK_EQ(shmring_waiter_open(&end->waiter, ring->memory, geometry,
                                 sends ? SHMRING_ROLE_PRODUCER : SHMRING_ROLE_CONSUMER,
                                 &ring->place),
             0);
}

static void end_send(struct end *end, uint64_t number)
{
    if (!end->many) {
        CHECK_EQ(shmring_spsc_send(&end->producer, &number, sizeof number, 0), 0);
        shmring_wake(&end->waiter);
        return;
    }
    shmring_mpmc_slot slot;

    CHECK(shmring_mpmc_claim(&end->sender, &slot));
    uint64_t last = shmring_mpmc_slot_end(&end->sender.side, &slot);

    memcpy(slot.data, &number, sizeof number);
    CHECK_EQ(shmring_mpmc_commit(&end->sender, &slot, sizeof number, 0), 0);
    shmring_event_wake(&end->messages, last);
}

static bool end_recv(struct end *end, uint64_t *ret_number)
{
    uint64_t length;
    shmring_mpmc_slot slot;
    int error = end->many ? shmring_mpmc_recv(&end->receiver, ret_number, sizeof *ret_number, &slot)
                          : shmring_spsc_recv(&end->consumer, ret_number, sizeof *ret_number,
                                              &length, NULL);

    CHECK(error == 0 || error == -EAGAIN);
    return error == 0;
}

/* For how long this thread was ready to run, and did not, ns; 0 where the kernel does not say. */
static int64_t run_delay(void)
{
    static int fd = -2;
    char text[96];
    long long delay;

    if (fd == -2)
        fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    ssize_t size = pread(fd, text, sizeof text - 1, 0);

    text[size > 0 ? size : 0] = '\0';
    return sscanf(text, "%*d %lld", &delay) == 1 ? delay : 0;
}

static void note_longest(shmring_word64 *longest, int64_t ns)
{
    if (ns > (int64_t)shmring_load64_relaxed(longest)) /* of two at once, one may be lost */
        shmring_store64_relaxed(longest, (uint64_t)ns);
}

static void note_length(struct lengths *lengths, int64_t slept, int64_t net)
{
    shmring_add64_relaxed(&lengths->count, 1);
    shmring_add64_relaxed(&lengths->late, slept > LATE_NS);
    shmring_add64_relaxed(&lengths->late_net, net > LATE_NS);
    note_longest(&lengths->longest, slept);
    note_longest(&lengths->longest_net, net);
}

/* One sleep, and what it was worth. Returns whether there is a message now. */
static bool end_sleep(struct end *end, uint64_t *ret_number)
{
    int64_t delay = run_delay();
    struct shmring_bell_words *words =
        end->many ? &end->messages.event->bell : end->waiter.bell.words;
    uint32_t ticket = end->many ? shmring_event_arm(&end->messages, SHMRING_EVENT_ANY)
                                : shmring_wait_arm(&end->waiter, end->consumer.read_pos + 1);

    if (end_recv(end, ret_number)) {
        if (!end->many)
            shmring_wait_disarm(&end->waiter);
        return true;
    }
    int64_t from = shmring_clock();
    int error = end->many ? shmring_event_sleep(&end->messages, ticket, SHMRING_NEVER)
                          : shmring_wait_sleep(&end->waiter, ticket, SHMRING_NEVER);
    int64_t slept = shmring_clock() - from;
    bool woken = shmring_load32_acquire(&words->wakes) != ticket;
    bool there = end_recv(end, ret_number);
    int64_t net = slept - (run_delay() - delay);

    CHECK(error == 0 || error == -EINTR);
    if (!end->many)
        shmring_wait_disarm(&end->waiter);
    note_length(&tally->sleeps, slept, net);
    if (there && woken)
        shmring_add64_relaxed(&tally->pairs, 1);
    if (there && !woken && slept >= SHMRING_WAIT_CAP_NS &&
        shmring_load32_acquire(&tally->killed) == 0)
        shmring_add64_relaxed(&tally->lost, 1);
    return there;
}

static void on_signal(int signal)
{
    (void)signal;
}

static void start_storm(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct itimerval often = {.it_interval.tv_usec = STORM_US, .it_value.tv_usec = STORM_US};

    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
}

static void delay(uint64_t *seed)
{
    uint64_t cycles = test_random(seed) % (CYCLES_MAX >> test_random(seed) % 8);

    if (test_random(seed) % 2 == 0)
        for (uint64_t i = 0; i < cycles; i++)
            shmring_load64_relaxed(&tally->sleeps.longest);
}

/* Each on a processor of its own: on one, nothing races. */
static void go_to(int processor)
{
    cpu_set_t allowed, one;

    CHECK(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &allowed) && processor-- == 0)
            CPU_SET(i, &one);
    if (CPU_COUNT(&one) != 0)
        CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
}

/* Until it is killed. */
static _Noreturn void play(const struct ring rings[WAYS], bool begins, bool storm, uint64_t seed)
{
    static struct end out, in;
    uint64_t number = 0, got;

    go_to(begins);
    end_open(&out, &rings[begins ? 0 : 1], true);
    end_open(&in, &rings[begins ? 1 : 0], false);
    if (storm)
        start_storm();
    for (;; number++) {
        delay(&seed);
        if (begins)
            end_send(&out, number);
        delay(&seed); /* so that the wake races with the way to sleep */
        while (!end_recv(&in, &got) && !end_sleep(&in, &got))
            continue;
        CHECK_EQ(got, number);
        delay(&seed);
        if (!begins)
            end_send(&out, number);
    }
}

/* Sleeps for nothing, until it is killed. */
static _Noreturn void doze(void)
{
    for (;;) {
        int64_t delay = run_delay(), from = shmring_clock();

        nanosleep(&(struct timespec){.tv_nsec = (long)SHMRING_WAIT_CAP_NS}, NULL);
        int64_t slept = shmring_clock() - from;

        note_length(&tally->bare, slept, slept - (run_delay() - delay));
    }
}

static void say_lengths(const char *what, const struct lengths *lengths)
{
    printf(
        "%s: %llu, the longest %.1f ms, %llu longer than %.0f ms; less the time for which others "
        "ran: %.1f ms, %llu\n",
        what, (unsigned long long)shmring_load64_relaxed(&lengths->count),
        (double)shmring_load64_relaxed(&lengths->longest) / 1e6,
        (unsigned long long)shmring_load64_relaxed(&lengths->late), (double)LATE_NS / 1e6,
        (double)shmring_load64_relaxed(&lengths->longest_net) / 1e6,
        (unsigned long long)shmring_load64_relaxed(&lengths->late_net));
}

static void bury(pid_t pid)
{
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(check_wait(pid), -SIGKILL);
}

/* Two processes, for a while; then one is killed, and soon after that the other. */
static void live(uint64_t *seed, uint64_t number)
{
    static const enum shmring_backend backends[] = {SHMRING_BACKEND_FUTEX, SHMRING_BACKEND_SEM,
                                                    SHMRING_BACKEND_FUTEX, SHMRING_BACKEND_EVENTFD};
    struct ring rings[WAYS];
    bool many = number % 2 != 0, light = number / 2 % 2 != 0, storm = test_random(seed) % 4 == 0;
    int64_t time = (int64_t)(test_random(seed) % (uint64_t)LIFE_NS);
    pid_t pids[2];

    for (int i = 0; i < WAYS; i++)
        ring_make(&rings[i], many, light, backends[number / 4 % 4]);
    shmring_store32_release(&tally->killed, 0);
    for (int i = 0; i < 2; i++) {
        uint64_t own = test_random(seed);

        pids[i] = check_fork();
        if (pids[i] == 0)
            play(rings, i == 0, storm, own);
    }
    nanosleep(&(struct timespec){.tv_nsec = (long)time}, NULL);
    shmring_store32_release(&tally->killed, 1);
    unsigned first = test_random(seed) % 2;

    bury(pids[first]);
    bury(pids[1 - first]);
    for (int i = 0; i < WAYS; i++)
        ring_free(&rings[i]);
}

int main(int argc, char **argv)
{
    uint64_t seed = test_seed(argc, argv), pairs = 100000, lives = 0;
    int64_t until = SHMRING_NEVER;

    if (argc > 2 && argv[2][strlen(argv[2]) - 1] == 's')
        until = shmring_deadline(atoll(argv[2]) * 1000000000), pairs = UINT64_MAX;
    else if (argc > 2)
        pairs = strtoull(argv[2], NULL, 0);
    tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(tally != MAP_FAILED);
    pid_t dozer = check_fork();

    if (dozer == 0)
        doze();
    do
        live(&seed, lives++);
    while (lives < 16 ||
           (shmring_load64_relaxed(&tally->pairs) < pairs && shmring_clock() < until));
    bury(dozer);
    printf("%llu sleeps ended by a wake in %llu lives; %llu wakes lost\n",
           (unsigned long long)shmring_load64_relaxed(&tally->pairs), (unsigned long long)lives,
           (unsigned long long)shmring_load64_relaxed(&tally->lost));
    say_lengths("sleeps", &tally->sleeps);
    say_lengths("beside them", &tally->bare);
    CHECK_EQ(shmring_load64_relaxed(&tally->lost), 0);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Claim: who takes wakes from others, wakes them for nothing, or spoils what they sleep on, makes
 * them late by a sleep at most, each time: two processes send a message to and fro over each
 * backend, sleep for it, and lose none, while a third one futex     scribbles on the words, moves
 * sleepers to another one, and says that nobody sleeps eventfd   fills and empties the counter, or
 * makes it block and not block again (bell.h says why not both at once) sem       scribbles on the
 * value and on the number of sleepers (bell.h says why not on the rest); of a named one, removes
 * the name, too sysv sem  sets the value to anything; in the end removes the set: then -EIDRM, and
 * no hang
 *
 * usage: bells [SEED] [--scale SECONDS]     by default 3
 */
#include "calls.h"

#include "../backends.h"
#include "peer.h"
#include "summary.h"

#include <limits.h>
#include <linux/futex.h>
#include <semaphore.h>
#include <sys/sem.h>
#include <sys/syscall.h>

enum { CAPACITY = 4096, WAYS = 2, PAUSE_US_MAX = 64, SEMVMX = 32767 };

static backend_ring rings[WAYS]; /* there, and back */
static shmring_geometry geometry;
static uint64_t round_trips;

/* What the attacker has of one ring. */
struct prey {
    shmring_segment segment;
    struct shmring_role *roles[2];
    sem_t *named[2];
};

static void prey_open(struct prey *prey, const backend_ring *ring)
{
    static const char *const what[] = {"messages", "room"};
    char name[96];

    CHECK_EQ(backend_has_name(ring->backend)
                 ? shmring_segment_open(&prey->segment, ring->name, NULL, &geometry)
                 : shmring_segment_open_fd(&prey->segment, ring->fds.segment, NULL, &geometry),
             0);
    uint8_t *base = prey->segment.base;

    prey->roles[0] = (void *)(base + geometry.producer_offset);
    prey->roles[1] = (void *)(base + geometry.consumer_offset);
    for (int i = 0; i < 2 && ring->backend == SHMRING_BACKEND_NAMED_SEM; i++) {
        snprintf(name, sizeof name, "/%s.%s", ring->name, what[i]);
        prey->named[i] = sem_open(name, 0);
        CHECK(prey->named[i] != SEM_FAILED);
    }
}

static void spoil_futex(struct shmring_role *role, struct shmring_role *other, uint64_t random)
{
    if (random % 2 == 0)
        shmring_store32_relaxed(&role->bell.wakes, (uint32_t)(random >> 32));
    if (random % 4 == 1)
        shmring_store64_relaxed(&role->wake_at, 0);
    if (random % 8 == 3)
        syscall(SYS_futex, &role->bell.wakes, FUTEX_REQUEUE, 0, (void *)(uintptr_t)INT_MAX,
                &other->pid, 0);
    if (random % 8 == 7)
        syscall(SYS_futex, &role->bell.wakes, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void spoil_eventfd(int fd, bool blocks, uint64_t random)
{
    uint64_t count = random >> 32 & 1 ? UINT64_MAX - 1 : random >> 33 & 3;

    if (blocks)
        CHECK(fcntl(fd, F_SETFL, random & 1 ? 0 : O_NONBLOCK) == 0);
    else if (random & 1)
        CHECK(write(fd, &count, sizeof count) > 0 || errno == EAGAIN);
    else
        CHECK(read(fd, &count, sizeof count) > 0 || errno == EAGAIN);
}

/* The first eight bytes: on a long of 64 bits these are the value and the sleepers. */
static void spoil_sem(void *semaphore, uint64_t random)
{
    shmring_word64 *state = semaphore;

    shmring_store64_relaxed(state, random % 4 == 0 ? random : random % 4 == 1 ? 0 : random >> 62);
}

static void spoil(const struct prey *prey, const backend_ring *ring, bool variant, uint64_t random)
{
    unsigned which = random & 1;
    struct shmring_role *role = prey->roles[which];

    random >>= 1;
    switch (ring->backend) {
    case SHMRING_BACKEND_EVENTFD:
        spoil_eventfd(ring->fds.bells[which], variant, random);
        break;
    case SHMRING_BACKEND_SEM:
        spoil_sem(role->bell.semaphore, random);
        break;
    case SHMRING_BACKEND_NAMED_SEM:
        spoil_sem(prey->named[which], random);
        break;
    case SHMRING_BACKEND_SYSV_SEM:
        semctl((int)shmring_load32_relaxed(&role->bell.sysv_id), 0, SETVAL,
               (int)(random >> 8 & 1 ? random >> 32 & SEMVMX : 0));
        break;
    default:
        spoil_futex(role, prey->roles[1 - which], random);
    }
    shmring_add64_relaxed(&scribbles->stores, 1);
}

/* Until it is killed. The words of a futex it spoils without a rest, for they do not mind. */
static _Noreturn void attack(bool variant, uint64_t seed)
{
    struct prey prey[WAYS];

    for (int i = 0; i < WAYS; i++)
        prey_open(&prey[i], &rings[i]);
    if (variant && rings[0].backend == SHMRING_BACKEND_NAMED_SEM)
        for (int i = 0; i < WAYS; i++)
            shmring_channel_unlink(rings[i].name, NULL);
    for (;;) {
        uint64_t random = test_random(&seed);

        spoil(&prey[random & 1], &rings[random & 1], variant, random >> 1);
        if (random >> 40 & 1)
            usleep(random >> 41 & (PAUSE_US_MAX - 1));
    }
}

/* -EIDRM, where a set was removed, is for good. */
static bool is_removed(int error)
{
    CHECK_EQ(rings[0].backend == SHMRING_BACKEND_SYSV_SEM && error == -EIDRM ? 0 : error, 0);
    return error != 0;
}

static _Noreturn void echo(void)
{
    shmring_receiver in;
    shmring_sender out;
    uint64_t number;

    CHECK_EQ(backend_receiver_open(&in, &rings[0], NULL), 0);
    CHECK_EQ(backend_sender_open(&out, &rings[1], NULL), 0);
    for (;;) {
        if (is_removed(shmring_receiver_recv(&in, &number, 8, NULL, NULL, SHMRING_NEVER)))
            pause(); /* for the end, which the other one must not see before its own */
        CHECK_EQ(shmring_sender_send(&out, &number, sizeof number, 0, SHMRING_NEVER), 0);
    }
}

/* One message, there and back. False: the set was removed. */
static bool make_round_trip(shmring_sender *out, shmring_receiver *in)
{
    uint64_t number;

    call_begin("send", SHMRING_NOW);
    int error = call_end(shmring_sender_send(out, &round_trips, 8, 0, SHMRING_NEVER));

    if (is_removed(error))
        return false;
    call_begin("recv", SHMRING_NOW);
    error = call_end(shmring_receiver_recv(in, &number, 8, NULL, NULL, SHMRING_NEVER));
    if (is_removed(error))
        return false;
    CHECK_EQ(number, round_trips);
    round_trips++;
    return true;
}

static void remove_sets(void)
{
    struct prey prey;

    for (int i = 0; i < WAYS; i++) {
        prey_open(&prey, &rings[i]);
        for (int k = 0; k < 2; k++)
            CHECK(semctl((int)shmring_load32_relaxed(&prey.roles[k]->bell.sysv_id), 0, IPC_RMID) ==
                  0);
        shmring_segment_close(&prey.segment);
    }
}

static void suffer(enum shmring_backend backend, bool variant, uint64_t seed, int64_t until)
{
    const shmring_channel_options options = {.capacity = CAPACITY};
    shmring_sender out;
    shmring_receiver in;

    for (int i = 0; i < WAYS; i++)
        CHECK_EQ(backend_ring_create(&rings[i], backend, false, options), 0);
    CHECK_EQ(backend_sender_open(&out, &rings[0], NULL), 0);
    CHECK_EQ(backend_receiver_open(&in, &rings[1], NULL), 0);
    pid_t partner = check_fork();

    if (partner == 0)
        echo();
    CHECK(make_round_trip(&out, &in)); /* all have opened what may be removed */
    pid_t attacker = check_fork();

    if (attacker == 0)
        attack(variant, seed);
    while (shmring_clock() < until) {
        CHECK(make_round_trip(&out, &in));
        neighbour_turn();
    }
    CHECK(kill(attacker, SIGKILL) == 0);
    CHECK_EQ(check_wait(attacker), -SIGKILL);
    if (backend == SHMRING_BACKEND_SYSV_SEM) {
        int64_t hang = shmring_deadline(PEER_HANG_NS);

        remove_sets();
        while (make_round_trip(&out, &in)) /* who does not sleep does not notice */
            CHECK(shmring_clock() < hang);
    }
    CHECK(kill(partner, SIGKILL) == 0);
    CHECK_EQ(check_wait(partner), -SIGKILL);
    shmring_sender_close(&out);
    shmring_receiver_close(&in);
    for (int i = 0; i < WAYS; i++)
        backend_ring_remove(&rings[i]);
}

static void run(uint64_t seed, int64_t time)
{
    static const struct {
        enum shmring_backend backend;
        bool variant;
    } all[] = {
        {SHMRING_BACKEND_FUTEX, false},     {SHMRING_BACKEND_EVENTFD, false},
        {SHMRING_BACKEND_EVENTFD, true},    {SHMRING_BACKEND_SEM, false},
        {SHMRING_BACKEND_NAMED_SEM, false}, {SHMRING_BACKEND_NAMED_SEM, true},
        {SHMRING_BACKEND_SYSV_SEM, false},
    };
    const int64_t count = sizeof all / sizeof *all;

    neighbour_start();
    calls_begin();
    for (int64_t i = 0; i < count; i++) {
        uint64_t before = round_trips, ring_seed = test_random(&seed);

        if (sizeof(long) != 8 &&
            (all[i].backend == SHMRING_BACKEND_SEM || all[i].backend == SHMRING_BACKEND_NAMED_SEM))
            continue; /* a semaphore has another shape there */
        suffer(all[i].backend, all[i].variant, ring_seed, shmring_deadline(time / count));
        printf("%s: %llu round trips\n", backend_name(all[i].backend),
               (unsigned long long)(round_trips - before));
    }
    neighbour_end();
    summary_end();
}

int main(int argc, char **argv)
{
    int64_t time = peer_time(&argc, argv, 3);
    uint64_t seed = test_seed(argc, argv);

    summary_begin();
    pid_t child = check_fork();

    if (child == 0) {
        run(seed, time);
        fflush(NULL);
        _exit(0);
    }
    int status = check_wait(child);

    backend_rings_remove_of(child); /* however it ended */
    return status != 0;
}

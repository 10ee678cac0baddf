/* SPDX-License-Identifier: MIT */
/*
 * Claim: who sleeps on a queue is woken for all that there is, by somebody, always. Senders and
 * receivers that all sleep, in a ring of few slots, work for a random time with each message;
 * sleeps do not end by themselves in this build, so one wake that is lost, or one baton that is
 * dropped, is a hang as soon as the others have nothing more to do. In rounds, each of which needs
 * everybody: a receiver that takes one message of a round waits until all of the round are taken.
 *
 * usage: queue_threads [SEED [ROUNDS]]
 */
#include "../messages.h"

#include <pthread.h>
#include <time.h>

enum {
    MEMBERS = 3, /* of each kind */
    SLOTS = 4,
    WORK_MAX = 3000,
};

static shmring_channel_fds fds;
static enum shmring_wait_policy policy;
static uint64_t rounds, seed;
static shmring_word32 taken; /* of this round and all before */

static void work(uint64_t *own)
{
    uint64_t steps = test_random(own) % WORK_MAX;

    for (uint64_t i = 0; i < steps; i++)
        shmring_load32_relaxed(&taken);
}

static void *send_all(void *opaque)
{
    shmring_channel_options options = {.size = sizeof options, .wait = policy};
    uint64_t own = seed + (uintptr_t)opaque;
    shmring_queue_sender sender;

    CHECK_EQ(shmring_queue_sender_open_fds(&sender, &fds, &options), 0);
    for (uint64_t round = 0; round < rounds; round++) {
        work(&own);
        CHECK_EQ(shmring_queue_send(&sender, &round, sizeof round, 1, SHMRING_NEVER), 0);
    }
    shmring_queue_sender_close(&sender);
    return opaque;
}

/* With a message in hand it waits, without receiving, for as many as there are receivers: so each
 * message has to wake another one. */
static void *receive_all(void *opaque)
{
    shmring_channel_options options = {.size = sizeof options, .wait = policy};
    uint64_t own = ~seed + (uintptr_t)opaque, got;
    shmring_queue_receiver receiver;
    shmring_mpmc_slot slot;

    CHECK_EQ(shmring_queue_receiver_open_fds(&receiver, &fds, &options), 0);
    for (uint64_t round = 1; round <= rounds; round++) {
        CHECK_EQ(shmring_queue_recv(&receiver, &got, sizeof got, &slot, SHMRING_NEVER), 0);
        work(&own);
        shmring_add32_release(&taken, 1);
        while (shmring_load32_acquire(&taken) < round * MEMBERS)
            nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
    }
    shmring_queue_receiver_close(&receiver);
    return opaque;
}

static void run(enum shmring_backend backend, enum shmring_fence fence)
{
    shmring_channel_options options = {.size = sizeof options, .capacity = SLOTS, .slot_size = 8,
                                       .backend = backend, .fence = fence};
    pthread_t threads[2 * MEMBERS];

    CHECK_EQ(shmring_queue_create_fds(&fds, &options), 0);
    shmring_store32_relaxed(&taken, 0);
    for (uintptr_t i = 0; i < 2 * MEMBERS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, i % 2 == 0 ? send_all : receive_all, (void *)i),
                 0);
    for (int i = 0; i < 2 * MEMBERS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    shmring_channel_close_fds(&fds);
}

int main(int argc, char **argv)
{
    static const enum shmring_backend backends[] = {SHMRING_BACKEND_FUTEX, SHMRING_BACKEND_EVENTFD,
                                                    SHMRING_BACKEND_SEM};

    seed = test_seed(argc, argv);
    rounds = argc > 2 ? strtoull(argv[2], NULL, 0) : 2000;
    alarm(110); /* a lost wake */
    for (int i = 0; i < 3; i++)
        for (int fence = SHMRING_FENCE_SYMMETRIC; fence <= SHMRING_FENCE_LIGHT; fence++) {
            policy = i == 0 ? SHMRING_WAIT_BLOCK : SHMRING_WAIT_ADAPTIVE;
            run(backends[i], (enum shmring_fence)fence);
            policy = SHMRING_WAIT_BLOCK;
            run(backends[i], (enum shmring_fence)fence);
        }
    return 0;
}

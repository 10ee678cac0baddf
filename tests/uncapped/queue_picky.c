/* SPDX-License-Identifier: MIT */
/*
 * Claim: receivers that choose are woken for what they wait for, though one that waits for
 * something else may be woken before them: with each backend. Two receivers, of a type each; the
 * sender sends one message at a time, of either type, and waits until it was received. Sleeps do
 * not end by themselves in this build: a wake that goes to the wrong one is a hang.
 *
 * usage: queue_picky [SEED [MESSAGES]]
 */
#include "../messages.h"

#include "../backends.h"
#include <pthread.h>
#include <sched.h>

enum {
    TYPES = 2,
    WORK_MAX = 3000,
};

static backend_ring ring;
static uint64_t messages, seed;
static shmring_word32 received;

static void work(uint64_t *own)
{
    uint64_t steps = test_random(own) % (WORK_MAX >> test_random(own) % 12) + 1;

    for (uint64_t i = 0; i < steps; i++)
        shmring_load32_relaxed(&received);
}

static void *receive_type(void *opaque)
{
    uint32_t type = (uint32_t)(uintptr_t)opaque;
    shmring_queue_receiver receiver;
    shmring_mpmc_slot slot;
    uint8_t is_last = 0;

    CHECK_EQ(backend_queue_receiver_open(&receiver, &ring, NULL), 0);
    while (is_last == 0) {
        CHECK_EQ(shmring_queue_take_by(&receiver, SHMRING_TAKE_EQUAL, type, SHMRING_NEVER, &slot),
                 0);
        is_last = *(const uint8_t *)slot.data;
        CHECK_EQ(shmring_queue_release(&receiver, &slot), 0);
        shmring_add32_release(&received, 1);
    }
    shmring_queue_receiver_close(&receiver);
    return opaque;
}

static void send(shmring_queue_sender *sender, uint32_t type, bool is_last)
{
    uint32_t before = shmring_load32_acquire(&received);
    uint8_t byte = is_last;

    CHECK_EQ(shmring_queue_send(sender, &byte, 1, type, SHMRING_NEVER), 0);
    while (shmring_load32_acquire(&received) == before)
        sched_yield();
}

static void run(enum shmring_backend backend)
{
    shmring_channel_options options = {.capacity = 4, .slot_size = 8};
    pthread_t threads[TYPES];
    shmring_queue_sender sender;

    CHECK_EQ(backend_ring_create(&ring, backend, true, options), 0);
    CHECK_EQ(backend_queue_sender_open(&sender, &ring, NULL), 0);
    for (uintptr_t type = 0; type < TYPES; type++)
        CHECK_EQ(pthread_create(&threads[type], NULL, receive_type, (void *)type), 0);
    for (uint64_t i = 0; i < messages; i++) {
        work(&seed);
        send(&sender, (uint32_t)(test_random(&seed) % TYPES), false);
    }
    for (uint32_t type = 0; type < TYPES; type++)
        send(&sender, type, true);
    for (int type = 0; type < TYPES; type++)
        CHECK_EQ(pthread_join(threads[type], NULL), 0);
    shmring_queue_sender_close(&sender);
    backend_ring_remove(&ring);
}

static void on_alarm(int signal)
{
    (void)signal;
    backend_ring_remove(&ring); /* not safe in a handler, and better than what would be left */
    check_failed(__FILE__, __LINE__, backend_name(ring.backend));
}

int main(int argc, char **argv)
{
    seed = test_seed(argc, argv);
    messages = argc > 2 ? strtoull(argv[2], NULL, 0) : 2000;
    CHECK(signal(SIGALRM, on_alarm) != SIG_ERR);
    alarm(110); /* a lost wake */
    for (int i = 0; i < SHMRING_BACKENDS; i++)
        run((enum shmring_backend)i);
    return 0;
}

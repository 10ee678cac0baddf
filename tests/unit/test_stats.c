/* SPDX-License-Identifier: MIT */
/* What the handles of channels and queues count. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <shmring/shmring.h>
#include <string.h>
#include <time.h>

enum {
    CAPACITY = 4096,
    SLOTS = 4,
    MESSAGE = 2040, /* two of them fill the channel */
};

static shmring_channel_fds channel_fds, queue_fds;
static shmring_sender tx;
static shmring_receiver rx;
static shmring_queue_sender queue_tx;
static shmring_queue_receiver queue_rx;

static void set_up(void)
{
    shmring_channel_options of_channel = {.size = sizeof of_channel, .capacity = CAPACITY};
    shmring_channel_options of_queue = {.size = sizeof of_queue, .capacity = SLOTS, .slot_size = 8};

    cr_assert_eq(shmring_channel_create_fds(&channel_fds, &of_channel), 0);
    cr_assert_eq(shmring_queue_create_fds(&queue_fds, &of_queue), 0);
    cr_assert_eq(shmring_sender_open_fds(&tx, &channel_fds, NULL), 0);
    cr_assert_eq(shmring_receiver_open_fds(&rx, &channel_fds, NULL), 0);
    cr_assert_eq(shmring_queue_sender_open_fds(&queue_tx, &queue_fds, NULL), 0);
    cr_assert_eq(shmring_queue_receiver_open_fds(&queue_rx, &queue_fds, NULL), 0);
}

static void tear_down(void)
{
    shmring_sender_close(&tx);
    shmring_receiver_close(&rx);
    shmring_queue_sender_close(&queue_tx);
    shmring_queue_receiver_close(&queue_rx);
    shmring_channel_close_fds(&channel_fds);
    shmring_channel_close_fds(&queue_fds);
}

TestSuite(stats, .init = set_up, .fini = tear_down, .timeout = 60);

static shmring_stats of_sender(void)
{
    shmring_stats stats;

    shmring_sender_stats(&tx, &stats);
    return stats;
}

static shmring_stats of_receiver(void)
{
    shmring_stats stats;

    shmring_receiver_stats(&rx, &stats);
    return stats;
}

static shmring_stats of_queue_sender(void)
{
    shmring_stats stats;

    shmring_queue_sender_stats(&queue_tx, &stats);
    return stats;
}

static shmring_stats of_queue_receiver(void)
{
    shmring_stats stats;

    shmring_queue_receiver_stats(&queue_rx, &stats);
    return stats;
}

static void expect_zero(const shmring_stats *stats)
{
    shmring_stats zero;

    memset(&zero, 0, sizeof zero);
    cr_expect(stats->messages == 0 && stats->used_guess == 0 && stats->capacity == 0 &&
              stats->sleeps == 0 && stats->wakes == 0);
}

static void send_small(void)
{
    cr_assert_eq(shmring_sender_send(&tx, "x", 1, 0, SHMRING_NOW), 0);
}

static int receive(int64_t deadline)
{
    char buffer[MESSAGE];

    return shmring_receiver_recv(&rx, buffer, sizeof buffer, NULL, NULL, deadline);
}

Test(stats, a_channel_counts_messages_and_the_bytes_that_they_use)
{
    send_small();
    send_small();
    cr_expect_eq(of_sender().messages, 2);
    cr_expect_eq(of_sender().used_guess, 2 * 16);
    cr_expect_eq(of_sender().capacity, CAPACITY);
    cr_expect_eq(of_receiver().messages, 0);
    cr_expect_eq(of_receiver().used_guess, 2 * 16);
    cr_expect_eq(receive(SHMRING_NOW), 0);
    cr_expect_eq(of_receiver().messages, 1);
    cr_expect_eq(of_receiver().used_guess, 2 * 16, "what is not given back yet is in it");
    shmring_receiver_flush(&rx);
    cr_expect_eq(of_receiver().used_guess, 16);
    cr_expect_eq(of_receiver().capacity, CAPACITY);
}

Test(stats, a_failed_call_counts_nothing)
{
    static char message[CAPACITY];
    void *place;

    cr_expect_eq(receive(SHMRING_NOW), -ETIMEDOUT);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(shmring_sender_send(&tx, message, MESSAGE, 0, SHMRING_NOW), 0);
    cr_expect_eq(shmring_sender_send(&tx, message, 1, 0, SHMRING_NOW), -ETIMEDOUT);
    cr_expect_eq(shmring_sender_send(&tx, message, CAPACITY, 0, SHMRING_NOW), -EMSGSIZE);
    cr_expect_eq(shmring_receiver_recv(&rx, message, 1, NULL, NULL, SHMRING_NOW), -EMSGSIZE);
    cr_expect_eq(of_sender().messages, 2);
    cr_expect_eq(of_receiver().messages, 0);
    cr_expect_eq(receive(SHMRING_NOW), 0);
    shmring_receiver_release(&rx);
    cr_expect_eq(of_receiver().messages, 1, "nothing was peeked");
    cr_expect_eq(shmring_sender_reserve(&tx, 8, SHMRING_NOW, &place), 0);
    cr_expect_not(shmring_sender_commit(&tx, 9999, 0));
    cr_expect_eq(of_sender().messages, 2, "what is reserved is not sent");
}

Test(stats, a_handle_counts_from_its_open_and_nothing_when_closed)
{
    shmring_stats stats;

    send_small();
    cr_expect_eq(receive(SHMRING_NOW), 0);
    shmring_sender_close(&tx);
    shmring_receiver_close(&rx);
    stats = of_sender();
    expect_zero(&stats);
    stats = of_receiver();
    expect_zero(&stats);
    cr_assert_eq(shmring_sender_open_fds(&tx, &channel_fds, NULL), 0);
    cr_assert_eq(shmring_receiver_open_fds(&rx, &channel_fds, NULL), 0);
    send_small();
    cr_expect_eq(of_sender().messages, 1);
    cr_expect_eq(of_receiver().messages, 0);
    shmring_queue_sender_close(&queue_tx);
    shmring_queue_receiver_close(&queue_rx);
    stats = of_queue_sender();
    expect_zero(&stats);
    stats = of_queue_receiver();
    expect_zero(&stats);
}

Test(stats, a_queue_counts_messages)
{
    shmring_mpmc_slot slot, kept;
    char byte;

    cr_assert_eq(shmring_queue_send(&queue_tx, "x", 1, 0, SHMRING_NOW), 0);
    cr_assert_eq(shmring_queue_claim(&queue_tx, SHMRING_NOW, &slot), 0);
    cr_expect_eq(of_queue_sender().messages, 1, "what is claimed is not sent");
    cr_expect_eq(shmring_queue_commit(&queue_tx, &slot, 9, 0), -EMSGSIZE);
    cr_assert_eq(shmring_queue_commit(&queue_tx, &slot, 8, 0), 0);
    cr_assert_eq(shmring_queue_claim(&queue_tx, SHMRING_NOW, &slot), 0);
    cr_assert_eq(shmring_queue_abort(&queue_tx, &slot), 0);
    cr_expect_eq(of_queue_sender().messages, 2);
    cr_expect_eq(of_queue_sender().capacity, SLOTS);
    cr_expect_eq(of_queue_receiver().used_guess, 2);
    cr_assert_eq(shmring_queue_take(&queue_rx, SHMRING_NOW, &kept), 0);
    cr_expect_eq(shmring_queue_recv(&queue_rx, &byte, 1, &slot, SHMRING_NOW), -EMSGSIZE);
    cr_expect_eq(of_queue_receiver().messages, 1);
    cr_expect_eq(of_queue_receiver().used_guess, 1);
    cr_expect_eq(of_queue_receiver().capacity, SLOTS);
}

static void let_it_sleep(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

static void *send_both(void *unused)
{
    (void)unused;
    let_it_sleep();
    cr_assert_eq(shmring_sender_send(&tx, "x", 1, 0, SHMRING_NEVER), 0);
    let_it_sleep();
    cr_assert_eq(shmring_queue_send(&queue_tx, "x", 1, 0, SHMRING_NEVER), 0);
    return NULL;
}

/* Each sleep ends by its wake, or by none if the other was late: then there are more sleeps. */
Test(stats, sleeps_and_wakes_are_counted)
{
    shmring_mpmc_slot slot;
    pthread_t thread;
    char byte;

    cr_expect_eq(of_sender().wakes + of_receiver().sleeps, 0);
    cr_assert_eq(pthread_create(&thread, NULL, send_both, NULL), 0);
    cr_expect_eq(receive(SHMRING_NEVER), 0);
    cr_expect_eq(shmring_queue_recv(&queue_rx, &byte, 1, &slot, SHMRING_NEVER), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_expect_geq(of_receiver().sleeps, 1);
    cr_expect_leq(of_sender().wakes, 1);
    cr_expect_geq(of_queue_receiver().sleeps, 1);
    cr_expect_eq(of_receiver().wakes + of_sender().sleeps + of_queue_sender().sleeps, 0);
    /* The same without a second thread, and so for certain. */
    uint64_t wakes = of_sender().wakes, queue_wakes = of_queue_sender().wakes;

    shmring_wait_arm(&rx.waiter, rx.consumer.read_pos + 1);
    send_small();
    send_small();
    cr_expect_eq(of_sender().wakes, wakes + 1, "once per sleep");
    shmring_event_arm(&queue_rx.messages, SHMRING_EVENT_ANY);
    cr_assert_eq(shmring_queue_send(&queue_tx, "x", 1, 0, SHMRING_NOW), 0);
    cr_assert_eq(shmring_queue_send(&queue_tx, "x", 1, 0, SHMRING_NOW), 0);
    cr_expect_eq(of_queue_sender().wakes, queue_wakes + 1);
}

/* SPDX-License-Identifier: MIT */
/* Receivers of a queue that are woken for many messages at once, or that poll a descriptor. */
#define _GNU_SOURCE
#include "queue_ring.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>

TestSuite(queue_gather, .fini = clean_up, .timeout = 100);

static void *send_eight(void *argument)
{
    (void)argument;
    for (int i = 0; i < 8; i++) {
        if (i < 2)
            let_them_sleep();
        cr_assert_eq(shmring_queue_send(&tx, "", 0, 0, SHMRING_NEVER), 0);
    }
    return NULL;
}

/* Are all there when it has the first, with a ring for the first, one for the eighth, and one for
 * the baton? */
static bool gathers_eight(void)
{
    uint32_t wakes = shmring_load32_relaxed(&rx.messages.event->bell.wakes);
    shmring_mpmc_slot slot;
    pthread_t thread;
    int count = 1;

    cr_assert_eq(pthread_create(&thread, NULL, send_eight, NULL), 0);
    cr_assert_eq(shmring_queue_recv(&rx, NULL, 0, &slot, SHMRING_NEVER), 0);
    while (shmring_queue_recv(&rx, NULL, 0, &slot, SHMRING_NOW) == 0)
        count++;
    bool is_whole = count == 8;

    for (; count < 8; count++)
        cr_assert_eq(shmring_queue_recv(&rx, NULL, 0, &slot, SHMRING_NEVER), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    return is_whole && shmring_load32_relaxed(&rx.messages.event->bell.wakes) - wakes <= 3;
}

/* Several times, because the sender may be late for another reason. */
Test(queue_gather, a_receiver_that_gathers_is_woken_once_for_many)
{
    shmring_channel_options options = {
        .size = sizeof options, .gather_count = 8, .gather_ns = SHMRING_GATHER_NS_MAX};
    bool gathered = false;

    open_ring(SHMRING_BACKEND_FUTEX, 64);
    shmring_queue_receiver_close(&rx);
    cr_assert_eq(backend_queue_receiver_open(&rx, &ring, &options), 0);
    for (int i = 0; i < 5; i++)
        gathered |= gathers_eight();
    cr_expect(gathered);
    close_ring();
}

static bool is_readable(int fd, int timeout)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    return poll(&one, 1, timeout) == 1 && (one.revents & POLLIN) != 0;
}

Test(queue_gather, its_descriptor_is_readable_until_a_call_found_nothing)
{
    shmring_mpmc_slot slot;

    open_ring(SHMRING_BACKEND_EVENTFD, SLOTS);
    int fd = shmring_queue_receiver_fd(&rx);

    cr_assert_geq(fd, 0);
    for (int i = 0; i < 10; i++) {
        cr_expect_eq(shmring_queue_take(&rx, SHMRING_NOW, &slot), -ETIMEDOUT);
        cr_expect_not(is_readable(fd, 0));
        cr_expect_eq(shmring_queue_send(&tx, "", 0, 0, SHMRING_NOW), 0);
        cr_expect_eq(shmring_queue_send(&tx, "", 0, 0, SHMRING_NOW), 0);
        for (int j = 0; j < 2; j++) {
            cr_expect(is_readable(fd, -1));
            cr_expect_eq(shmring_queue_recv(&rx, NULL, 0, &slot, SHMRING_NOW), 0);
        }
    }
    cr_expect_eq(shmring_queue_take(&rx, SHMRING_NOW, &slot), -ETIMEDOUT);
    die_as(true);
    for (int i = 0; i < 600; i++) /* one of them buries it, and rings */
        cr_expect_eq(shmring_queue_take(&rx, SHMRING_NOW, &slot), -ETIMEDOUT);
    cr_expect_not(is_readable(fd, 0), "a death that was seen is no news");
    shmring_queue_sender_close(&tx);
    cr_expect(is_readable(fd, -1), "an end");
    cr_expect_eq(shmring_queue_take(&rx, SHMRING_NOW, &slot), -EOWNERDEAD);
    close_ring();
    open_ring(SHMRING_BACKEND_FUTEX, SLOTS);
    cr_expect_eq(shmring_queue_receiver_fd(&rx), -EOPNOTSUPP);
    close_ring();
}

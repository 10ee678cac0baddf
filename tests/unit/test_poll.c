/* SPDX-License-Identifier: MIT */
/* Waiting for any of several rings. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <shmring/shmring.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int64_t HANG_NS = 20000000000;

/* A channel and a queue without names, both ends in this process. */
typedef struct rings {
    shmring_channel_fds channel_fds, queue_fds;
    shmring_sender sender;
    shmring_receiver receiver;
    shmring_queue_sender queue_sender;
    shmring_queue_receiver queue_receiver;
    shmring_poll_item items[2];
} rings;

static void rings_open(rings *all, enum shmring_backend channel, enum shmring_backend queue)
{
    shmring_channel_options of_channel = {.size = sizeof of_channel, .backend = channel};
    shmring_channel_options of_queue = {.size = sizeof of_queue, .backend = queue};

    memset(all, 0, sizeof *all);
    cr_assert_eq(shmring_channel_create_fds(&all->channel_fds, &of_channel), 0);
    cr_assert_eq(shmring_queue_create_fds(&all->queue_fds, &of_queue), 0);
    cr_assert_eq(shmring_sender_open_fds(&all->sender, &all->channel_fds, NULL), 0);
    cr_assert_eq(shmring_receiver_open_fds(&all->receiver, &all->channel_fds, NULL), 0);
    cr_assert_eq(shmring_queue_sender_open_fds(&all->queue_sender, &all->queue_fds, NULL), 0);
    cr_assert_eq(shmring_queue_receiver_open_fds(&all->queue_receiver, &all->queue_fds, NULL), 0);
    all->items[0].channel = &all->receiver;
    all->items[1].queue = &all->queue_receiver;
}

static void rings_close(rings *all)
{
    shmring_sender_close(&all->sender);
    shmring_receiver_close(&all->receiver);
    shmring_queue_sender_close(&all->queue_sender);
    shmring_queue_receiver_close(&all->queue_receiver);
    shmring_channel_close_fds(&all->channel_fds);
    shmring_channel_close_fds(&all->queue_fds);
}

static void expect_ready(rings *all, int64_t deadline, bool channel, bool queue)
{
    int want = channel + queue;

    cr_expect_eq(shmring_poll(all->items, 2, deadline), want != 0 ? want : -ETIMEDOUT);
    if (want != 0) {
        cr_expect_eq(all->items[0].is_ready, channel);
        cr_expect_eq(all->items[1].is_ready, queue);
    }
}

static void drain(rings *all)
{
    shmring_mpmc_slot slot;
    char byte;

    while (shmring_receiver_recv(&all->receiver, &byte, 1, NULL, NULL, SHMRING_NOW) == 0)
        continue;
    while (shmring_queue_recv(&all->queue_receiver, &byte, 1, &slot, SHMRING_NOW) == 0)
        continue;
}

static void send_channel(rings *all)
{
    cr_expect_eq(shmring_sender_send(&all->sender, "", 1, 0, SHMRING_NOW), 0);
}

static void send_queue(rings *all)
{
    cr_expect_eq(shmring_queue_send(&all->queue_sender, "", 1, 0, SHMRING_NOW), 0);
}

Test(poll, tells_which_are_ready_for_as_long_as_they_are)
{
    rings all;

    rings_open(&all, SHMRING_BACKEND_FUTEX, SHMRING_BACKEND_FUTEX);
    expect_ready(&all, SHMRING_NOW, false, false);
    expect_ready(&all, -1, false, false);
    expect_ready(&all, shmring_deadline(1000000), false, false);
    send_channel(&all);
    expect_ready(&all, SHMRING_NOW, true, false);
    expect_ready(&all, SHMRING_NEVER, true, false);
    send_queue(&all);
    expect_ready(&all, SHMRING_NEVER, true, true);
    drain(&all);
    expect_ready(&all, SHMRING_NOW, false, false);
    rings_close(&all);
}

Test(poll, ends_and_cancels_are_something_to_say)
{
    shmring_mpmc_slot slot;
    rings all;
    char byte;

    rings_open(&all, SHMRING_BACKEND_FUTEX, SHMRING_BACKEND_FUTEX);
    shmring_sender_close(&all.sender);
    expect_ready(&all, SHMRING_NEVER, true, false);
    cr_expect_eq(shmring_receiver_recv(&all.receiver, &byte, 1, NULL, NULL, SHMRING_NOW), -EPIPE);
    expect_ready(&all, SHMRING_NOW, false, false);
    shmring_queue_sender_close(&all.queue_sender);
    expect_ready(&all, SHMRING_NEVER, false, true);
    cr_expect_eq(shmring_queue_recv(&all.queue_receiver, &byte, 1, &slot, SHMRING_NOW), -EPIPE);
    expect_ready(&all, SHMRING_NOW, false, false);
    shmring_receiver_cancel(&all.receiver);
    expect_ready(&all, SHMRING_NEVER, true, false);
    shmring_receiver_resume(&all.receiver);
    shmring_queue_receiver_cancel(&all.queue_receiver);
    expect_ready(&all, SHMRING_NEVER, false, true);
    rings_close(&all);
}

Test(poll, wrong_items_are_refused)
{
    rings all;

    rings_open(&all, SHMRING_BACKEND_FUTEX, SHMRING_BACKEND_FUTEX);
    cr_expect_eq(shmring_poll(all.items, 0, SHMRING_NOW), -EINVAL);
    cr_expect_eq(shmring_poll(all.items, SHMRING_POLL_MAX + 1, SHMRING_NOW), -EINVAL);
    all.items[0].queue = &all.queue_receiver;
    cr_expect_eq(shmring_poll(all.items, 2, SHMRING_NOW), -EINVAL, "both");
    all.items[0] = (shmring_poll_item){0};
    cr_expect_eq(shmring_poll(all.items, 2, SHMRING_NOW), -EINVAL, "none");
    rings_close(&all);
}

static void *send_later(void *opaque)
{
    rings *all = opaque;

    for (int i = 0; i < 50; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        if (i % 2 == 0)
            send_channel(all);
        else
            send_queue(all);
    }
    return NULL;
}

/* A wake that is lost is made good at the cap: only many in a row are a hang. */
static void sleep_for_each(enum shmring_backend channel, enum shmring_backend queue)
{
    int64_t late = shmring_deadline(HANG_NS);
    int got = 0;
    pthread_t thread;
    rings all;

    rings_open(&all, channel, queue);
    cr_assert_eq(pthread_create(&thread, NULL, send_later, &all), 0);
    while (got < 50) {
        shmring_mpmc_slot slot;
        char byte;

        cr_assert_gt(shmring_poll(all.items, 2, late), 0, "after %d", got);
        if (all.items[0].is_ready)
            got += shmring_receiver_recv(&all.receiver, &byte, 1, NULL, NULL, SHMRING_NOW) == 0;
        if (all.items[1].is_ready)
            got += shmring_queue_recv(&all.queue_receiver, &byte, 1, &slot, SHMRING_NOW) == 0;
    }
    pthread_join(thread, NULL);
    rings_close(&all);
}

Test(poll, sleeps_and_is_woken_by_each_whatever_the_backends)
{
    sleep_for_each(SHMRING_BACKEND_FUTEX, SHMRING_BACKEND_FUTEX);
    sleep_for_each(SHMRING_BACKEND_EVENTFD, SHMRING_BACKEND_EVENTFD);
    sleep_for_each(SHMRING_BACKEND_FUTEX, SHMRING_BACKEND_EVENTFD);
    sleep_for_each(SHMRING_BACKEND_SEM, SHMRING_BACKEND_SEM);
}

Test(poll, a_death_is_noticed_and_told_by_the_next_call)
{
    shmring_mpmc_slot slot;
    rings all;
    char byte;

    rings_open(&all, SHMRING_BACKEND_FUTEX, SHMRING_BACKEND_FUTEX);
    shmring_sender_close(&all.sender);
    shmring_queue_sender_close(&all.queue_sender);
    cr_expect_eq(shmring_receiver_recv(&all.receiver, &byte, 1, NULL, NULL, SHMRING_NOW), -EPIPE);
    cr_expect_eq(shmring_queue_recv(&all.queue_receiver, &byte, 1, &slot, SHMRING_NOW), -EPIPE);
    pid_t pid = fork();

    if (pid == 0) /* without closing them */
        _exit(shmring_sender_open_fds(&all.sender, &all.channel_fds, NULL) |
              shmring_queue_sender_open_fds(&all.queue_sender, &all.queue_fds, NULL));
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    cr_assert_gt(shmring_poll(all.items, 2, shmring_deadline(HANG_NS)), 0);
    if (all.items[0].is_ready)
        cr_expect_eq(shmring_receiver_recv(&all.receiver, &byte, 1, NULL, NULL, SHMRING_NOW),
                     -EOWNERDEAD);
    cr_assert_gt(shmring_poll(all.items, 2, shmring_deadline(HANG_NS)), all.items[0].is_ready - 1);
    if (all.items[1].is_ready)
        cr_expect_eq(shmring_queue_recv(&all.queue_receiver, &byte, 1, &slot, SHMRING_NOW),
                     -EOWNERDEAD);
    rings_close(&all);
}

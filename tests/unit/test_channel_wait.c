/* SPDX-License-Identifier: MIT */
/* Senders and receivers of a channel that sleep or are polled, with each backend. */
#define _GNU_SOURCE
#include "../backends.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

enum { MESSAGE = 2040 }; /* two of them fill the ring */

static backend_ring ring;
static shmring_sender tx;
static shmring_receiver rx;

static void clean_up(void)
{
    backend_rings_remove_of(getpid());
}

TestSuite(channel_wait, .fini = clean_up, .timeout = 100);

static void open_ring(enum shmring_backend backend, shmring_channel_options of_receiver)
{
    cr_assert_eq(backend_ring_create(&ring, backend, false,
                                     (shmring_channel_options){.capacity = 4096}), 0);
    of_receiver.size = sizeof of_receiver;
    cr_assert_eq(backend_sender_open(&tx, &ring, &of_receiver), 0);
    cr_assert_eq(backend_receiver_open(&rx, &ring, &of_receiver), 0);
}

static void close_ring(void)
{
    shmring_sender_close(&tx);
    shmring_receiver_close(&rx);
    backend_ring_remove(&ring);
}

static int receive(int64_t deadline)
{
    return shmring_receiver_recv(&rx, NULL, 0, NULL, NULL, deadline);
}

static void let_it_sleep(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

static void *receive_one(void *ret_error)
{
    *(int *)ret_error = receive(SHMRING_NEVER);
    return NULL;
}

static void *send_one(void *ret_error)
{
    static char message[MESSAGE];

    *(int *)ret_error = shmring_sender_send(&tx, message, MESSAGE, 0, SHMRING_NEVER);
    return NULL;
}

static void fill(void)
{
    static char message[MESSAGE];

    for (int i = 0; i < 2; i++)
        cr_assert_eq(shmring_sender_send(&tx, message, MESSAGE, 0, SHMRING_NOW), 0);
}

Test(channel_wait, cancel_by_another_thread_ends_a_wait_whatever_the_policy)
{
    pthread_t thread;
    int error;

    for (int i = 0; i < 3 * SHMRING_BACKENDS; i++) {
        open_ring((enum shmring_backend)(i / 3),
                  (shmring_channel_options){.wait = (enum shmring_wait_policy)(i % 3)});
        cr_assert_eq(pthread_create(&thread, NULL, receive_one, &error), 0);
        let_it_sleep();
        shmring_receiver_cancel(&rx);
        cr_assert_eq(pthread_join(thread, NULL), 0);
        cr_expect_eq(error, -ECANCELED);
        cr_expect_eq(receive(SHMRING_NEVER), -ECANCELED, "until it is resumed");
        fill();
        cr_assert_eq(pthread_create(&thread, NULL, send_one, &error), 0);
        let_it_sleep();
        shmring_sender_cancel(&tx);
        cr_assert_eq(pthread_join(thread, NULL), 0);
        cr_expect_eq(error, -ECANCELED);
        shmring_sender_resume(&tx);
        shmring_receiver_resume(&rx);
        cr_expect_eq(receive(SHMRING_NEVER), -EMSGSIZE, "all is as it was");
        close_ring();
    }
}

static void cancel_both(int signal)
{
    (void)signal;
    shmring_receiver_cancel(&rx);
    shmring_sender_cancel(&tx);
}

Test(channel_wait, cancel_by_a_signal_handler_ignores_what_is_closed_or_just_being_closed)
{
    struct sigaction action = {.sa_handler = cancel_both};

    cancel_both(0); /* zeroed */
    cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
    for (int i = 0; i < SHMRING_BACKENDS * 30; i++) {
        struct itimerval soon = {.it_value.tv_usec = 1 + i * 7 % 400};

        open_ring((enum shmring_backend)(i % SHMRING_BACKENDS), (shmring_channel_options){0});
        cr_assert_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
        close_ring();
        cancel_both(0);
    }
    cr_expect_null(rx.waiter.own);
    cr_expect_null(tx.waiter.own);
}

Test(channel_wait, an_adaptive_wait_ends_at_its_deadline_and_at_a_message)
{
    pthread_t thread;
    int error;

    for (int i = 0; i < SHMRING_BACKENDS; i++) {
        open_ring((enum shmring_backend)i,
                  (shmring_channel_options){.wait = SHMRING_WAIT_ADAPTIVE});
        for (int64_t ns = 1000; ns < 10000000; ns *= 10) {
            int64_t until = shmring_deadline(ns);

            cr_expect_eq(receive(until), -ETIMEDOUT);
            cr_expect_geq(shmring_clock(), until);
        }
        for (int j = 0; j < 3; j++) {
            cr_assert_eq(pthread_create(&thread, NULL, receive_one, &error), 0);
            if (j > 0)
                let_it_sleep();
            cr_expect_eq(shmring_sender_send(&tx, "", 0, 0, SHMRING_NEVER), 0);
            cr_assert_eq(pthread_join(thread, NULL), 0);
            cr_expect_eq(error, 0);
        }
        close_ring();
    }
}

Test(channel_wait, the_spin_window_follows_the_waits)
{
    int64_t window = 0;

    for (int i = 0; i < 100; i++)
        window = shmring_spin_window(window, 10000);
    cr_expect(window >= 20000 && window < 20010, "twice as long as the waits: %ld", (long)window);
    cr_expect_eq(shmring_spin_window(window, 30000), 60000, "up at once");
    cr_expect_eq(shmring_spin_window(window, SHMRING_SPIN_WINDOW_MAX), SHMRING_SPIN_WINDOW_MAX);
    cr_expect_eq(shmring_spin_window(60000, SHMRING_SPIN_WINDOW_MAX + 1), 30000, "half");
    for (int i = 0; i < 100; i++)
        window = shmring_spin_window(window, INT64_MAX);
    cr_expect_eq(window, SHMRING_SPIN_WINDOW_MIN);
    for (int i = 0; i < 100; i++)
        window = shmring_spin_window(60000, 0);
    cr_expect(window < 60000 && window >= SHMRING_SPIN_WINDOW_MIN, "down slowly");
    cr_expect_eq(shmring_spin_window(0, 0), SHMRING_SPIN_WINDOW_MIN);
}

static void *send_eight(void *argument)
{
    (void)argument;
    for (int i = 0; i < 8; i++) {
        if (i < 2)
            let_it_sleep();
        cr_assert_eq(shmring_sender_send(&tx, "", 0, 0, SHMRING_NEVER), 0);
    }
    return NULL;
}

/* Are all there when it has the first, with a ring for the first and one for the eighth? */
static bool gathers_eight(void)
{
    uint32_t wakes = shmring_load32_relaxed(&rx.waiter.bell.words->wakes);
    pthread_t thread;
    int count = 1;

    cr_assert_eq(pthread_create(&thread, NULL, send_eight, NULL), 0);
    cr_assert_eq(receive(SHMRING_NEVER), 0);
    while (receive(SHMRING_NOW) == 0)
        count++;
    bool is_whole = count == 8;

    for (; count < 8; count++)
        cr_assert_eq(receive(SHMRING_NEVER), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    return is_whole && shmring_load32_relaxed(&rx.waiter.bell.words->wakes) - wakes <= 2;
}

/* Several times, because the sender may be late for another reason. */
Test(channel_wait, a_receiver_that_gathers_is_woken_once_for_many)
{
    for (int i = 0; i < SHMRING_BACKENDS; i++) {
        bool gathered = false;

        open_ring((enum shmring_backend)i,
                  (shmring_channel_options){.gather_count = 8,
                                            .gather_ns = SHMRING_GATHER_NS_MAX});
        for (int j = 0; j < 5; j++)
            gathered |= gathers_eight();
        cr_expect(gathered, "%s", backend_name(ring.backend));
        close_ring();
    }
}

Test(channel_wait, who_gathers_waits_no_longer_than_it_said)
{
    int64_t soon;

    open_ring(SHMRING_BACKEND_FUTEX,
              (shmring_channel_options){.gather_count = 8, .gather_ns = 1000000});
    cr_assert_eq(shmring_sender_send(&tx, "", 0, 0, SHMRING_NEVER), 0);
    cr_expect_eq(receive(SHMRING_NEVER), 0);
    soon = shmring_deadline(3000000);
    cr_expect_eq(receive(soon), -ETIMEDOUT);
    cr_expect_geq(shmring_clock(), soon);
    close_ring();
}

/* As poll(2) and as epoll(7), level-triggered, tell it; they must agree. */
static bool is_readable(int fd, int set, int timeout)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    struct epoll_event event;
    bool is_polled = poll(&one, 1, timeout) == 1 && (one.revents & POLLIN) != 0;

    cr_expect_eq(epoll_wait(set, &event, 1, timeout) == 1, is_polled);
    return is_polled;
}

Test(channel_wait, its_descriptor_is_readable_until_a_call_found_nothing)
{
    struct epoll_event event = {.events = EPOLLIN};
    int set = epoll_create1(EPOLL_CLOEXEC);

    open_ring(SHMRING_BACKEND_EVENTFD, (shmring_channel_options){0});
    cr_assert_eq(shmring_sender_send(&tx, "", 0, 0, SHMRING_NOW), 0);
    int fd = shmring_receiver_fd(&rx);

    cr_assert_eq(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
    cr_expect(is_readable(fd, set, 0), "what was there before it was asked for");
    cr_expect_eq(receive(SHMRING_NOW), 0);
    for (int i = 0; i < 10; i++) {
        cr_expect_eq(receive(SHMRING_NOW), -ETIMEDOUT);
        cr_expect_not(is_readable(fd, set, 0));
        cr_assert_eq(shmring_sender_send(&tx, "", 0, 0, SHMRING_NOW), 0);
        cr_assert_eq(shmring_sender_send(&tx, "", 0, 0, SHMRING_NOW), 0);
        for (int j = 0; j < 2; j++) {
            cr_expect(is_readable(fd, set, -1));
            cr_expect(is_readable(fd, set, 0), "it stays so");
            cr_expect_eq(receive(i % 2 == 0 ? SHMRING_NOW : SHMRING_NEVER), 0);
        }
    }
    shmring_sender_close(&tx);
    cr_expect(is_readable(fd, set, -1), "an end");
    cr_expect_eq(receive(SHMRING_NOW), -EPIPE);
    cr_expect_eq(receive(SHMRING_NOW), -ETIMEDOUT);
    cr_expect_not(is_readable(fd, set, 0));
    shmring_receiver_cancel(&rx);
    cr_expect(is_readable(fd, set, -1), "a cancel");
    close(set);
    close_ring();
}

Test(channel_wait, without_an_eventfd_there_is_no_descriptor)
{
    for (int i = 0; i < SHMRING_BACKENDS; i++) {
        open_ring((enum shmring_backend)i, (shmring_channel_options){0});
        if (i != SHMRING_BACKEND_EVENTFD)
            cr_expect_eq(shmring_receiver_fd(&rx), -EOPNOTSUPP);
        close_ring();
    }
}

/* The error of opening a channel by that segment, and by these bells. */
static int open_by(int segment, const int bells[2])
{
    shmring_channel_fds fds = {segment, {bells[0], bells[1]}};
    shmring_sender none = {0};
    int error = shmring_sender_open_fds(&none, &fds, NULL);

    cr_expect_null(none.segment.base, "untouched on failure");
    return error;
}

Test(channel_wait, descriptors_of_anything_else_are_refused)
{
    int pipe_fds[2], none[2] = {-1, -1}, same[2];
    int unsealed = memfd_create("unsealed", MFD_CLOEXEC);
    uint64_t magic;

    open_ring(SHMRING_BACKEND_EVENTFD, (shmring_channel_options){0});
    shmring_sender_close(&tx);
    cr_assert_eq(pipe(pipe_fds), 0);
    cr_assert_eq(write(unsealed, rx.segment.base, 128), 128);
    cr_expect_eq(open_by(unsealed, ring.fds.bells), -EPERM);
    cr_expect_eq(open_by(pipe_fds[0], ring.fds.bells), -EPROTO);
    cr_expect_eq(open_by(ring.fds.bells[0], ring.fds.bells), -EPROTO);
    cr_expect_eq(open_by(-1, ring.fds.bells), -EBADF);
    cr_expect_eq(open_by(1000, ring.fds.bells), -EBADF);
    cr_expect_eq(open_by(ring.fds.segment, none), -EINVAL);
    cr_expect_eq(open_by(ring.fds.segment, pipe_fds), -EINVAL);
    same[0] = same[1] = ring.fds.segment;
    cr_expect_eq(open_by(ring.fds.segment, same), -EINVAL);
    memcpy(&magic, rx.segment.base, sizeof magic);
    cr_expect_neq(magic, UINT64_MAX, "the ring was not written over");
    cr_expect_eq(receive(SHMRING_NOW), -EPIPE, "of the one that was closed");
    cr_expect_eq(backend_sender_open(&tx, &ring, NULL), 0);
    close_ring();
}

Test(channel_wait, an_open_that_fails_is_no_end_of_a_stream)
{
    const int none[2] = {-1, -1};

    cr_assert_eq(backend_ring_create(&ring, SHMRING_BACKEND_EVENTFD, false,
                                     (shmring_channel_options){.capacity = 4096}), 0);
    cr_assert_eq(backend_receiver_open(&rx, &ring, NULL), 0);
    cr_expect_eq(open_by(ring.fds.segment, none), -EINVAL);
    cr_expect_eq(receive(SHMRING_NOW), -ETIMEDOUT);
    close_ring();
}

Test(channel_wait, a_forked_child_has_the_descriptors)
{
    shmring_channel_fds fds;
    shmring_receiver own;
    int status;

    for (int i = 0; i < SHMRING_BACKENDS; i++) {
        shmring_channel_options options = {.size = sizeof options, .capacity = 4096,
                                           .backend = (enum shmring_backend)i};
        int error = shmring_channel_create_fds(&fds, &options);

        if (i == SHMRING_BACKEND_NAMED_SEM || i == SHMRING_BACKEND_SYSV_SEM) {
            cr_expect_eq(error, -EINVAL, "they need a name");
            continue;
        }
        cr_assert_eq(error, 0);
        cr_assert_eq(shmring_receiver_open_fds(&own, &fds, NULL), 0);
        pid_t child = fork();

        if (child == 0) {
            shmring_sender sender;

            if (shmring_sender_open_fds(&sender, &fds, NULL) != 0 ||
                shmring_sender_send(&sender, "hello", 6, 7, SHMRING_NEVER) != 0)
                _exit(1);
            shmring_sender_close(&sender);
            _exit(0);
        }
        char buffer[6];
        uint32_t type;

        cr_expect_eq(shmring_receiver_recv(&own, buffer, 6, NULL, &type, SHMRING_NEVER), 0);
        cr_expect(strcmp(buffer, "hello") == 0 && type == 7);
        cr_expect_eq(shmring_receiver_recv(&own, buffer, 6, NULL, &type, SHMRING_NEVER), -EPIPE);
        cr_assert(waitpid(child, &status, 0) == child && status == 0);
        shmring_receiver_close(&own);
        shmring_channel_close_fds(&fds);
        cr_expect(fds.segment == -1 && fds.bells[0] == -1 && fds.bells[1] == -1);
    }
}

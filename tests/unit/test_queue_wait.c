/* SPDX-License-Identifier: MIT */
/* Senders and receivers of a queue that sleep, in threads and processes, with each backend. */
#define _GNU_SOURCE
#include "queue_ring.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/sem.h>
#include <sys/time.h>

TestSuite(queue_wait, .fini = clean_up, .timeout = 100);

/* One call, in a thread with a handle of its own. */
struct call {
    bool sends;
    enum shmring_mpmc_wish wish;
    uint32_t type;
    shmring_queue_sender sender;
    shmring_queue_receiver receiver;
    pthread_t thread;
    int result;
    int64_t done_at;
};

static void *make_call(void *argument)
{
    struct call *call = argument;
    shmring_mpmc_slot slot;

    if (call->sends)
        call->result = shmring_queue_claim(&call->sender, SHMRING_NEVER, &slot);
    else
        call->result = shmring_queue_take_by(&call->receiver, call->wish, call->type,
                                             SHMRING_NEVER, &slot);
    call->done_at = shmring_clock();
    if (call->result == 0) /* neither of which rings for others of the same side */
        call->result = call->sends ? shmring_queue_commit(&call->sender, &slot, 0, 0)
                                   : shmring_queue_release(&call->receiver, &slot);
    return NULL;
}

static void begin_call(struct call *call)
{
    if (call->sends)
        cr_assert_eq(backend_queue_sender_open(&call->sender, &ring, NULL), 0);
    else
        cr_assert_eq(backend_queue_receiver_open(&call->receiver, &ring, NULL), 0);
    cr_assert_eq(pthread_create(&call->thread, NULL, make_call, call), 0);
}

static void end_call(struct call *call, int want)
{
    if (call->thread != 0)
        cr_assert_eq(pthread_join(call->thread, NULL), 0);
    call->thread = 0;
    cr_expect_eq(call->result, want, "%s: %d", backend_name(ring.backend), call->result);
    shmring_queue_sender_close(&call->sender);
    shmring_queue_receiver_close(&call->receiver);
}

/* Two messages, and one ring for both: who is woken passes the baton. */
static int64_t publish_two(void)
{
    shmring_mpmc_slot slots[2];

    for (int i = 0; i < 2; i++)
        cr_assert_eq(shmring_queue_claim(&tx, SHMRING_NOW, &slots[i]), 0);
    int64_t now = shmring_clock();

    cr_assert_eq(shmring_mpmc_commit(&tx.producer, &slots[0], 0, 0), 0);
    cr_assert_eq(shmring_queue_commit(&tx, &slots[1], 0, 0), 0);
    return now;
}

/* Likewise two free slots. */
static int64_t free_two(void)
{
    shmring_mpmc_slot slots[2];

    for (int i = 0; i < 2; i++)
        cr_assert_eq(shmring_queue_take(&rx, SHMRING_NOW, &slots[i]), 0);
    int64_t now = shmring_clock();

    cr_assert_eq(shmring_mpmc_release(&rx.consumer, &slots[0]), 0);
    cr_assert_eq(shmring_queue_release(&rx, &slots[1]), 0);
    return now;
}

/* In how many rounds are both sleepers awake long before they would have looked for themselves? */
static int count_wakes_of_both(bool sends)
{
    struct call calls[2] = {{.sends = sends}, {.sends = sends}};
    int count = 0;

    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 2 && sends && round == 0; i++) /* later they filled it */
            cr_assert_eq(shmring_queue_send(&tx, "x", 1, 0, SHMRING_NOW), 0);
        begin_call(&calls[0]);
        begin_call(&calls[1]);
        let_them_sleep();
        int64_t began = sends ? free_two() : publish_two();

        for (int i = 0; i < 2; i++, calls[i - 1].thread = 0) /* before one closes, which rings */
            cr_assert_eq(pthread_join(calls[i].thread, NULL), 0);
        end_call(&calls[0], 0);
        end_call(&calls[1], 0);
        count += calls[0].done_at - began < SHMRING_WAIT_CAP_NS / 2 &&
                 calls[1].done_at - began < SHMRING_WAIT_CAP_NS / 2;
    }
    return count;
}

Test(queue_wait, one_ring_wakes_as_many_receivers_as_there_are_messages)
{
    for (int i = 0; i < SHMRING_BACKENDS; i++) {
        open_ring((enum shmring_backend)i, SLOTS);
        cr_expect_gt(count_wakes_of_both(false), 0, "%s", backend_name(ring.backend));
        close_ring();
    }
}

Test(queue_wait, one_ring_wakes_as_many_senders_as_there_is_room_for)
{
    for (int i = 0; i < SHMRING_BACKENDS; i++) {
        open_ring((enum shmring_backend)i, 2);
        cr_expect_gt(count_wakes_of_both(true), 0, "%s", backend_name(ring.backend));
        close_ring();
    }
}

Test(queue_wait, those_that_choose_get_what_they_wait_for)
{
    for (int i = 0; i < SHMRING_BACKENDS; i++) {
        struct call calls[3] = {{.wish = SHMRING_TAKE_EQUAL, .type = 1},
                                {.wish = SHMRING_TAKE_EQUAL, .type = 2},
                                {.wish = SHMRING_TAKE_HIGHEST, .type = 3}};

        open_ring((enum shmring_backend)i, SLOTS);
        for (int j = 0; j < 3; j++)
            begin_call(&calls[j]);
        let_them_sleep();
        cr_expect_eq(shmring_queue_send(&tx, "", 0, 0, SHMRING_NOW), 0, "for none of them");
        for (uint32_t type = 3; type > 0; type--) {
            cr_expect_eq(shmring_queue_send(&tx, "", 0, type, SHMRING_NOW), 0);
            end_call(&calls[type - 1], 0);
        }
        close_ring();
    }
}

/* Ends it, and long before it would have looked by itself? */
static bool is_cancelled_soon(struct call *call)
{
    int64_t now = shmring_clock();

    if (call->sends)
        shmring_queue_sender_cancel(&call->sender);
    else
        shmring_queue_receiver_cancel(&call->receiver);
    end_call(call, -ECANCELED);
    return call->done_at - now < SHMRING_WAIT_CAP_NS / 2;
}

Test(queue_wait, cancel_by_another_thread_ends_a_wait)
{
    int soon[2] = {0};

    for (int i = 0; i < SHMRING_BACKENDS; i++) {
        struct call calls[] = {{.sends = true}, {.sends = false}, {.wish = SHMRING_TAKE_EQUAL}};

        open_ring((enum shmring_backend)i, SLOTS);
        begin_call(&calls[1]);
        begin_call(&calls[2]);
        let_them_sleep();
        soon[0] += is_cancelled_soon(&calls[1]);
        is_cancelled_soon(&calls[2]);
        for (int j = 0; j < SLOTS; j++)
            cr_assert_eq(shmring_queue_send(&tx, "", 0, 0, SHMRING_NOW), 0);
        begin_call(&calls[0]);
        let_them_sleep();
        soon[1] += is_cancelled_soon(&calls[0]);
        close_ring();
    }
    cr_expect(soon[0] > 0 && soon[1] > 0);
}

static void cancel_both(int signal)
{
    (void)signal;
    shmring_queue_receiver_cancel(&rx);
    shmring_queue_sender_cancel(&tx);
}

/* The signal comes once, and may come just before the sleep: then the cap ends it. */
Test(queue_wait, cancel_by_a_signal_handler_ends_a_wait)
{
    struct sigaction action = {.sa_handler = cancel_both, .sa_flags = SA_RESTART};
    shmring_mpmc_slot slot;

    cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
    for (int i = 0; i < SHMRING_BACKENDS * ROUNDS; i++) {
        struct itimerval soon = {.it_value.tv_usec = 1 + i * 7 % 400};
        int error;

        open_ring((enum shmring_backend)(i % SHMRING_BACKENDS), SLOTS);
        cr_assert_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
        do {
            error = shmring_queue_take(&rx, SHMRING_NEVER, &slot);
        } while (error == -EINTR);
        cr_expect_eq(error, -ECANCELED, "%s: %d", backend_name(ring.backend), error);
        shmring_queue_receiver_resume(&rx);
        cr_expect_eq(shmring_queue_send(&tx, "", 0, 0, SHMRING_NEVER), 0);
        cr_expect_eq(shmring_queue_take(&rx, SHMRING_NEVER, &slot), 0);
        close_ring();
    }
}

Test(queue_wait, cancel_by_a_signal_handler_ignores_what_is_closed_or_just_being_closed)
{
    struct sigaction action = {.sa_handler = cancel_both};

    cancel_both(0); /* zeroed */
    cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
    for (int i = 0; i < SHMRING_BACKENDS * ROUNDS; i++) {
        struct itimerval soon = {.it_value.tv_usec = 1 + i * 7 % 400};

        open_ring((enum shmring_backend)(i % SHMRING_BACKENDS), SLOTS);
        cr_assert_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
        close_ring();
        cancel_both(0);
    }
    cr_expect_null(rx.messages.event);
    cr_expect_null(tx.room.event);
}

Test(queue_wait, who_sleeps_learns_of_the_death_of_all_others_once)
{
    shmring_mpmc_slot slot;

    for (int i = 0; i < SHMRING_BACKENDS; i++) {
        open_ring((enum shmring_backend)i, 2);
        shmring_queue_sender_close(&tx);
        die_as(true);
        cr_expect_eq(shmring_queue_take(&rx, SHMRING_NEVER, &slot), -EOWNERDEAD);
        cr_expect_eq(shmring_queue_take(&rx, shmring_deadline(1000000), &slot), -ETIMEDOUT);
        cr_assert_eq(backend_queue_sender_open(&tx, &ring, NULL), 0);
        shmring_queue_receiver_close(&rx);
        for (int j = 0; j < 2; j++)
            cr_assert_eq(shmring_queue_send(&tx, "", 0, 0, SHMRING_NEVER), 0, "all slots are free");
        die_as(false);
        cr_expect_eq(shmring_queue_send(&tx, "", 0, 0, SHMRING_NEVER), -EOWNERDEAD);
        cr_expect_eq(shmring_queue_send(&tx, "", 0, 0, shmring_deadline(1000000)), -ETIMEDOUT);
        close_ring();
    }
}

Test(queue_wait, what_a_dead_receiver_held_comes_before_the_end)
{
    shmring_channel_options options = {.capacity = 2, .slot_size = 8, .redeliver = true};
    shmring_mpmc_slot slot;
    char byte = 0;

    cr_assert_eq(backend_ring_create(&ring, SHMRING_BACKEND_FUTEX, true, options), 0);
    cr_assert_eq(backend_queue_sender_open(&tx, &ring, NULL), 0);
    cr_assert_eq(backend_queue_receiver_open(&rx, &ring, NULL), 0);
    cr_assert_eq(shmring_queue_send(&tx, "x", 1, 0, SHMRING_NOW), 0);
    die_as(false);
    shmring_queue_sender_close(&tx);
    cr_expect_eq(shmring_queue_recv(&rx, &byte, 1, &slot, SHMRING_NOW), 0);
    cr_expect(byte == 'x' && slot.redelivered);
    cr_expect_eq(shmring_queue_recv(&rx, &byte, 1, &slot, SHMRING_NOW), -EPIPE);
    close_ring();
}

Test(queue_wait, a_death_among_many_does_not_keep_the_others_from_timing_out)
{
    shmring_mpmc_slot slot;

    open_ring(SHMRING_BACKEND_FUTEX, 2);
    die_as(true);
    for (int i = 0; i < 3; i++) /* the first one buries it */
        cr_expect_eq(shmring_queue_take(&rx, shmring_deadline(150000000), &slot), -ETIMEDOUT);
    shmring_queue_sender_close(&tx);
    cr_expect_eq(shmring_queue_take(&rx, SHMRING_NEVER, &slot), -EOWNERDEAD, "one of them died");
    close_ring();
}

Test(queue_wait, who_sleeps_on_a_removed_set_is_told)
{
    struct call call = {.wish = SHMRING_TAKE_ANY};

    open_ring(SHMRING_BACKEND_SYSV_SEM, SLOTS);
    begin_call(&call);
    let_them_sleep();
    cr_assert_eq(semctl(call.receiver.messages.bell.set, 0, IPC_RMID), 0);
    end_call(&call, -EIDRM);
    cr_expect_eq(shmring_queue_send(&tx, "", 0, 0, SHMRING_NOW), 0, "ringing does no harm");
    close_ring();
}

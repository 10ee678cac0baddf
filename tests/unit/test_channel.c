/* SPDX-License-Identifier: MIT */
/* Sender and receiver in one thread: what waits, what ends, and what is reported when. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <shmring/shmring.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static char name[64];
static shmring_sender tx;
static shmring_receiver rx;

static void set_up(void)
{
    shmring_channel_options options = {.size = sizeof options, .create = true, .capacity = 4096};

    snprintf(name, sizeof name, "shmring-test-channel-%d", (int)getpid());
    cr_assert_eq(shmring_sender_open(&tx, name, &options), 0);
    cr_assert_eq(shmring_receiver_open(&rx, name, &options), 0);
}

static void tear_down(void)
{
    shmring_sender_close(&tx);
    shmring_receiver_close(&rx);
    shmring_segment_unlink(name);
}

TestSuite(channel, .init = set_up, .fini = tear_down);

static int receive(char *ret_byte)
{
    return shmring_receiver_recv(&rx, ret_byte, 1, NULL, NULL, SHMRING_NOW);
}

Test(channel, a_taken_role_is_refused_in_the_same_process_too)
{
    shmring_sender second_tx = {0};
    shmring_receiver second_rx = {0};

    cr_expect_eq(shmring_sender_open(&second_tx, name, NULL), -EBUSY);
    cr_expect_eq(shmring_receiver_open(&second_rx, name, NULL), -EBUSY);
    cr_expect_null(second_tx.segment.base, "outputs are untouched on failure");
    shmring_sender_close(&tx);
    cr_expect_eq(shmring_sender_open(&tx, name, NULL), 0);
}

Test(channel, full_and_empty_time_out)
{
    static char message[2041];
    int64_t soon = shmring_deadline(2000000);

    cr_expect_eq(shmring_receiver_recv(&rx, message, 1, NULL, NULL, SHMRING_NOW), -ETIMEDOUT);
    cr_expect_eq(shmring_receiver_recv(&rx, message, 1, NULL, NULL, soon), -ETIMEDOUT);
    cr_expect_geq(shmring_clock(), soon);
    cr_expect_eq(shmring_sender_send(&tx, message, 2040, 0, SHMRING_NOW), 0);
    cr_expect_eq(shmring_sender_send(&tx, message, 2040, 0, SHMRING_NOW), 0);
    cr_expect_eq(shmring_sender_send(&tx, message, 0, 0, SHMRING_NOW), -ETIMEDOUT);
    soon = shmring_deadline(2000000);
    cr_expect_eq(shmring_sender_send(&tx, message, 0, 0, soon), -ETIMEDOUT);
    cr_expect_geq(shmring_clock(), soon);
    cr_expect_eq(shmring_sender_send(&tx, message, 2041, 0, SHMRING_NEVER), -EMSGSIZE);
}

Test(channel, the_end_of_a_stream_comes_after_its_last_message_and_once)
{
    char byte = 0;

    cr_assert_eq(shmring_sender_send(&tx, "x", 1, 0, SHMRING_NEVER), 0);
    shmring_sender_close(&tx);
    cr_expect_eq(receive(&byte), 0);
    cr_expect_eq(byte, 'x');
    cr_expect_eq(receive(&byte), -EPIPE);
    cr_expect_eq(receive(&byte), -ETIMEDOUT, "a successor may come");
    cr_assert_eq(shmring_sender_open(&tx, name, NULL), 0);
    cr_expect_eq(receive(&byte), -ETIMEDOUT);
    cr_assert_eq(shmring_sender_send(&tx, "y", 1, 0, SHMRING_NEVER), 0);
    cr_expect_eq(receive(&byte), 0);
    shmring_sender_close(&tx);
    cr_expect_eq(shmring_receiver_recv(&rx, &byte, 1, NULL, NULL, SHMRING_NEVER), -EPIPE);
}

Test(channel, an_end_is_not_reported_again_to_a_later_receiver)
{
    char byte;

    shmring_sender_close(&tx);
    cr_expect_eq(receive(&byte), -EPIPE);
    shmring_receiver_close(&rx);
    cr_assert_eq(shmring_receiver_open(&rx, name, NULL), 0);
    cr_expect_eq(receive(&byte), -ETIMEDOUT);
}

Test(channel, an_end_that_nobody_heard_of_waits_for_the_next_receiver)
{
    char byte;

    shmring_receiver_close(&rx);
    shmring_sender_close(&tx);
    cr_assert_eq(shmring_receiver_open(&rx, name, NULL), 0);
    cr_expect_eq(receive(&byte), -EPIPE, "also of a stream without messages");
}

Test(channel, a_receiver_that_closes_is_no_error_for_the_sender)
{
    static char message[2040];

    shmring_receiver_close(&rx);
    cr_expect_eq(shmring_sender_send(&tx, message, 2040, 0, SHMRING_NOW), 0);
    cr_expect_eq(shmring_sender_send(&tx, message, 2040, 0, SHMRING_NOW), 0);
    for (int i = 0; i < 600; i++)
        cr_assert_eq(shmring_sender_send(&tx, message, 8, 0, SHMRING_NOW), -ETIMEDOUT);
}

Test(channel, zero_copy_calls_pass_messages)
{
    const void *message;
    uint64_t length;
    uint32_t type;
    void *place;

    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(shmring_sender_reserve(&tx, 100, SHMRING_NOW, &place), 0);
        memset(place, i, 100);
        cr_assert_not(shmring_sender_commit(&tx, 200, 9));
        cr_assert(shmring_sender_commit(&tx, 50, 9));
        cr_assert_eq(shmring_receiver_peek(&rx, SHMRING_NOW, &message, &length, &type), 0);
        cr_assert_eq(length, 50);
        cr_assert_eq(type, 9);
        cr_assert_eq(((const uint8_t *)message)[49], (uint8_t)i);
        shmring_receiver_release(&rx);
    }
}

Test(channel, outputs_are_untouched_on_failure)
{
    const void *message = &tx;
    void *place = &rx;
    uint64_t length = 77;
    uint32_t type = 88;
    char bytes[2] = "z";

    cr_expect_eq(shmring_receiver_peek(&rx, SHMRING_NOW, &message, &length, &type), -ETIMEDOUT);
    cr_expect_eq(shmring_receiver_recv(&rx, bytes, 2, &length, &type, SHMRING_NOW), -ETIMEDOUT);
    cr_expect_eq(shmring_sender_reserve(&tx, 4096, SHMRING_NOW, &place), -EMSGSIZE);
    cr_expect_eq(shmring_sender_reserve(&tx, UINT64_MAX, SHMRING_NEVER, &place), -EMSGSIZE);
    cr_expect(message == &tx && place == &rx && length == 77 && type == 88 && bytes[0] == 'z');
    cr_assert_eq(shmring_sender_send(&tx, "abc", 3, 9, SHMRING_NOW), 0);
    cr_expect_eq(shmring_receiver_recv(&rx, bytes, 2, &length, &type, SHMRING_NOW), -EMSGSIZE);
    cr_expect(length == 3 && type == 88 && bytes[0] == 'z', "but for the length");
}

Test(channel, a_message_of_no_bytes_needs_no_buffer)
{
    uint64_t length = 77;
    uint32_t type = 0;

    cr_expect_eq(shmring_sender_send(&tx, NULL, 0, 5, SHMRING_NOW), 0);
    cr_expect_eq(shmring_receiver_recv(&rx, NULL, 0, &length, &type, SHMRING_NOW), 0);
    cr_expect(length == 0 && type == 5);
}

static uint64_t given_back(void)
{
    return shmring_load64_relaxed(&rx.consumer.side.own->pos);
}

/* A small message there and back. */
static void pass_one(void)
{
    char byte;

    cr_assert_eq(shmring_sender_send(&tx, "x", 1, 0, SHMRING_NOW), 0);
    cr_assert_eq(receive(&byte), 0);
}

Test(channel, what_is_released_goes_back_at_once_if_the_sender_sleeps_and_else_by_the_eighth)
{
    uint64_t first = given_back();

    for (int i = 0; i < 4096 / 8 / 16 - 1; i++)
        pass_one();
    cr_expect_eq(given_back(), first);
    pass_one();
    cr_expect_eq(given_back(), first + 4096 / 8);
    pass_one();
    cr_expect_eq(given_back(), first + 4096 / 8);
    shmring_wait_arm(&tx.waiter, first + 4096 / 8 + 2 * 16);
    pass_one();
    cr_expect_eq(given_back(), first + 4096 / 8 + 2 * 16);
    cr_expect_eq(shmring_load32_relaxed(&tx.waiter.bell.words->wakes), 1, "and that wakes it");
    shmring_wait_disarm(&tx.waiter);
    pass_one();
    cr_expect_eq(given_back(), first + 4096 / 8 + 2 * 16);
}

/* A receiver that spins in vain for a moment. Its lag afterwards is half of what it began with. */
static uint32_t lag_of_wait(void)
{
    char byte;

    cr_assert_eq(shmring_receiver_recv(&rx, &byte, 1, NULL, NULL, shmring_deadline(100000)),
                 -ETIMEDOUT);
    return rx.pace.spin.lag;
}

Test(channel, a_spinning_receiver_lags_more_while_waits_bring_several_messages)
{
    rx.pace.policy = SHMRING_WAIT_SPIN;
    rx.pace.spin.lag = 16;
    rx.pace.spin.soon = true; /* the last wait was over at once */
    pass_one();
    pass_one();
    cr_expect_eq(lag_of_wait(), 32 / 2, "twice as long, but this wait is in vain");
    cr_expect_eq(lag_of_wait(), 16 / 2 / 2, "it brought nothing");
    pass_one();
    cr_expect_eq(lag_of_wait(), 0, "it brought one");
}

static void send_one(int signal)
{
    (void)signal;
    shmring_sender_send(&tx, "x", 1, 0, SHMRING_NOW);
}

/* Spins for one that comes after some time of the processor, whatever else runs. */
static void wait_for_one(void)
{
    const struct sigaction action = {.sa_handler = send_one};
    const struct itimerval soon = {.it_value.tv_usec = 5000};
    char byte;

    cr_assert_eq(sigaction(SIGVTALRM, &action, NULL), 0);
    cr_assert_eq(setitimer(ITIMER_VIRTUAL, &soon, NULL), 0);
    cr_assert_eq(shmring_receiver_recv(&rx, &byte, 1, NULL, NULL, SHMRING_NEVER), 0);
}

Test(channel, a_spinning_receiver_does_not_lag_in_a_dialogue)
{
    rx.pace.policy = SHMRING_WAIT_SPIN;
    wait_for_one();
    rx.pace.spin.lag = 16;
    wait_for_one();
    cr_expect_eq(lag_of_wait(), 0, "each wait brought one");
}

Test(channel, what_is_flushed_is_not_delivered_again_and_what_is_not_is)
{
    char byte = 0;

    cr_assert_eq(shmring_sender_send(&tx, "ab", 1, 0, SHMRING_NOW), 0);
    cr_assert_eq(shmring_sender_send(&tx, "b", 1, 0, SHMRING_NOW), 0);
    cr_assert_eq(receive(&byte), 0);
    uint64_t head = shmring_load64_relaxed(&rx.consumer.side.own->pos);
    shmring_receiver_flush(&rx);
    cr_expect_gt(shmring_load64_relaxed(&rx.consumer.side.own->pos), head);
    shmring_receiver_close(&rx);
    cr_assert_eq(shmring_receiver_open(&rx, name, NULL), 0);
    cr_assert_eq(receive(&byte), 0);
    cr_expect_eq(byte, 'b');
}

Test(channel, bad_options_and_missing_channels_are_refused)
{
    shmring_channel_options options = {.size = sizeof options, .capacity = 5000, .create = true};
    shmring_sender none = {0};
    struct {
        shmring_channel_options known;
        char newer;
    } future = {.known.size = sizeof future, .newer = 1};

    cr_expect_eq(shmring_channel_create("shmring-test-bad", &options), -EINVAL);
    cr_expect_eq(shmring_channel_create(NULL, NULL), -EINVAL);
    cr_expect_eq(shmring_channel_create("a/b", NULL), -EINVAL);
    cr_expect_eq(shmring_channel_create(name, NULL), -EEXIST);
    cr_expect_eq(shmring_sender_open(&none, "shmring-test-none", NULL), -ENOENT);
    cr_expect_eq(shmring_sender_open(&none, name, &future.known), -EINVAL);
    options = (shmring_channel_options){.size = sizeof options, .wait = 9};
    cr_expect_eq(shmring_sender_open(&none, name, &options), -EINVAL);
}

Test(channel, options_without_their_size_are_refused_not_ignored)
{
    shmring_channel_options options = {.create = true};
    shmring_sender none = {0};

    cr_expect_eq(shmring_sender_open(&none, name, &options), -EINVAL);
    options = (shmring_channel_options){.size = sizeof options, .segment.mode = 0660};
    cr_expect_eq(shmring_channel_create("shmring-test-bad", &options), -EINVAL);
    options = (shmring_channel_options){0};
    cr_expect_eq(shmring_channel_create(name, &options), -EEXIST, "nothing is set");
    memset(&options, 0xff, sizeof options); /* also between the members */
    options.size = sizeof options;
    options.capacity = 0;
    options.wait = SHMRING_WAIT_BLOCK;
    options.create = options.redeliver = false;
    options.backend = SHMRING_BACKEND_FUTEX;
    options.fence = SHMRING_FENCE_DEFAULT;
    options.gather_count = options.slot_size = 0;
    options.gather_ns = 0;
    options.segment.size = 0;
    options.segment.mode = 0;
    options.segment.group = options.segment.owner = 0;
    options.segment.set_group = options.segment.set_owner = false;
    options.segment.memory = options.segment.numa_node = 0;
    cr_expect_eq(shmring_channel_create(name, &options), -EEXIST, "nothing is set but padding");
}

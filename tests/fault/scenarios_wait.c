/* SPDX-License-Identifier: MIT */
/*
 * Sleeping, waking and polling, with each kind of bell. A call that fails to sleep says so or goes
 * on without; one that fails to wake says nothing. Either way the next message comes through.
 */
#include "../check.h"

#include "scenario.h"

#include <string.h>

static const int wait_errors[] = {ETIMEDOUT, EINTR, EIDRM, ENOSYS, 0};
static const int no_errors[] = {0};

enum { CAPACITY = 4096, SLOTS = 8, MESSAGE = 8 };
static const int64_t MOMENT_NS = 1000000;
/* Long enough to ask whether the other side lives. */
static const int64_t WHILE_NS = 25000000;

static const shmring_channel_options small = {
    .size = sizeof small, .capacity = CAPACITY, .slot_size = MESSAGE};
static const shmring_channel_options small_queue = {
    .size = sizeof small, .capacity = SLOTS, .slot_size = MESSAGE};

/* Two of each: two rings are polled. */
static backend_ring rings[2];
static shmring_sender tx[2];
static shmring_receiver rx[2];
static shmring_queue_sender queue_tx[2];
static shmring_queue_receiver queue_rx[2];
static int used;

static void make_one(const struct scenario *scenario, int i, bool is_queue)
{
    const shmring_channel_options *options = is_queue ? &small_queue : &small;

    CHECK_EQ(backend_ring_create(&rings[i], scenario->backend, is_queue, *options), 0);
    if (is_queue) {
        CHECK_EQ(backend_queue_sender_open(&queue_tx[i], &rings[i], options), 0);
        CHECK_EQ(backend_queue_receiver_open(&queue_rx[i], &rings[i], options), 0);
    } else {
        CHECK_EQ(backend_sender_open(&tx[i], &rings[i], options), 0);
        CHECK_EQ(backend_receiver_open(&rx[i], &rings[i], options), 0);
    }
    used = i + 1;
}

static void make(const struct scenario *scenario)
{
    make_one(scenario, 0, scenario->is_queue);
}

static int send_one(int64_t deadline)
{
    const char message[MESSAGE] = {1};

    return rings[0].is_queue
               ? shmring_queue_send(&queue_tx[0], message, sizeof message, 0, deadline)
               : shmring_sender_send(&tx[0], message, sizeof message, 0, deadline);
}

static int receive_one(int64_t deadline)
{
    shmring_mpmc_slot slot;
    char message[MESSAGE];

    return rings[0].is_queue
               ? shmring_queue_recv(&queue_rx[0], message, sizeof message, &slot, deadline)
               : shmring_receiver_recv(&rx[0], message, sizeof message, NULL, NULL, deadline);
}

static void make_full(const struct scenario *scenario)
{
    int error = 0;

    make(scenario);
    while (error == 0)
        error = send_one(SHMRING_NOW);
    CHECK_EQ(error, -ETIMEDOUT);
}

static void remove_rings(const struct scenario *scenario)
{
    (void)scenario;
    for (int i = 0; i < used; i++) {
        shmring_sender_close(&tx[i]);
        shmring_receiver_close(&rx[i]);
        shmring_queue_sender_close(&queue_tx[i]);
        shmring_queue_receiver_close(&queue_rx[i]);
        backend_ring_remove(&rings[i]);
    }
}

/* Whatever failed: what was there is taken, and one more message comes through. */
static void pass_one(const struct scenario *scenario)
{
    int error = 0;

    while (error == 0)
        error = receive_one(SHMRING_NOW);
    CHECK_EQ(error, -ETIMEDOUT);
    CHECK_EQ(send_one(SHMRING_NOW), 0);
    CHECK_EQ(receive_one(shmring_deadline(HANG_NS)), 0);
    remove_rings(scenario);
}

static int receive(const struct scenario *scenario)
{
    int64_t deadline = shmring_deadline(scenario->variant != 0 ? WHILE_NS : MOMENT_NS);

    fault_arm();
    int error = receive_one(deadline);

    fault_disarm();
    CHECK(error != 0);
    return error;
}

static int send_full(const struct scenario *scenario)
{
    int64_t deadline = shmring_deadline(scenario->variant != 0 ? WHILE_NS : MOMENT_NS);

    fault_arm();
    int error = send_one(deadline);

    fault_disarm();
    CHECK(error != 0);
    return error;
}

static int take_by(const struct scenario *scenario)
{
    shmring_mpmc_slot slot;

    (void)scenario;
    fault_arm();
    int error = shmring_queue_take_by(&queue_rx[0], SHMRING_TAKE_EQUAL, 1,
                                      shmring_deadline(MOMENT_NS), &slot);

    fault_disarm();
    return error;
}

/* The receiver is about to sleep; the sender rings. Any call of that may fail, unseen. */
static int wake(const struct scenario *scenario)
{
    if (scenario->is_queue)
        shmring_event_arm(&queue_rx[0].messages, SHMRING_EVENT_ANY);
    else
        shmring_wait_arm(&rx[0].waiter, rx[0].consumer.read_pos + 1);
    errno = ERANGE;
    fault_arm();
    int error = send_one(SHMRING_NOW);

    fault_disarm();
    CHECK_EQ(errno, ERANGE);
    CHECK_EQ(receive_one(shmring_deadline(HANG_NS)), 0);
    return error;
}

/* All who sleep are woken, for there is an end to be told. */
static int cancel(const struct scenario *scenario)
{
    errno = ERANGE;
    fault_arm();
    if (scenario->is_queue)
        shmring_queue_receiver_cancel(&queue_rx[0]);
    else
        shmring_receiver_cancel(&rx[0]);
    fault_disarm();
    CHECK_EQ(errno, ERANGE);
    CHECK_EQ(receive_one(SHMRING_NEVER), -ECANCELED);
    if (scenario->is_queue)
        shmring_queue_receiver_resume(&queue_rx[0]);
    else
        shmring_receiver_resume(&rx[0]);
    return 0;
}

static void make_two(const struct scenario *scenario)
{
    make_one(scenario, 0, scenario->is_queue);
    make_one(scenario, 1, scenario->variant != 0 ? !scenario->is_queue : scenario->is_queue);
}

static int poll_two(const struct scenario *scenario)
{
    shmring_poll_item items[2] = {{0}};

    for (int i = 0; i < 2; i++) {
        items[i].channel = rings[i].is_queue ? NULL : &rx[i];
        items[i].queue = rings[i].is_queue ? &queue_rx[i] : NULL;
    }
    (void)scenario;
    fault_arm();
    int ready = shmring_poll(items, 2, shmring_deadline(MOMENT_NS));

    fault_disarm();
    CHECK(ready < 0);
    return ready;
}

/* Its descriptor is asked for, and a message rings it. */
static int poll_fd(const struct scenario *scenario)
{
    fault_arm();
    int fd =
        scenario->is_queue ? shmring_queue_receiver_fd(&queue_rx[0]) : shmring_receiver_fd(&rx[0]);
    int error = receive_one(SHMRING_NOW);

    if (error == -ETIMEDOUT)
        error = send_one(SHMRING_NOW);
    fault_disarm();
    CHECK(fd >= 0);
    return error;
}

void scenarios_wait(void)
{
    for (int i = 0; i < 2 * SHMRING_BACKENDS; i++) {
        struct scenario of = {.prepare = make,
                              .clean = pass_one,
                              .keeps = true,
                              .backend = (enum shmring_backend)(i / 2),
                              .is_queue = i % 2 != 0,
                              .errors = wait_errors};

        if (of.backend == SHMRING_BACKEND_EVENTFD)
            of.name = "descriptor", of.act = poll_fd, scenario_try(&of);
        of.name = "receive", of.act = receive;
        scenario_try(&of);
        of.variant = 1;
        if (of.backend == SHMRING_BACKEND_FUTEX)
            scenario_try(&of);
        of.variant = 0, of.name = "send", of.act = send_full, of.prepare = make_full;
        scenario_try(&of);
        of.name = "poll", of.act = poll_two, of.prepare = make_two;
        scenario_try(&of);
        of.variant = 1;
        scenario_try(&of);
        of.variant = 0, of.prepare = make, of.clean = pass_one;
        if (of.is_queue)
            of.name = "take by", of.act = take_by, scenario_try(&of);
        of.errors = no_errors, of.name = "wake", of.act = wake;
        scenario_try(&of);
        of.name = "cancel", of.act = cancel;
        scenario_try(&of);
    }
}

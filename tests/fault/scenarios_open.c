/* SPDX-License-Identifier: MIT */
/* Taking and giving back the roles of channels and queues, with each kind of bell. */
#include "../check.h"

#include "scenario.h"

#include <string.h>

static const int open_errors[] = {EINVAL, ENAMETOOLONG, ENOENT, EPERM,  EACCES,          EPROTO,
                                  EAGAIN, EBADMSG,      EBADF,  ENOSPC, EPROTONOSUPPORT, EMFILE,
                                  ENFILE, ENOMEM,       EROFS,  EBUSY,  EOPNOTSUPP,      ENOLCK,
                                  EUSERS, EOPNOTSUPP,   EFBIG,  EDQUOT, EEXIST,          0};
static const int no_errors[] = {0};

enum { SENDER, RECEIVER };
enum { OPEN, CREATE = 2, AFTER_DEATH = 4, SIDES = 2 };

static const shmring_channel_options small = {.capacity = 4096, .slot_size = 8};
static backend_ring ring;
/* The handle in question, and another one that died. */
static union handle {
    shmring_sender tx;
    shmring_receiver rx;
    shmring_queue_sender queue_tx;
    shmring_queue_receiver queue_rx;
} handle;
static shmring_queue_sender dead;
static bool has_dead;

static int open_with(const struct scenario *scenario, union handle *of,
                     const shmring_channel_options *options)
{
    const bool sends = scenario->variant % SIDES == SENDER;

    if (scenario->is_queue)
        return sends ? backend_queue_sender_open(&of->queue_tx, &ring, options)
                     : backend_queue_receiver_open(&of->queue_rx, &ring, options);
    return sends ? backend_sender_open(&of->tx, &ring, options)
                 : backend_receiver_open(&of->rx, &ring, options);
}

static void close_handle(const struct scenario *scenario, union handle *of)
{
    const bool sends = scenario->variant % SIDES == SENDER;

    if (scenario->is_queue && sends)
        shmring_queue_sender_close(&of->queue_tx);
    else if (scenario->is_queue)
        shmring_queue_receiver_close(&of->queue_rx);
    else if (sends)
        shmring_sender_close(&of->tx);
    else
        shmring_receiver_close(&of->rx);
}

static void make(const struct scenario *scenario)
{
    shmring_mpmc_slot slot;

    CHECK_EQ(backend_ring_create(&ring, scenario->backend, scenario->is_queue, small), 0);
    if (scenario->variant / SIDES == CREATE / SIDES)
        CHECK_EQ(shmring_channel_unlink(ring.name, NULL), 0);
    has_dead = scenario->is_queue && scenario->variant / SIDES == AFTER_DEATH / SIDES;
    if (!has_dead)
        return;
    /* Dead to others, with a slot: its descriptor is closed behind its back. */
    CHECK_EQ(backend_queue_sender_open(&dead, &ring, NULL), 0);
    CHECK_EQ(shmring_queue_claim(&dead, SHMRING_NOW, &slot), 0);
    CHECK_EQ(close(dead.producer.side.member.fd), 0);
}

static int open_role(const struct scenario *scenario)
{
    shmring_channel_options options = small;

    options.size = sizeof options;
    options.backend = scenario->backend;
    options.create = scenario->variant / SIDES == CREATE / SIDES;
    scenario_mark(&handle, sizeof handle);
    fault_arm();
    int error = open_with(scenario, &handle, &options);

    fault_disarm();
    if (error != 0) {
        scenario_check_marked(&handle, sizeof handle);
        memset(&handle, 0, sizeof handle);
    }
    return error;
}

static void remove_ring(const struct scenario *scenario)
{
    close_handle(scenario, &handle);
    if (has_dead)
        shmring_queue_sender_close(&dead);
    backend_ring_remove(&ring);
}

static void make_and_open(const struct scenario *scenario)
{
    make(scenario);
    CHECK_EQ(open_with(scenario, &handle, NULL), 0);
}

static int close_role(const struct scenario *scenario)
{
    fault_arm();
    close_handle(scenario, &handle);
    fault_disarm();
    return 0;
}

/* A role that was given back, with whatever fault, is free: the next one gets it. */
static void open_again(const struct scenario *scenario)
{
    CHECK_EQ(open_with(scenario, &handle, NULL), 0);
    remove_ring(scenario);
}

void scenarios_open(void)
{
    for (int i = 0; i < 2 * SIDES * SHMRING_BACKENDS; i++) {
        struct scenario of = {.clean = remove_ring,
                              .backend = (enum shmring_backend)(i / 2 / SIDES),
                              .is_queue = i / SIDES % 2 != 0};

        of.name = "open", of.act = open_role, of.errors = open_errors, of.prepare = make;
        of.variant = OPEN + i % SIDES;
        scenario_try(&of);
        if (of.is_queue) {
            of.variant = AFTER_DEATH + i % SIDES;
            scenario_try(&of);
        }
        if (backend_has_name(of.backend)) {
            of.variant = CREATE + i % SIDES, of.keeps = true; /* the ring, once it is made */
            scenario_try(&of);
        }
        of.name = "close", of.act = close_role, of.errors = no_errors, of.prepare = make_and_open;
        of.clean = open_again, of.variant = OPEN + i % SIDES;
        scenario_try(&of);
    }
}

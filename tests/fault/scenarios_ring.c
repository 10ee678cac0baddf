/* SPDX-License-Identifier: MIT */
/* Channels and queues with each kind of bell: making and removing them. */
#include "../check.h"

#include "scenario.h"

#include <string.h>

static const int create_errors[] = {EINVAL, ENAMETOOLONG, EEXIST,  ENOSPC, EFBIG,  EPERM,
                                    EACCES, EMFILE,       ENFILE,  ENOMEM, ENOENT, EROFS,
                                    EDQUOT, EOPNOTSUPP,   EBADMSG, 0};
static const int unlink_errors[] = {ENOENT, EACCES, EPERM, EBUSY, ENOMEM, EROFS, EMFILE, ENFILE, 0};
static const int no_errors[] = {0};

static const shmring_channel_options small = {.capacity = 4096, .slot_size = 8};
static backend_ring ring;

static int create(const struct scenario *scenario)
{
    fault_arm();
    int error = backend_ring_create(&ring, scenario->backend, scenario->is_queue, small);

    fault_disarm();
    CHECK(error == 0 || ring.fds.segment == -1);
    CHECK(error == 0 || (ring.fds.bells[0] == -1 && ring.fds.bells[1] == -1));
    return error;
}

/* One without a name, though its backend would have one. */
static int create_nameless(const struct scenario *scenario)
{
    shmring_channel_options options = small;

    ring.backend = scenario->backend;
    ring.name[0] = '\0';
    options.size = sizeof options;
    options.backend = scenario->backend;
    scenario_mark(&ring.fds, sizeof ring.fds);
    fault_arm();
    int error = scenario->is_queue ? shmring_queue_create_fds(&ring.fds, &options)
                                   : shmring_channel_create_fds(&ring.fds, &options);

    fault_disarm();
    if (error != 0) {
        scenario_check_marked(&ring.fds, sizeof ring.fds);
        ring.fds = (shmring_channel_fds){-1, {-1, -1}};
    }
    return error;
}

static void make(const struct scenario *scenario)
{
    CHECK_EQ(backend_ring_create(&ring, scenario->backend, scenario->is_queue, small), 0);
}

static void remove_ring(const struct scenario *scenario)
{
    (void)scenario;
    backend_ring_remove(&ring);
}

static int unlink_ring(const struct scenario *scenario)
{
    (void)scenario;
    fault_arm();
    int error = shmring_channel_unlink(ring.name, NULL);

    fault_disarm();
    return error;
}

static int close_fds(const struct scenario *scenario)
{
    (void)scenario;
    fault_arm();
    shmring_channel_close_fds(&ring.fds);
    fault_disarm();
    return 0;
}

void scenarios_ring(void)
{
    for (int i = 0; i < 2 * SHMRING_BACKENDS; i++) {
        struct scenario of = {
            .clean = remove_ring, .backend = (enum shmring_backend)(i / 2), .is_queue = i % 2 != 0};

        of.name = "create", of.act = create, of.errors = create_errors;
        scenario_try(&of);
        of.prepare = make;
        if (backend_has_name(of.backend))
            of.name = "unlink", of.act = unlink_ring, of.errors = unlink_errors, of.keeps = true;
        else
            of.name = "close fds", of.act = close_fds, of.errors = no_errors;
        scenario_try(&of);
        if (of.backend == SHMRING_BACKEND_NAMED_SEM || of.backend == SHMRING_BACKEND_SYSV_SEM)
            continue;
        of.name = "create nameless", of.act = create_nameless, of.errors = create_errors;
        of.prepare = NULL, of.keeps = false;
        scenario_try(&of);
    }
}

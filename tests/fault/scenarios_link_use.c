/* SPDX-License-Identifier: MIT */
/* Links that are there: waiting, waking, polling and closing. */
#include "../check.h"

#include "link_pair.h"

static const int wait_errors[] = {ETIMEDOUT, EINTR, ENOSYS, 0};
static const int pidfd_errors[] = {EOPNOTSUPP, ESRCH, EMFILE, ENFILE, 0};
static const int no_errors[] = {0};
static const int64_t MOMENT_NS = 2000000;

/* Through the socket, or by futex. */
static int wait_on_link(const struct scenario *scenario)
{
    char got[8];

    (void)scenario;
    fault_arm();
    int error = shmring_receiver_recv(&link_client.receiver, got, sizeof got, NULL, NULL,
                                      shmring_deadline(MOMENT_NS));

    fault_disarm();
    CHECK(error != 0);
    return error;
}

static int wake_on_link(const struct scenario *scenario)
{
    char byte = 0;

    (void)scenario;
    shmring_wait_arm(&link_client.receiver.waiter, link_client.receiver.consumer.read_pos + 1);
    fault_arm();
    int error = shmring_sender_send(&link_server.sender, &byte, sizeof byte, 0, SHMRING_NOW);

    fault_disarm();
    CHECK_EQ(shmring_receiver_recv(&link_client.receiver, &byte, sizeof byte, NULL, NULL,
                                   shmring_deadline(HANG_NS)),
             0);
    return error;
}

static int poll_link(const struct scenario *scenario)
{
    shmring_poll_item item = {.channel = &link_client.receiver};

    (void)scenario;
    fault_arm();
    int ready = shmring_poll(&item, 1, shmring_deadline(MOMENT_NS));

    fault_disarm();
    return ready;
}

static int close_both(const struct scenario *scenario)
{
    (void)scenario;
    errno = ERANGE;
    fault_arm();
    shmring_link_close(&link_client);
    shmring_link_close(&link_server);
    fault_disarm();
    CHECK_EQ(errno, ERANGE);
    return 0;
}

static int ask_pidfd(const struct scenario *scenario)
{
    (void)scenario;
    fault_arm();
    int fd = shmring_link_pidfd(&link_client);

    fault_disarm();
    if (fd >= 0)
        close(fd);
    return fd < 0 ? fd : 0;
}

void scenarios_link_use(int how)
{
    struct scenario of = {.clean = link_pair_use, .variant = how, .keeps = true};

    of.prepare = link_pair_connect, of.errors = wait_errors;
    of.name = "wait on a link", of.act = wait_on_link;
    scenario_try(&of);
    of.name = "poll a link", of.act = poll_link;
    scenario_try(&of);
    of.name = "wake on a link", of.act = wake_on_link, of.errors = no_errors;
    scenario_try(&of);
    of.name = "close", of.act = close_both;
    scenario_try(&of);
    of.name = "pidfd", of.act = ask_pidfd, of.errors = pidfd_errors;
    scenario_try(&of);
}

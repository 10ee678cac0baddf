/* SPDX-License-Identifier: MIT */
/*
 * Claim: a role is refused while its holder lives, also when it is stopped, and can be had as soon
 * as the holder is dead; memory shared by fork() works without a name.
 */
#include "../messages.h"

#include <fcntl.h>

static shmring_segment segment;
static shmring_geometry geometry;

/* A child that holds the producer's role until it is killed; returns when it has it. */
static pid_t holder(void)
{
    int ready[2];
    char byte;

    CHECK(pipe2(ready, O_CLOEXEC) == 0);
    pid_t pid = check_fork();

    if (pid == 0) {
        shmring_spsc_producer producer;

        CHECK_EQ(shmring_spsc_attach_producer(&producer, segment.base, &geometry, segment.fd), 0);
        CHECK_EQ(shmring_spsc_send(&producer, "from the child", 15, 0), 0);
        CHECK(write(ready[1], "x", 1) == 1);
        for (;;)
            pause();
    }
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    return pid;
}

static void a_left_role_is_free_though_a_forked_child_lives(void)
{
    shmring_spsc_producer producer, successor;

    CHECK_EQ(shmring_spsc_attach_producer(&producer, segment.base, &geometry, segment.fd), 0);
    pid_t child = check_fork();

    if (child == 0)
        for (;;)
            pause();
    shmring_spsc_detach_producer(&producer);
    CHECK_EQ(shmring_spsc_attach_producer(&successor, segment.base, &geometry, segment.fd), 0);
    shmring_spsc_detach_producer(&successor);
    CHECK(kill(child, SIGKILL) == 0);
    CHECK_EQ(check_wait(child), -SIGKILL);
}

static void a_spinner_with_short_deadlines_learns_of_a_death(void)
{
    shmring_channel_options options = {
        .size = sizeof options, .create = true, .wait = SHMRING_WAIT_SPIN};
    shmring_receiver rx;
    char name[64];
    int error = -ETIMEDOUT;

    snprintf(name, sizeof name, "shmring-test-roles-%d", (int)getpid());
    CHECK_EQ(shmring_receiver_open(&rx, name, &options), 0);
    pid_t child = check_fork();

    if (child == 0) {
        shmring_sender tx;
        _exit(shmring_sender_open(&tx, name, NULL) != 0); /* dies attached */
    }
    CHECK_EQ(check_wait(child), 0);
    for (int i = 0; i < 100 && error == -ETIMEDOUT; i++)
        error = shmring_receiver_recv(&rx, NULL, 0, NULL, NULL, shmring_deadline(1000000));
    shmring_receiver_close(&rx);
    shmring_segment_unlink(name);
    CHECK_EQ(error, -EOWNERDEAD);
}

int main(void)
{
    shmring_spsc_producer producer;
    shmring_spsc_consumer consumer;
    uint32_t session;
    uint64_t length;
    int status;

    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_SPSC, 0, 4096, &geometry), 0);
    CHECK_EQ(shmring_segment_create(&segment, NULL, &geometry, NULL), 0);
    pid_t child = holder();

    CHECK_EQ(shmring_spsc_attach_consumer(&consumer, segment.base, &geometry, segment.fd), 0);
    CHECK_EQ(shmring_spsc_attach_producer(&producer, segment.base, &geometry, segment.fd), -EBUSY);
    CHECK_EQ(shmring_spsc_peer(&consumer.side, &session), 0);

    CHECK(kill(child, SIGSTOP) == 0);
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    CHECK_EQ(shmring_spsc_attach_producer(&producer, segment.base, &geometry, segment.fd), -EBUSY);
    CHECK_EQ(shmring_spsc_peer(&consumer.side, &session), 0); /* stopped is alive */

    CHECK(kill(child, SIGKILL) == 0);
    CHECK_EQ(check_wait(child), -SIGKILL);
    CHECK_EQ(shmring_spsc_peer(&consumer.side, &session), -EOWNERDEAD);
    const char *message = shmring_spsc_peek(&consumer, &length, NULL);

    CHECK(message != NULL && length == 15 && memcmp(message, "from the child", 15) == 0);
    CHECK_EQ(shmring_spsc_attach_producer(&producer, segment.base, &geometry, segment.fd), 0);
    CHECK_EQ(shmring_spsc_peer(&consumer.side, &session), 0);
    shmring_spsc_detach_producer(&producer);
    CHECK_EQ(shmring_spsc_peer(&consumer.side, &session), -EPIPE);
    shmring_spsc_peer_ended(&consumer.side, session);
    CHECK_EQ(shmring_spsc_peer(&consumer.side, &session), -ENOTCONN);
    shmring_spsc_detach_consumer(&consumer);
    a_left_role_is_free_though_a_forked_child_lives();
    shmring_segment_close(&segment);
    a_spinner_with_short_deadlines_learns_of_a_death();
    return 0;
}

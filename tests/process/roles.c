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
    shmring_segment_close(&segment);
    return 0;
}

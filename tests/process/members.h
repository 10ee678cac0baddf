/* SPDX-License-Identifier: MIT */
/* The ring of the test members, and how its processes meet. */
#ifndef SHMRING_TESTS_MEMBERS_H
#define SHMRING_TESTS_MEMBERS_H

#include "../messages.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

static const int64_t HANG_NS = 60000000000;

/* Between the processes of the test, beside the ring. */
struct meeting {
    shmring_word32 ready; /* stages that the other has come to */
    shmring_word32 go;    /* stages that it may go on to */
    shmring_word32 pid;   /* of its child */
};

static struct meeting *meeting;
static shmring_segment segment;
static shmring_geometry geometry;
static shmring_mpmc_consumer observer;

static void pause_for_ever(void)
{
    for (;;)
        pause();
}

static void wait_for(const shmring_word32 *word, uint32_t value)
{
    int64_t deadline = shmring_clock() + HANG_NS;

    while (shmring_load32_acquire(word) < value) {
        CHECK(shmring_clock() < deadline);
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
}

/* A new ring, with an observer in it. */
static void begin(void)
{
    memset(meeting, 0, sizeof *meeting);
    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_MPMC, 64, 2, &geometry), 0);
    CHECK_EQ(shmring_segment_create(&segment, NULL, &geometry, NULL), 0);
    CHECK_EQ(shmring_mpmc_attach_consumer(&observer, segment.base, &geometry, segment.fd), 0);
}

static int recover(void)
{
    return shmring_mpmc_recover(&observer.side);
}

/* Another program begins before the last descriptor of the old one is closed. */
static int recover_soon(void)
{
    int64_t deadline = shmring_clock() + HANG_NS;
    int recovered = 0;

    while (recovered == 0 && shmring_clock() < deadline)
        recovered = recover();
    return recovered;
}

/* Nobody is in the way: both slots can be filled and emptied. */
static void end(void)
{
    shmring_mpmc_producer producer;
    shmring_mpmc_slot slot;

    CHECK_EQ(recover(), 0);
    CHECK_EQ(shmring_mpmc_attach_producer(&producer, segment.base, &geometry, segment.fd), 0);
    CHECK_EQ(producer.side.member.id, 2);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(shmring_mpmc_send(&producer, "abc", 3, (uint32_t)i), 0);
    CHECK_EQ(shmring_mpmc_send(&producer, "abc", 3, 2), -EAGAIN);
    for (uint32_t i = 0; i < 2; i++) {
        CHECK(shmring_mpmc_take(&observer, &slot));
        CHECK_EQ(slot.type, i);
        CHECK_EQ(shmring_mpmc_release(&observer, &slot), 0);
    }
    shmring_mpmc_detach_producer(&producer);
    shmring_mpmc_detach_consumer(&observer);
    shmring_segment_close(&segment);
}

/* In a child: joins, and claims a slot. */
static void join(shmring_mpmc_producer *producer, shmring_mpmc_slot *slot)
{
    CHECK_EQ(shmring_mpmc_attach_producer(producer, segment.base, &geometry, segment.fd), 0);
    CHECK(shmring_mpmc_claim(producer, slot));
}

static void kill_and_wait(pid_t pid)
{
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK_EQ(check_wait(pid), -SIGKILL);
}

/* Sends fd over the socket, or receives one. */
static int pass_descriptor(int socket, int fd)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    char byte = 0;
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control};
    int got = -1;

    if (fd >= 0) {
        control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd),
                                          .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
        CHECK(sendmsg(socket, &message, 0) == 1);
        return fd;
    }
    CHECK(recvmsg(socket, &message, 0) == 1);
    CHECK_EQ(control.header.cmsg_type, SCM_RIGHTS);
    memcpy(&got, CMSG_DATA(&control.header), sizeof got);
    return got;
}

#endif

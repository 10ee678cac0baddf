/* SPDX-License-Identifier: MIT */
/*
 * Claim: what one side of a link writes, nobody else can write, cut short or make holes in, by
 * whatever way of the kernel and as whatever user, root included, with the very descriptor that was
 * handed over; nor can the side that reads it make its own mapping writable.
 */
#include "link_middle.h"

#include <sys/mman.h>
#include <sys/stat.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

enum { LANE_SIZE = 3 * 4096 + 65536, NOBODY = 65534 };

static const shmring_link_options options = {
    .size = sizeof options, .capacity = 65536, .client_owned = true};

/* Copies of what went over: the server's lane, and the client's. */
static int lanes[2];

static void capture(struct packet *packet, const void *how)
{
    int *lane = &lanes[*(const int *)how];

    *lane = fcntl(packet->fds[0], F_DUPFD_CLOEXEC, 0);
    CHECK(*lane >= 0);
}

/* The server's lane comes with OFFER; a client's own, with ACK. */
static void begin(shmring_link links[2], int side)
{
    const struct tampering tampering = {side == 0 ? OFFER : ACK, capture, &side, NULL};
    int errors[2];

    shake_hands(&options, &options, &tampering, links, errors);
    CHECK(errors[0] == 0 && errors[1] == 0);
    CHECK_EQ(shmring_sender_send(&links[side].sender, "precious", 8, 0, SHMRING_NOW), 0);
}

static uint64_t sum_of(const void *memory)
{
    const uint8_t *bytes = memory;
    uint64_t sum = 0;

    for (size_t i = 0; i < LANE_SIZE; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

static void *map(int fd, int protection)
{
    return mmap(NULL, LANE_SIZE, protection, MAP_SHARED, fd, 0);
}

/* A descriptor opened anew, if that is permitted at all: it must be good for nothing. */
static void try_reopened(int fd)
{
    char self[64];

    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int again = open(self, O_RDWR | O_CLOEXEC);

    if (again < 0)
        return;
    CHECK(map(again, PROT_READ | PROT_WRITE) == MAP_FAILED);
    CHECK(pwrite(again, "x", 1, 5000) < 0);
    close(again);
}

/* Through the memory of this process: FOLL_FORCE writes where protection says no. */
static void try_memory(void *place)
{
    int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return;
    CHECK(pwrite(fd, "x", 1, (off_t)(uintptr_t)place) < 0);
    close(fd);
}

static void try_everything(int fd)
{
    void *mapped = map(fd, PROT_READ);

    CHECK(mapped != MAP_FAILED);
    CHECK(map(fd, PROT_READ | PROT_WRITE) == MAP_FAILED);
    CHECK(mprotect(mapped, LANE_SIZE, PROT_READ | PROT_WRITE) < 0);
    CHECK(madvise(mapped, 4096, MADV_REMOVE) < 0);
    try_memory(mapped);
    CHECK(pwrite(fd, "x", 1, 5000) < 0);
    CHECK(write(fd, "x", 1) < 0);
    CHECK(ftruncate(fd, 0) < 0);
    CHECK(ftruncate(fd, LANE_SIZE + 4096) < 0);
    CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096) < 0);
    CHECK(fallocate(fd, FALLOC_FL_ZERO_RANGE, 4096, 4096) < 0);
    CHECK(fallocate(fd, 0, LANE_SIZE, 4096) < 0);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0);
    fchmod(fd, 0666); /* its own maker may; it changes nothing */
    try_reopened(fd);
    munmap(mapped, LANE_SIZE);
}

static void a_lane_is_its_side_s_to_write(int side, uid_t user)
{
    shmring_link links[2];

    begin(links, side);
    uint64_t sum = sum_of(links[side].mine.base);
    pid_t pid = check_fork();

    if (pid == 0) {
        CHECK(user == geteuid() || (setgid(user) == 0 && setuid(user) == 0));
        try_everything(lanes[side]);
        _exit(0);
    }
    CHECK_EQ(check_wait(pid), 0);
    CHECK(sum_of(links[side].mine.base) == sum);
    CHECK(mprotect(links[1 - side].theirs.base, 4096, PROT_READ | PROT_WRITE) < 0);
    try_memory(links[1 - side].theirs.base);
    CHECK(sum_of(links[side].mine.base) == sum);
    close(lanes[side]);
    for (int i = 0; i < 2; i++)
        shmring_link_close(&links[i]);
}

int main(void)
{
    for (int side = 0; side < 2; side++) {
        a_lane_is_its_side_s_to_write(side, geteuid());
        if (geteuid() == 0)
            a_lane_is_its_side_s_to_write(side, NOBODY);
        else
            printf("another user: not tried, for only root can become one\n");
    }
    return 0;
}

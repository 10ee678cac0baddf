/* SPDX-License-Identifier: MIT */
/*
 * Claim: where the file system has no O_TMPFILE, a ring is still there complete or not at all.
 * Until it is published it has no magic number and is refused with -EAGAIN, two creators do not
 * both succeed, and one that is closed before leaves nothing. A seccomp filter refuses O_TMPFILE.
 */
#include "../messages.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

static void refuse_tmpfile(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};

    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        SKIP("no seccomp filters");
    CHECK(open("/dev/shm", O_TMPFILE | O_RDWR, 0600) == -1 && errno == EOPNOTSUPP);
}

static char name[64];

static void create_by_name(uint64_t seed, int rounds)
{
    shmring_segment segment, second, opened;
    shmring_geometry geometry;

    (void)seed;
    (void)rounds;
    refuse_tmpfile();
    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_SPSC, 0, 4096, &geometry), 0);
    CHECK_EQ(shmring_segment_create(&segment, name, &geometry, NULL), 0);
    CHECK_EQ(shmring_segment_open(&opened, name, NULL, NULL), -EAGAIN);
    CHECK_EQ(shmring_segment_create(&second, name, &geometry, NULL), -EEXIST);
    shmring_segment_close(&segment);
    CHECK_EQ(shmring_segment_open(&opened, name, NULL, NULL), -ENOENT);

    CHECK_EQ(shmring_segment_create(&segment, name, &geometry, NULL), 0);
    CHECK_EQ(shmring_segment_publish(&segment), 0);
    shmring_segment_close(&segment);
    CHECK_EQ(shmring_segment_open(&opened, name, NULL, &geometry), 0);
    CHECK_EQ(geometry.capacity, 4096);
    shmring_segment_close(&opened);

    /* A creation that fails half way takes its name with it. */
    shmring_segment_unlink(name);
    CHECK_EQ(shmring_layout_plan(SHMRING_KIND_SPSC, 0, SHMRING_CAPACITY_MAX, &geometry), 0);
    CHECK_EQ(shmring_segment_create(&segment, name, &geometry, NULL), -ENOSPC);
    CHECK_EQ(shmring_segment_open(&opened, name, NULL, NULL), -ENOENT);
}

int main(void)
{
    snprintf(name, sizeof name, "shmring-test-tmpfile-%d", (int)getpid());
    return test_and_remove(create_by_name, 0, 0, name);
}

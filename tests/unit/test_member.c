/* SPDX-License-Identifier: MIT */
/* Places that are taken, free, and told apart. Deaths are in tests/process. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <shmring/member.h>
#include <sys/mman.h>
#include <unistd.h>

Test(member, a_place_is_given_once_even_within_a_process)
{
    int fd = memfd_create("member", MFD_CLOEXEC);
    int first = shmring_member_join(fd, 0);

    cr_assert_geq(first, 0);
    cr_expect_eq(shmring_member_join(fd, 0), -EBUSY);
    int second = shmring_member_join(fd, 1);
    cr_expect_geq(second, 0, "another place is another matter");
    cr_expect_eq(shmring_member_probe(second, 0), 1);
    cr_expect_eq(shmring_member_probe(fd, 1), 1);
    cr_expect_eq(shmring_member_probe(fd, 2), 0);
    shmring_member_leave(first);
    cr_expect_eq(shmring_member_probe(second, 0), 0);
    first = shmring_member_join(fd, 0);
    cr_expect_geq(first, 0);
    shmring_member_leave(first);
    shmring_member_leave(second);
    shmring_member_leave(-1);
    close(fd);
}

Test(member, closing_other_descriptors_of_the_object_frees_nothing)
{
    int fd = memfd_create("member", MFD_CLOEXEC);
    int member = shmring_member_join(fd, 7);
    int other = dup(fd);

    close(fd);
    cr_expect_eq(shmring_member_probe(other, 7), 1);
    shmring_member_leave(member);
    cr_expect_eq(shmring_member_probe(other, 7), 0);
    close(other);
}

Test(member, a_bad_descriptor_is_an_error)
{
    cr_expect_eq(shmring_member_join(-1, 0), -EBADF);
    cr_expect_eq(shmring_member_join(1000000, 0), -EBADF);
    cr_expect_eq(shmring_member_probe(-1, 0), -EBADF);
}

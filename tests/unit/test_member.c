/* SPDX-License-Identifier: MIT */
/* Places that are taken, free, and told apart. Deaths are in tests/process. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <shmring/member.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
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

enum {
    TABLE_SIZE = SHMRING_MEMBER_RECORDS * sizeof(struct shmring_member_record),
};

static int table_fd;
static struct shmring_member_record *table;

static void make_table(void)
{
    table_fd = memfd_create("table", MFD_CLOEXEC);
    cr_assert_eq(ftruncate(table_fd, TABLE_SIZE), 0);
    table = mmap(NULL, TABLE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, table_fd, 0);
    cr_assert_neq((void *)table, MAP_FAILED);
}

TestSuite(member_table, .init = make_table);

/* Enrolls in a child that dies of it, so that id is a dead one. */
static void die_enrolled(uint32_t id)
{
    pid_t child = fork();

    cr_assert_geq(child, 0);
    if (child == 0) {
        shmring_member member;

        _exit(shmring_member_enroll(&member, table_fd, table, SHMRING_ROLE_CONSUMER) != 0 ||
              member.id != id);
    }
    int status = -1;

    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
}

Test(member_table, each_member_gets_the_least_free_id_and_a_session_of_its_own)
{
    for (int fd = -1; fd <= table_fd; fd += table_fd + 1) {
        shmring_member members[5], again;

        memset(table, 0, TABLE_SIZE);
        for (uint32_t i = 0; i < 5; i++) {
            cr_assert_eq(shmring_member_enroll(&members[i], fd, table, SHMRING_ROLE_PRODUCER), 0);
            cr_expect_eq(members[i].id, i + 1, "0 is nobody");
            cr_expect_eq(shmring_member_check(&members[i]), 0);
            cr_expect_eq(shmring_load32_relaxed(&table[i + 1].session), 1);
            cr_expect_eq(shmring_load32_relaxed(&table[i + 1].role), SHMRING_ROLE_PRODUCER);
            cr_expect_eq(shmring_load32_relaxed(&table[i + 1].pid), (uint32_t)getpid());
            cr_expect_eq(shmring_member_probe(table_fd, i + 1), fd >= 0);
        }
        shmring_member_resign(&members[2]);
        shmring_member_resign(&members[2]);
        cr_expect_eq(shmring_load32_relaxed(&table[3].session), 2, "resigned once");
        cr_expect_eq(shmring_member_probe(table_fd, 3), 0);
        cr_assert_eq(shmring_member_enroll(&again, fd, table, SHMRING_ROLE_CONSUMER), 0);
        cr_expect(again.id == 3 && again.session == 3);
        for (int i = 0; i < 5; i++)
            shmring_member_resign(&members[i]);
        shmring_member_resign(&again);
    }
}

Test(member_table, a_full_table_is_an_error_that_touches_nothing)
{
    shmring_member member = {.id = 77};

    for (uint32_t id = 1; id <= SHMRING_MEMBER_MAX; id++)
        shmring_store32_relaxed(&table[id].session, 1);
    cr_expect_eq(shmring_member_enroll(&member, -1, table, SHMRING_ROLE_PRODUCER), -EUSERS);
    cr_expect_eq(shmring_member_enroll(&member, table_fd, table, SHMRING_ROLE_PRODUCER), -EUSERS);
    cr_expect_eq(member.id, 77);
    shmring_store32_relaxed(&table[SHMRING_MEMBER_MAX].session, 2);
    cr_assert_eq(shmring_member_enroll(&member, table_fd, table, SHMRING_ROLE_PRODUCER), 0);
    cr_expect_eq(member.id, SHMRING_MEMBER_MAX);
    shmring_member_resign(&member);
}

Test(member_table, a_bad_descriptor_enrolls_nobody)
{
    shmring_member member = {.id = 77};

    cr_expect_eq(shmring_member_enroll(&member, 1000000, table, SHMRING_ROLE_PRODUCER), -EBADF);
    cr_expect_eq(member.id, 77);
    cr_expect_eq(shmring_load32_relaxed(&table[1].session), 0);
}

Test(member_table, the_dead_are_found_once_and_their_ids_are_free_when_they_are_buried)
{
    shmring_member alive, heir;
    uint32_t id = 0;

    die_enrolled(1);
    cr_assert_eq(shmring_member_enroll(&alive, table_fd, table, SHMRING_ROLE_PRODUCER), 0);
    cr_expect_eq(alive.id, 2, "nobody follows the dead before they are buried");
    die_enrolled(3);
    int first = shmring_member_seize(table_fd, table, &id);

    cr_assert_geq(first, 0);
    cr_expect_eq(id, 1);
    uint32_t other_id = 0;
    int other = shmring_member_seize(table_fd, table, &other_id);

    cr_assert_geq(other, 0);
    cr_expect_eq(other_id, 3, "1 is in work, 2 is alive");
    cr_expect_eq(shmring_member_seize(table_fd, table, &other_id), -ENOENT);
    other_id = 0;
    cr_expect_eq(shmring_member_seize(table_fd, table, &other_id), -ENOENT);
    cr_expect_eq(other_id, 0, "outputs are untouched on failure");
    shmring_member_leave(first); /* whoever seized it died before the burial */
    first = shmring_member_seize(table_fd, table, &id);
    cr_expect_eq(first, -ENOENT, "none above it");
    id = 0;
    first = shmring_member_seize(table_fd, table, &id);
    cr_assert(first >= 0 && id == 1, "found again");
    shmring_member_bury(table, 1, first);
    shmring_member_bury(table, 3, other);
    cr_expect_eq(shmring_member_probe(table_fd, 1), 0);
    id = 0;
    cr_expect_eq(shmring_member_seize(table_fd, table, &id), -ENOENT);
    cr_assert_eq(shmring_member_enroll(&heir, table_fd, table, SHMRING_ROLE_PRODUCER), 0);
    cr_expect(heir.id == 1 && heir.session == 3);
    shmring_member_resign(&heir);
    shmring_member_resign(&alive);
}

Test(member_table, who_was_buried_alive_is_stale_and_takes_nothing_from_the_heir)
{
    shmring_member lost, heir;
    uint32_t id = 0;

    cr_assert_eq(shmring_member_enroll(&lost, table_fd, table, SHMRING_ROLE_PRODUCER), 0);
    cr_assert_eq(close(lost.fd), 0);
    int lock_fd = shmring_member_seize(table_fd, table, &id);

    cr_assert_geq(lock_fd, 0);
    cr_expect_eq(shmring_member_check(&lost), 0, "not yet");
    shmring_member_bury(table, id, lock_fd);
    cr_expect_eq(shmring_member_check(&lost), -ESTALE);
    cr_assert_eq(shmring_member_enroll(&heir, table_fd, table, SHMRING_ROLE_PRODUCER), 0);
    cr_assert(heir.id == lost.id && heir.fd == lost.fd, "the same numbers, even");
    cr_expect_eq(shmring_member_check(&lost), -ESTALE);
    shmring_member_resign(&lost);
    cr_expect_eq(shmring_member_check(&heir), 0);
    cr_expect_eq(shmring_member_probe(table_fd, heir.id), 1, "the heir keeps its lock");
    shmring_member_resign(&heir);
}

Test(member_table, a_forked_copy_knows_that_it_is_one_and_takes_nothing_away)
{
    shmring_member member;

    cr_assert_eq(shmring_member_enroll(&member, table_fd, table, SHMRING_ROLE_PRODUCER), 0);
    pid_t child = fork();

    if (child == 0) {
        int copy = shmring_member_check(&member);

        shmring_member_resign(&member);
        _exit(copy != -EOWNERDEAD);
    }
    int status = -1;

    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
    cr_expect_eq(shmring_member_check(&member), 0);
    cr_expect_eq(shmring_member_probe(table_fd, member.id), 1);
    shmring_member_resign(&member);
    cr_expect_eq(shmring_member_probe(table_fd, 1), 0);
}

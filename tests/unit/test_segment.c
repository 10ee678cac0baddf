/* SPDX-License-Identifier: MIT */
/* Named and unnamed segments: what they refuse, and that nothing is left behind. */
#define _GNU_SOURCE
#include "memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char name[64];
static char path[96];

static void set_up(void)
{
    snprintf(name, sizeof name, "shmring-test-segment-%d", (int)getpid());
    snprintf(path, sizeof path, "/dev/shm/%s", name);
}

static void tear_down(void)
{
    unlink(path);
}

TestSuite(segment, .init = set_up, .fini = tear_down);

static shmring_geometry plan(uint64_t capacity)
{
    shmring_geometry geometry;

    cr_assert_eq(shmring_layout_plan(SHMRING_KIND_SPSC, 0, capacity, &geometry), 0);
    return geometry;
}

static void create_published(const shmring_segment_options *options)
{
    shmring_geometry geometry = plan(8192);
    shmring_segment segment;

    cr_assert_eq(shmring_segment_create(&segment, name, &geometry, options), 0);
    cr_assert_eq(shmring_segment_publish(&segment), 0);
    shmring_segment_close(&segment);
}

static int try_open(const shmring_segment_options *options)
{
    shmring_segment segment = {.size = 77};
    int error = shmring_segment_open(&segment, name, options, NULL);

    if (error == 0)
        shmring_segment_close(&segment);
    else
        cr_expect_eq(segment.size, 77, "outputs are untouched on failure");
    return error;
}

static int count_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

Test(segment, bad_names_are_refused)
{
    const char *bad[] = {"", ".", "..", ".hidden", "a/b", "/a", "a b", "a\n", "\xc3\xa4", "a*",
                         "sem.", "sem.a", "sem.a.messages"};
    shmring_geometry geometry = plan(4096);
    shmring_segment segment;
    char longest[SHMRING_NAME_MAX + 2];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_expect_eq(shmring_segment_check_name(bad[i]), -EINVAL, "%s", bad[i]);
        cr_expect_eq(shmring_segment_create(&segment, bad[i], &geometry, NULL), -EINVAL);
        cr_expect_eq(shmring_segment_open(&segment, bad[i], NULL, NULL), -EINVAL);
        cr_expect_eq(shmring_segment_unlink(bad[i]), -EINVAL);
    }
    cr_expect_eq(shmring_segment_check_name(NULL), -EINVAL);
    cr_expect_eq(shmring_segment_check_name("sem"), 0);
    cr_expect_eq(shmring_segment_check_name("semaphore"), 0);
    cr_expect_eq(shmring_segment_check_name("a.sem.b"), 0);
    cr_expect_eq(shmring_segment_open(&segment, NULL, NULL, NULL), -EINVAL);
    memset(longest, 'a', sizeof longest);
    longest[SHMRING_NAME_MAX + 1] = '\0';
    cr_expect_eq(shmring_segment_check_name(longest), -ENAMETOOLONG);
    longest[SHMRING_NAME_MAX] = '\0';
    cr_expect_eq(shmring_segment_check_name(longest), 0);
}

Test(segment, exists_for_others_only_once_published)
{
    shmring_geometry geometry = plan(8192), found;
    shmring_segment segment, other;

    cr_assert_eq(shmring_segment_create(&segment, name, &geometry, NULL), 0);
    cr_expect_eq(try_open(NULL), -ENOENT);
    cr_assert_eq(shmring_segment_publish(&segment), 0);
    cr_assert_eq(shmring_segment_open(&other, name, NULL, &found), 0);
    cr_expect_eq(found.capacity, 8192);
    *((uint8_t *)segment.base + geometry.data_offset) = 42;
    cr_expect_eq(*((uint8_t *)other.base + geometry.data_offset), 42, "it is the same memory");
    shmring_segment_close(&segment);
    shmring_segment_close(&other);
    cr_expect_eq(try_open(NULL), 0, "it stays until it is unlinked");
    cr_expect_eq(shmring_segment_unlink(name), 0);
    cr_expect_eq(shmring_segment_unlink(name), -ENOENT);
    cr_expect_eq(try_open(NULL), -ENOENT);
}

Test(segment, closed_unpublished_leaves_nothing)
{
    shmring_geometry geometry = plan(8192);
    shmring_segment segment;
    int before = count_descriptors();

    cr_assert_eq(shmring_segment_create(&segment, name, &geometry, NULL), 0);
    shmring_segment_close(&segment);
    shmring_segment_close(&segment); /* ignored */
    cr_expect_eq(access(path, F_OK), -1);
    cr_expect_eq(count_descriptors(), before);
}

Test(segment, a_taken_name_is_refused_also_when_it_is_taken_meanwhile)
{
    shmring_geometry geometry = plan(8192);
    shmring_segment first, second, third;

    cr_assert_eq(shmring_segment_create(&first, name, &geometry, NULL), 0);
    cr_assert_eq(shmring_segment_create(&second, name, &geometry, NULL), 0);
    cr_expect_eq(shmring_segment_publish(&first), 0);
    cr_expect_eq(shmring_segment_publish(&second), -EEXIST);
    cr_expect_eq(shmring_segment_create(&third, name, &geometry, NULL), -EEXIST);
    shmring_segment_close(&second);
    cr_expect_eq(try_open(NULL), 0, "the first is unharmed");
    shmring_segment_close(&first);
}

Test(segment, more_than_the_machine_has_is_no_space_and_leaves_nothing)
{
    shmring_geometry geometry = plan(SHMRING_CAPACITY_MAX);
    shmring_segment segment;
    int before = count_descriptors();

    cr_expect_eq(shmring_segment_create(&segment, name, &geometry, NULL), -ENOSPC);
    cr_expect_eq(shmring_segment_create(&segment, NULL, &geometry, NULL), -ENOSPC);
    cr_expect_eq(access(path, F_OK), -1);
    cr_expect_eq(count_descriptors(), before);
}

Test(segment, mode_is_as_asked_whatever_the_umask)
{
    struct stat status;

    umask(0777);
    create_published(NULL);
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0600);
    unlink(path);
    create_published(&(shmring_segment_options){.size = sizeof(shmring_segment_options),
                                                .mode = 0640,
                                                .group = getegid(),
                                                .set_group = true});
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0640);
}

Test(segment, a_mode_that_lets_strangers_in_is_refused)
{
    shmring_segment_options all = {.size = sizeof all, .mode = 0666};

    create_published(&all);
    cr_expect_eq(try_open(NULL), -EPERM);
    cr_expect_eq(try_open(&all), 0);
}

Test(segment, a_foreign_owner_is_refused_unless_named)
{
    shmring_segment_options nobody = {.size = sizeof nobody, .set_owner = true, .owner = 65534};

    if (geteuid() != 0)
        cr_skip("needs root");
    create_published(NULL);
    cr_assert_eq(chown(path, 65534, (gid_t)-1), 0);
    cr_expect_eq(try_open(NULL), -EPERM);
    cr_expect_eq(try_open(&nobody), 0);
}

Test(segment, bad_options_are_refused)
{
    shmring_segment_options options = {.size = sizeof options, .mode = 01777};
    struct {
        shmring_segment_options known;
        char newer;
    } future = {.known.size = sizeof future};

    create_published(NULL);
    cr_expect_eq(try_open(&options), -EINVAL);
    options = (shmring_segment_options){.size = sizeof options, .memory = 8};
    cr_expect_eq(try_open(&options), -EINVAL);
    cr_expect_eq(try_open(&future.known), 0, "unknown options that are zero");
    future.newer = 1;
    cr_expect_eq(try_open(&future.known), -EINVAL, "unknown options that are set");
}

Test(segment, what_is_no_ring_is_refused)
{
    char other[128];

    snprintf(other, sizeof other, "%s.other", path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_eq(try_open(NULL), -EPROTO, "a fifo, and it must not block");
    unlink(path);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_expect_eq(try_open(NULL), -EPROTO, "a directory");
    rmdir(path);
    create_published(NULL);
    cr_assert_eq(rename(path, other), 0);
    cr_assert_eq(symlink(other, path), 0);
    cr_expect_eq(try_open(NULL), -EPROTO, "a symbolic link to a good one");
    unlink(path);
    cr_assert_eq(link(other, path), 0);
    cr_expect_eq(try_open(NULL), -EPERM, "a second hard link");
    unlink(other);
    cr_expect_eq(try_open(NULL), 0);
}

Test(segment, truncated_half_written_and_garbage_objects_are_refused)
{
    create_published(NULL);
    int fd = open(path, O_RDWR);
    char page[4096];

    cr_assert_geq(fd, 0);
    cr_assert_eq(pread(fd, page, sizeof page, 0), sizeof page);
    for (off_t size = 8192 + 3 * 4096 - 1; size > 0; size -= size > 200 ? 1021 : 1) {
        cr_assert_eq(ftruncate(fd, size), 0);
        cr_expect_eq(try_open(NULL), -EBADMSG, "%ld bytes", (long)size);
    }
    cr_assert_eq(ftruncate(fd, 0), 0);
    cr_expect_eq(try_open(NULL), -EAGAIN, "empty: being made");
    cr_assert_eq(ftruncate(fd, 8192 + 3 * 4096), 0);
    cr_expect_eq(try_open(NULL), -EAGAIN, "no magic yet");
    cr_assert_eq(pwrite(fd, "GARBAGE!", 8, 0), 8);
    cr_expect_eq(try_open(NULL), -EPROTO);
    for (int at = 0; at < 96; at++) {
        page[at] = (char)~page[at];
        cr_assert_eq(pwrite(fd, page, sizeof page, 0), sizeof page);
        cr_expect_neq(try_open(NULL), 0, "byte %d", at);
        page[at] = (char)~page[at];
    }
    cr_assert_eq(pwrite(fd, page, sizeof page, 0), sizeof page);
    cr_expect_eq(try_open(NULL), 0);
    close(fd);
}

Test(segment, a_sparse_object_is_filled_at_open)
{
    struct stat status;

    create_published(NULL);
    int fd = open(path, O_RDWR);
    cr_assert_eq(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 16384), 0);
    cr_expect_eq(try_open(NULL), 0);
    cr_assert_eq(fstat(fd, &status), 0);
    cr_expect_eq(status.st_blocks * 512, status.st_size, "a hole would be a SIGBUS to come");
    close(fd);
}

Test(segment, an_unnamed_one_cannot_be_resized)
{
    shmring_geometry geometry = plan(8192);
    shmring_segment segment;

    cr_assert_eq(shmring_segment_create(&segment, NULL, &geometry, NULL), 0);
    cr_expect_eq(shmring_segment_publish(&segment), 0);
    cr_expect_eq(ftruncate(segment.fd, 0), -1);
    cr_expect_eq(ftruncate(segment.fd, 1 << 20), -1);
    cr_expect_neq(fcntl(segment.fd, F_GET_SEALS) & F_SEAL_SEAL, 0);
    cr_expect_neq(fcntl(segment.fd, F_GETFD) & FD_CLOEXEC, 0);
    shmring_segment_close(&segment);
}

Test(segment, memory_wishes_that_fail_are_no_error_and_got_says_so)
{
    shmring_segment_options wishes = {
        .size = sizeof wishes,
        .memory = SHMRING_MEMORY_HUGE | SHMRING_MEMORY_LOCK | SHMRING_MEMORY_NUMA,
        .numa_node = 1000,
    };
    shmring_geometry geometry = plan(4 << 20);
    shmring_segment segment;

    cr_assert_eq(shmring_segment_create(&segment, NULL, &geometry, &wishes), 0);
    cr_expect_eq(segment.got & SHMRING_MEMORY_NUMA, 0, "there is no node 1000");
    cr_expect_eq(segment.got & ~wishes.memory, 0);
    memset((uint8_t *)segment.base + geometry.data_offset, 1, geometry.capacity);
    shmring_segment_close(&segment);
    wishes.memory = SHMRING_MEMORY_NUMA;
    wishes.numa_node = 0;
    cr_assert_eq(shmring_segment_create(&segment, NULL, &geometry, &wishes), 0);
    cr_log_info("node 0: %s", segment.got & SHMRING_MEMORY_NUMA ? "got" : "not got");
    shmring_segment_close(&segment);
}

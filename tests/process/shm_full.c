/* SPDX-License-Identifier: MIT */
/*
 * Claim: creating a ring on a /dev/shm that is too small, by any number of pages, is -ENOSPC,
 * never SIGBUS, and leaves nothing; on one that just fits it works, and every byte can be written.
 */
#include "../messages.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

enum {
    CAPACITY = 65536,
    PAGES = CAPACITY / 4096 + 3,
};

static int count_files(void)
{
    DIR *directory = opendir("/dev/shm");
    int count = 0;

    CHECK(directory != NULL);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count - 2;
}

/* ftruncate() beyond the limit raises a signal that would end us. */
static void beyond_the_file_size_limit_is_an_error(void)
{
    struct rlimit limit = {.rlim_cur = CAPACITY, .rlim_max = RLIM_INFINITY};
    shmring_channel_options options = {.size = sizeof options, .capacity = CAPACITY};
    pid_t child = check_fork();

    if (child == 0) {
        CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
        _exit(shmring_channel_create("shmring-test-limit", &options) == -EFBIG ? 0 : 1);
    }
    CHECK_EQ(check_wait(child), 0);
}

int main(void)
{
    shmring_channel_options options = {.size = sizeof options, .capacity = CAPACITY};

    beyond_the_file_size_limit_is_an_error();
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        SKIP("needs to mount a file system of its own");
    for (int pages = 1; pages <= PAGES + 1; pages++) {
        char size[32];
        snprintf(size, sizeof size, "size=%dk", pages * 4);
        if (mount("tmpfs", "/dev/shm", "tmpfs", 0, size) != 0)
            SKIP("cannot mount tmpfs");
        int error = shmring_channel_create("full", &options);

        CHECK_EQ(error, pages < PAGES ? -ENOSPC : 0);
        CHECK_EQ(count_files(), pages < PAGES ? 0 : 1);
        if (error == 0) {
            shmring_segment segment;
            shmring_geometry geometry;
            CHECK_EQ(shmring_segment_open(&segment, "full", NULL, &geometry), 0);
            memset((char *)segment.base + geometry.data_offset, 1, CAPACITY);
            shmring_segment_close(&segment);
        }
        CHECK(umount("/dev/shm") == 0);
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Claim: making a channel or a queue with any backend on a /dev/shm that lacks any number of pages
 * is -ENOSPC and leaves nothing, named semaphores included. tests/process/shm_full writes to all of
 * a ring that fits.
 */
#include "../check.h"

#include "../backends.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>

enum { PAGES_MAX = 300 };

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

static int create_with(int pages, enum shmring_backend backend, bool is_queue)
{
    const shmring_channel_options options = {.capacity = is_queue ? 8 : 4096, .slot_size = 8};
    backend_ring ring;
    char size[32];

    snprintf(size, sizeof size, "size=%dk", pages * 4);
    if (mount("tmpfs", "/dev/shm", "tmpfs", 0, size) != 0)
        SKIP("cannot mount tmpfs");
    int error = backend_ring_create(&ring, backend, is_queue, options);

    if (error != 0)
        CHECK_EQ(count_files(), 0);
    else
        backend_ring_remove(&ring);
    CHECK_EQ(count_files(), 0);
    CHECK(umount("/dev/shm") == 0);
    return error;
}

int main(void)
{
    int total = 0;

    alarm(60);
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        SKIP("needs to mount a file system of its own");
    for (int i = 0; i < 2 * SHMRING_BACKENDS; i++) {
        enum shmring_backend backend = (enum shmring_backend)(i / 2);
        int pages = 1;

        for (; backend_has_name(backend); pages++) {
            int error = create_with(pages, backend, i % 2 != 0);

            CHECK(error == 0 || error == -ENOSPC);
            CHECK(pages < PAGES_MAX);
            if (error == 0)
                break;
        }
        total += pages - 1;
    }
    printf("%d sizes that are too small\n", total);
    return total > 0 ? 0 : 1;
}

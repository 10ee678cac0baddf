/* SPDX-License-Identifier: MIT */
/*
 * One life of a ring, for traced.py: between two calls of getppid() any one system call may fail.
 * Exit status 0 if every error is a documented one, and nothing is left. Argument: the backend's
 * number, and 1 for a queue.
 */
#include "../check.h"

#include "../backends.h"
#include <dirent.h>
#include <string.h>

static const int documented[] = {
    EACCES, EAGAIN, EBADMSG, EBUSY,  EDQUOT, EEXIST, EFBIG,      EINTR, EINVAL, EIDRM, EMFILE,
    ENFILE, ENOENT, ENOLCK,  ENOMEM, ENOSPC, ENOSYS, EOPNOTSUPP, EPERM, EPROTO, EROFS, ETIMEDOUT};

static int errors;

static bool is_done(int error)
{
    if (error == 0)
        return true;
    printf("error %d\n", error);
    errors++;
    bool is_documented = false;

    for (size_t i = 0; i < sizeof documented / sizeof *documented; i++)
        is_documented |= error == -documented[i];
    CHECK(is_documented);
    return false;
}

static int count_of(const char *path, const char *mark)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    int count = 0;

    CHECK(directory != NULL);
    while ((entry = readdir(directory)) != NULL)
        count += strstr(entry->d_name, mark) != NULL;
    closedir(directory);
    return count;
}

static void use_channel(const backend_ring *ring)
{
    shmring_sender tx = {0};
    shmring_receiver rx = {0};
    char byte = 0;

    if (is_done(backend_sender_open(&tx, ring, NULL)) &&
        is_done(backend_receiver_open(&rx, ring, NULL)) &&
        is_done(shmring_sender_send(&tx, &byte, sizeof byte, 0, SHMRING_NOW))) {
        is_done(shmring_receiver_recv(&rx, &byte, sizeof byte, NULL, NULL, SHMRING_NOW));
        if (shmring_receiver_recv(&rx, &byte, sizeof byte, NULL, NULL, shmring_deadline(1000)) == 0)
            errors++;
    }
    shmring_receiver_close(&rx);
    shmring_sender_close(&tx);
}

static void use_queue(const backend_ring *ring)
{
    shmring_queue_sender tx = {0};
    shmring_queue_receiver rx = {0};
    shmring_mpmc_slot slot;
    char byte = 0;

    if (is_done(backend_queue_sender_open(&tx, ring, NULL)) &&
        is_done(backend_queue_receiver_open(&rx, ring, NULL)) &&
        is_done(shmring_queue_send(&tx, &byte, sizeof byte, 0, SHMRING_NOW))) {
        is_done(shmring_queue_recv(&rx, &byte, sizeof byte, &slot, SHMRING_NOW));
        if (shmring_queue_recv(&rx, &byte, sizeof byte, &slot, shmring_deadline(1000)) == 0)
            errors++;
    }
    shmring_queue_receiver_close(&rx);
    shmring_queue_sender_close(&tx);
}

int main(int count, char **arguments)
{
    const shmring_channel_options options = {.capacity = 4096, .slot_size = 8};
    backend_ring ring;
    char mark[32];

    CHECK(count == 3);
    alarm(60);
    enum shmring_backend backend = (enum shmring_backend)atoi(arguments[1]);
    const bool is_queue = arguments[2][0] == '1';

    snprintf(mark, sizeof mark, "shmring-test-%d-", (int)getpid());
    int descriptors = count_of("/proc/self/fd", "");

    getppid();
    bool made = is_done(backend_ring_create(&ring, backend, is_queue, options));

    if (made && is_queue)
        use_queue(&ring);
    else if (made)
        use_channel(&ring);
    if (made)
        is_done(shmring_channel_unlink(ring.name, NULL));
    getppid();
    if (made)
        shmring_channel_unlink(ring.name, NULL); /* again: only one call fails */
    CHECK_EQ(count_of("/proc/self/fd", ""), descriptors);
    CHECK_EQ(count_of("/dev/shm", mark), 0);
    return 0;
}

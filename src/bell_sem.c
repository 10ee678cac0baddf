/* SPDX-License-Identifier: MIT */
/* POSIX semaphores, in the ring and beside it. */
#define _GNU_SOURCE /* sem_clockwait */
#include "bell_backends.h"
#include "shmring/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(sem_t) <= sizeof((struct shmring_bell_words){0}.semaphore), "it has room");

/* Where that stands which never changes: whether the semaphore is shared. Beside it are the value
 * and the number of sleepers. */
#if defined(__GLIBC__) && __SIZEOF_LONG__ == 4
enum { SHARED_AT = 4, SHARED_SIZE = 4 };
#else
enum { SHARED_AT = 8, SHARED_SIZE = 4 };
#endif

/* Rings that nobody slept through, at most: more say nothing. */
enum { RINGS_MAX = 64 };

/* glibc and musl abort, or wait for ever, if what never changes has changed; and a semaphore of
 * another C library, or of another word size, looks different there. */
static bool is_sound(const void *semaphore)
{
    sem_t sound;

    memset(&sound, 0, sizeof sound);
    return sem_init(&sound, 1, 0) == 0 &&
           memcmp((const char *)semaphore + SHARED_AT, (const char *)&sound + SHARED_AT,
                  SHARED_SIZE) == 0;
}

/* Semaphores are futexes, and glibc aborts where those are refused. */
static int try_kernel(const shmring_bell *bell)
{
    return bell_try_futex(bell->words, FUTEX_WAIT_BITSET);
}

static int sem_create(struct shmring_bell_words *words, const shmring_bell_place *place,
                      enum shmring_direction direction)
{
    (void)place;
    (void)direction;
    return sem_init((sem_t *)(void *)words->semaphore, 1, 0) != 0 ? -EOPNOTSUPP : 0;
}

static int sem_open_in_ring(shmring_bell *bell, const shmring_bell_place *place,
                            enum shmring_direction direction)
{
    (void)place;
    (void)direction;
    bell->semaphore = bell->words->semaphore;
    return is_sound(bell->semaphore) ? try_kernel(bell) : -EBADMSG;
}

static void sem_ring(const shmring_bell *bell, bool all)
{
    int posts = all ? RINGS_MAX : 1, value; /* nobody can say how many sleep */

    for (int i = 0; i < posts && is_sound(bell->semaphore) &&
                    sem_getvalue(bell->semaphore, &value) == 0 && value < RINGS_MAX; i++)
        sem_post(bell->semaphore); /* EOVERFLOW: it has been rung */
}

static void sem_clear(const shmring_bell *bell)
{
    int saved_errno = errno;

    for (int i = 0; i < RINGS_MAX && is_sound(bell->semaphore); i++)
        if (sem_trywait(bell->semaphore) != 0)
            break;
    errno = saved_errno;
}

static int sem_sleep(const shmring_bell *bell, uint32_t ticket, int64_t until)
{
    const int64_t ns_per_s = 1000000000;

    until = until > 0 ? until : 0;
    struct timespec time = {.tv_sec = (time_t)(until / ns_per_s), .tv_nsec = until % ns_per_s};

    (void)ticket;
    if (!is_sound(bell->semaphore))
        return bell_nap(until);
#if defined(__GLIBC__)
    int result = sem_clockwait(bell->semaphore, CLOCK_MONOTONIC, &time);
#else
    /* Other libraries wait by a clock that can be set. */
    (void)time;
    int result = sem_trywait(bell->semaphore);

    if (result != 0 && errno == EAGAIN)
        return bell_nap(until);
#endif
    if (result == 0 || errno == ETIMEDOUT)
        return 0;
    return errno == EINTR ? -EINTR : -ENOSYS;
}

/* Its name, and the file that sem_open(3) makes of it. */
struct names {
    char name[SHMRING_NAME_MAX + 16];
    char path[SHMRING_NAME_MAX + 32];
};

static int names_of(const shmring_bell_place *place, enum shmring_direction direction,
                    struct names *ret_names)
{
    const char *what = direction == SHMRING_FOR_MESSAGES ? "messages" : "room";

#ifndef __GLIBC__
    return -EOPNOTSUPP; /* where its file is, and who may write to it, we know of glibc only */
#endif
    if (place->name == NULL || shmring_segment_check_name(place->name) != 0)
        return -EINVAL;
    snprintf(ret_names->name, sizeof ret_names->name, "/%s.%s", place->name, what);
    snprintf(ret_names->path, sizeof ret_names->path, "/dev/shm/sem.%s.%s", place->name, what);
    return 0;
}

/* Is it that of the owner of the ring, and does it let in nobody else than the ring does? Nobody
 * but its owner can put another one in its place: the directory is sticky. */
static int check_file(const shmring_bell_place *place, const char *path, struct stat *ret_ring)
{
    struct stat file;

    if (fstat(place->segment_fd, ret_ring) != 0)
        return -EINVAL;
    if (lstat(path, &file) != 0)
        return -errno;
    if (!S_ISREG(file.st_mode) || file.st_uid != ret_ring->st_uid ||
        (file.st_mode & ~ret_ring->st_mode & 0777) != 0)
        return -EPERM;
    return file.st_size < (off_t)sizeof(sem_t) ? -EBADMSG : 0;
}

/* One that is there already was left behind, or is that of a ring that is being made, too. */
static int named_create(struct shmring_bell_words *words, const shmring_bell_place *place,
                        enum shmring_direction direction)
{
    struct names names;
    struct stat ring;
    int error = names_of(place, direction, &names);

    (void)words;
    if (error == 0)
        error = check_file(place, names.path, &ring);
    if (error != -ENOENT)
        return error != 0 ? error : 1;
    sem_t *semaphore = sem_open(names.name, O_CREAT | O_EXCL, (mode_t)0600, 0);

    if (semaphore == SEM_FAILED)
        return errno == EEXIST ? 1 : -errno;
    sem_close(semaphore);
    if (chown(names.path, (uid_t)-1, ring.st_gid) == 0 && chmod(names.path, ring.st_mode) == 0)
        return 0;
    error = -errno;
    sem_unlink(names.name);
    return error;
}

static void named_remove(struct shmring_bell_words *words, const shmring_bell_place *place,
                         enum shmring_direction direction)
{
    struct names names;

    (void)words;
    if (names_of(place, direction, &names) == 0)
        sem_unlink(names.name);
}

static int named_open(shmring_bell *bell, const shmring_bell_place *place,
                      enum shmring_direction direction)
{
    struct names names;
    struct stat ring;
    int error = names_of(place, direction, &names);

    if (error == 0)
        error = check_file(place, names.path, &ring);
    if (error != 0)
        return error;
    sem_t *semaphore = sem_open(names.name, 0);

    if (semaphore == SEM_FAILED)
        return -errno;
    bell->semaphore = semaphore;
    error = is_sound(semaphore) ? try_kernel(bell) : -EBADMSG;
    if (error != 0)
        sem_close(semaphore);
    return error;
}

static void named_close(shmring_bell *bell)
{
    sem_close(bell->semaphore);
}

const struct bell_backend bell_sem = {
    .create = sem_create,
    .open = sem_open_in_ring,
    .ring = sem_ring,
    .clear = sem_clear,
    .sleep = sem_sleep,
};

const struct bell_backend bell_named_sem = {
    .create = named_create,
    .remove = named_remove,
    .open = named_open,
    .close = named_close,
    .ring = sem_ring,
    .clear = sem_clear,
    .sleep = sem_sleep,
};

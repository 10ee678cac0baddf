/* SPDX-License-Identifier: MIT */
/* POSIX semaphores, in the ring and beside it. */
#define _GNU_SOURCE /* sem_clockwait */
#include "bell_backends.h"
#include "shmring/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(sem_t) <= sizeof((struct shmring_bell_words){0}.semaphore), "it has room");

/* Where that stands which never changes: whether the semaphore is shared. Beside it are the value
 * and the number of sleepers. */
#if defined(__GLIBC__) && __SIZEOF_LONG__ == 4
enum { SHARED_AT = 4, SHARED_SIZE = 4 };
#else
enum { SHARED_AT = 8, SHARED_SIZE = 4 };
#endif

/* Rings that nobody slept through, at most: more say nothing. */
enum { CLEARED_AT_ONCE = 64 };

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

static int sem_create(struct shmring_bell_words *words, const shmring_bell_place *place,
                      enum shmring_direction direction, uint32_t mode)
{
    (void)place;
    (void)direction;
    (void)mode;
    return sem_init((sem_t *)(void *)words->semaphore, 1, 0) != 0 ? -EOPNOTSUPP : 0;
}

static int sem_open_in_ring(shmring_bell *bell, const shmring_bell_place *place,
                            enum shmring_direction direction)
{
    (void)place;
    (void)direction;
    bell->semaphore = bell->words->semaphore;
    return is_sound(bell->semaphore) ? 0 : -EBADMSG;
}

static void sem_ring(const shmring_bell *bell, bool all)
{
    int value;

    (void)all; /* nobody can say how many: event.h passes it on */
    if (is_sound(bell->semaphore) && sem_getvalue(bell->semaphore, &value) == 0 &&
        value < CLEARED_AT_ONCE)
        sem_post(bell->semaphore); /* EOVERFLOW: it has been rung */
}

static void sem_clear(const shmring_bell *bell)
{
    int saved_errno = errno;

    for (int i = 0; i < CLEARED_AT_ONCE && is_sound(bell->semaphore); i++)
        if (sem_trywait(bell->semaphore) != 0)
            break;
    errno = saved_errno;
}

static int sem_sleep(const shmring_bell *bell, uint32_t ticket, int64_t until)
{
    const int64_t ns_per_s = 1000000000;
    struct timespec time = {.tv_sec = (time_t)(until / ns_per_s), .tv_nsec = until % ns_per_s};

    (void)ticket;
    if (!is_sound(bell->semaphore))
        return bell_nap(until);
#if defined(__GLIBC__)
    int result = sem_clockwait(bell->semaphore, CLOCK_MONOTONIC, &time);
#else
    struct timespec left = bell_time_until(until), now;

    clock_gettime(CLOCK_REALTIME, &now);
    time.tv_sec = now.tv_sec + left.tv_sec + (now.tv_nsec + left.tv_nsec) / ns_per_s;
    time.tv_nsec = (now.tv_nsec + left.tv_nsec) % ns_per_s;
    int result = sem_timedwait(bell->semaphore, &time);
#endif
    if (result == 0 || errno == ETIMEDOUT)
        return 0;
    return errno == EINTR ? -EINTR : -ENOSYS;
}

/* sem_open(3) puts "sem." before it: no ring is called so, whose name the library gives. */
static int name_of(const shmring_bell_place *place, enum shmring_direction direction,
                   char ret_name[SHMRING_NAME_MAX + 16])
{
    if (place->name == NULL || shmring_segment_check_name(place->name) != 0)
        return -EINVAL;
    snprintf(ret_name, SHMRING_NAME_MAX + 16, "/%s.%s", place->name,
             direction == SHMRING_FOR_MESSAGES ? "messages" : "room");
    return 0;
}

/* One that is there already was left behind, and is as good. */
static int named_create(struct shmring_bell_words *words, const shmring_bell_place *place,
                        enum shmring_direction direction, uint32_t mode)
{
    char name[SHMRING_NAME_MAX + 16];
    int error = name_of(place, direction, name);

    (void)words;
    if (error != 0)
        return error;
    sem_t *semaphore = sem_open(name, O_CREAT, (mode_t)mode, 0);

    if (semaphore == SEM_FAILED)
        return -errno;
    sem_close(semaphore);
    return 0;
}

static void named_remove(struct shmring_bell_words *words, const shmring_bell_place *place,
                         enum shmring_direction direction)
{
    char name[SHMRING_NAME_MAX + 16];

    (void)words;
    if (name_of(place, direction, name) == 0)
        sem_unlink(name);
}

static int named_open(shmring_bell *bell, const shmring_bell_place *place,
                      enum shmring_direction direction)
{
    char name[SHMRING_NAME_MAX + 16];
    int error = name_of(place, direction, name);

    if (error != 0)
        return error;
    sem_t *semaphore = sem_open(name, 0);

    if (semaphore == SEM_FAILED)
        return -errno;
    bell->semaphore = semaphore;
    if (is_sound(semaphore))
        return 0;
    sem_close(semaphore);
    return -EBADMSG;
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

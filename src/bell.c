/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* syscall */
#include "shmring/bell.h"

#include "bell_backends.h"
#include "shmring/clock.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int64_t NS_PER_S = 1000000000, NAP_NS = 1000000;

static const struct bell_backend *const backends[SHMRING_BACKEND_SOCKET + 1] = {
    [SHMRING_BACKEND_FUTEX] = &bell_futex,   [SHMRING_BACKEND_EVENTFD] = &bell_eventfd,
    [SHMRING_BACKEND_SEM] = &bell_sem,       [SHMRING_BACKEND_NAMED_SEM] = &bell_named_sem,
    [SHMRING_BACKEND_SYSV_SEM] = &bell_sysv, [SHMRING_BACKEND_SOCKET] = &bell_socket,
};

struct timespec bell_time_until(int64_t until)
{
    int64_t now = shmring_clock(), left = until > now ? until - now : 0;

    return (struct timespec){.tv_sec = (time_t)(left / NS_PER_S), .tv_nsec = left % NS_PER_S};
}

int bell_nap(int64_t until)
{
    int64_t nap = shmring_clock() + NAP_NS;
    struct timespec time = bell_time_until(nap < until ? nap : until);

    if (nanosleep(&time, NULL) == 0)
        return 0;
    return errno == EINTR ? -EINTR : -ENOSYS;
}

/* The words of a direction, in a ring of either kind. */
static struct shmring_bell_words *words_of(uint8_t *memory, const shmring_geometry *geometry,
                                           enum shmring_direction direction)
{
    if (geometry->kind == SHMRING_KIND_MPMC) {
        struct shmring_mpmc_control *control = (void *)(memory + geometry->control_offset);

        return direction == SHMRING_FOR_MESSAGES ? &control->messages.bell : &control->room.bell;
    }
    uint64_t ringer =
        direction == SHMRING_FOR_MESSAGES ? geometry->producer_offset : geometry->consumer_offset;

    return &((struct shmring_role *)(void *)(memory + ringer))->bell;
}

static int create_one(uint8_t *memory, const shmring_geometry *geometry,
                      const shmring_bell_place *place, enum shmring_direction direction)
{
    const struct bell_backend *backend = backends[place->backend];
    struct shmring_bell_words *words = words_of(memory, geometry, direction);
    int made = backend->create != NULL ? backend->create(words, place, direction) : 0;
    shmring_bell bell;

    if (made < 0)
        return made;
    int error = shmring_bell_open(&bell, words, place, direction);

    if (error == 0)
        shmring_bell_close(&bell);
    else if (made == 0 && backend->remove != NULL)
        backend->remove(words, place, direction);
    return error != 0 ? error : made;
}

int shmring_bells_create(void *memory, const shmring_geometry *geometry,
                         const shmring_bell_place *place)
{
    if (place->backend >= SHMRING_BACKENDS)
        return -EINVAL;
    int first = create_one(memory, geometry, place, SHMRING_FOR_MESSAGES);

    if (first < 0)
        return first;
    int second = create_one(memory, geometry, place, SHMRING_FOR_ROOM);

    if (second < 0 && first == 0 && backends[place->backend]->remove != NULL)
        backends[place->backend]->remove(words_of(memory, geometry, SHMRING_FOR_MESSAGES), place,
                                         SHMRING_FOR_MESSAGES);
    return second < 0 ? second : 0;
}

void shmring_bells_remove(void *memory, const shmring_geometry *geometry,
                          const shmring_bell_place *place)
{
    if (place->backend >= SHMRING_BACKENDS || backends[place->backend]->remove == NULL)
        return;
    for (int direction = SHMRING_FOR_MESSAGES; direction <= SHMRING_FOR_ROOM; direction++)
        backends[place->backend]->remove(
            words_of(memory, geometry, (enum shmring_direction)direction), place,
            (enum shmring_direction)direction);
}

int shmring_bell_open(shmring_bell *ret_bell, struct shmring_bell_words *words,
                      const shmring_bell_place *place, enum shmring_direction direction)
{
    shmring_bell bell = {.words = words, .backend = place->backend, .fd = -1, .ringer = -1};

    if (place->backend > SHMRING_BACKEND_SOCKET || backends[place->backend] == NULL)
        return -EINVAL;
    int error = backends[place->backend]->open(&bell, place, direction);

    if (error == 0)
        *ret_bell = bell;
    return error;
}

void shmring_bell_close(shmring_bell *bell)
{
    shmring_bell closing = *bell;
    int saved_errno = errno;

    /* First: a handler may ring it from here on. */
    bell->words = NULL;
    if (closing.words != NULL && backends[closing.backend]->close != NULL)
        backends[closing.backend]->close(&closing);
    *bell = (shmring_bell){.fd = -1, .ringer = -1};
    errno = saved_errno;
}

void shmring_bell_ring(const shmring_bell *bell, bool all)
{
    int saved_errno = errno;

    if (bell->words == NULL)
        return;
    backends[bell->backend]->ring(bell, all);
    errno = saved_errno;
}

void shmring_bell_clear(const shmring_bell *bell)
{
    if (backends[bell->backend]->clear != NULL)
        backends[bell->backend]->clear(bell);
}

int shmring_bell_sleep(const shmring_bell *bell, uint32_t ticket, int64_t until)
{
    return backends[bell->backend]->sleep(bell, ticket, until);
}

int bell_try_futex(struct shmring_bell_words *words, int wait)
{
    struct timespec none = {0};
    /* relaxed: the word only counts up. On a value that it may come to we would sleep for a moment,
     * and could be woken in place of another. */
    uint32_t other = shmring_load32_relaxed(&words->wakes) - 1;

    if (syscall(SYS_futex, &words->wakes, wait, other, &none, NULL, FUTEX_BITSET_MATCH_ANY) != 0 &&
        errno != EAGAIN && errno != ETIMEDOUT && errno != EINTR)
        return -EOPNOTSUPP;
    if (syscall(SYS_futex, &words->wakes, FUTEX_WAKE, 0, NULL, NULL, 0) < 0)
        return -EOPNOTSUPP;
    return 0;
}

static int futex_open(shmring_bell *bell, const shmring_bell_place *place,
                      enum shmring_direction direction)
{
    (void)place;
    (void)direction;
    return bell_try_futex(bell->words, FUTEX_WAIT);
}

static void futex_ring(const shmring_bell *bell, bool all)
{
    /* An error leaves the sleeper to its cap. */
    syscall(SYS_futex, &bell->words->wakes, FUTEX_WAKE, all ? INT_MAX : 1, NULL, NULL, 0);
}

static int futex_sleep(const shmring_bell *bell, uint32_t ticket, int64_t until)
{
    struct timespec left = bell_time_until(until);
    /* The kernel's own struct: two longs, also where time_t is wider than a long. */
    struct {
        long seconds, nanoseconds;
    } timeout = {(long)left.tv_sec, (long)left.tv_nsec};

    if (syscall(SYS_futex, &bell->words->wakes, FUTEX_WAIT, ticket, &timeout, NULL, 0) == 0 ||
        errno == EAGAIN || errno == ETIMEDOUT)
        return 0;
    return errno == EINTR ? -EINTR : -ENOSYS;
}

const struct bell_backend bell_futex = {
    .open = futex_open,
    .ring = futex_ring,
    .sleep = futex_sleep,
};

/* SPDX-License-Identifier: MIT */
/* System V semaphores: a set of one for each direction. */
#define _GNU_SOURCE /* semtimedop, struct ipc_perm.__key */
#include "bell_backends.h"

#include <errno.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/stat.h>

enum {
    KEYS = 16,       /* tried, should one be taken */
    RINGS_MAX = 64,  /* more say nothing; far below SEMVMX */
};

/* semctl(2) leaves it to the caller to define this. */
union semctl_argument {
    int value;
    struct semid_ds *status;
};

/* The first of the keys that a ring's set may have: never IPC_PRIVATE, nor another ring's first
 * but by chance. */
static int key_of(int segment_fd, enum shmring_direction direction, struct stat *ret_status,
                  key_t *ret_key)
{
    if (fstat(segment_fd, ret_status) != 0)
        return -EINVAL;
    uint64_t hash = ((uint64_t)ret_status->st_ino * 2 + (uint64_t)direction) ^
                    (uint64_t)ret_status->st_dev << 48;

    hash *= UINT64_C(0x9e3779b97f4a7c15);
    *ret_key = (key_t)((hash >> 33 | 1) * KEYS & 0x7fffffff) | 0x40000000;
    return 0;
}

static int sysv_create(struct shmring_bell_words *words, const shmring_bell_place *place,
                       enum shmring_direction direction)
{
    const union semctl_argument zero = {.value = 0};
    struct semid_ds made;
    struct stat status;
    key_t key;

    if (place->name == NULL || key_of(place->segment_fd, direction, &status, &key) != 0)
        return -EINVAL;
    for (int i = 0; i < KEYS; i++) {
        int set = semget(key + i, 1, IPC_CREAT | IPC_EXCL | (int)(status.st_mode & 0777));

        if (set < 0 && errno == EEXIST)
            continue;
        if (set < 0)
            return errno == ENOSYS || errno == EPERM ? -EOPNOTSUPP : -errno;
        const union semctl_argument it = {.status = &made};
        bool good = semctl(set, 0, SETVAL, zero) == 0 && semctl(set, 0, IPC_STAT, it) == 0;

        made.sem_perm.gid = status.st_gid;
        if (!good || semctl(set, 0, IPC_SET, it) != 0) {
            semctl(set, 0, IPC_RMID);
            return -EOPNOTSUPP;
        }
        /* relaxed: the segment is published after that. */
        shmring_store32_relaxed(&words->sysv_id, (uint32_t)set);
        return 0;
    }
    return -EEXIST;
}

/* The set whose number stands in the ring, if it is one that was made for the ring: any member
 * may have written any number there. */
static int find_set(const struct shmring_bell_words *words, const shmring_bell_place *place,
                    enum shmring_direction direction)
{
    /* relaxed: stored before the segment was published. */
    int set = (int)shmring_load32_relaxed(&words->sysv_id);
    struct semid_ds found = {0};
    union semctl_argument into = {.status = &found};
    struct stat status;
    key_t key;

    if (key_of(place->segment_fd, direction, &status, &key) != 0)
        return -EINVAL;
    if (semctl(set, 0, IPC_STAT, into) != 0)
        return errno == EIDRM || errno == EINVAL ? -ENOENT : -errno;
    if (found.sem_perm.__key < key || found.sem_perm.__key >= key + KEYS ||
        found.sem_nsems != 1 || found.sem_perm.cuid != status.st_uid)
        return -EBADMSG;
    return set;
}

static void sysv_remove(struct shmring_bell_words *words, const shmring_bell_place *place,
                        enum shmring_direction direction)
{
    int set = find_set(words, place, direction);

    if (set >= 0)
        semctl(set, 0, IPC_RMID);
}

/* No SEM_UNDO: see bell.h. */
static int change(int set, short by, const struct timespec *timeout)
{
    struct sembuf operation = {.sem_op = by, .sem_flg = timeout == NULL ? IPC_NOWAIT : 0};

    return semtimedop(set, &operation, 1, timeout) != 0 ? -errno : 0;
}

static int sysv_open(shmring_bell *bell, const shmring_bell_place *place,
                     enum shmring_direction direction)
{
    int set = find_set(bell->words, place, direction);

    if (set < 0)
        return set;
    /* A seccomp filter may let semctl pass and no operation. Up and down at once: nobody is woken
     * by it, and no ring is taken from who was rung. */
    struct sembuf nothing[] = {{.sem_op = 1, .sem_flg = IPC_NOWAIT},
                               {.sem_op = -1, .sem_flg = IPC_NOWAIT}};

    if (semtimedop(set, nothing, 2, NULL) != 0 && errno != ERANGE)
        return errno == EACCES ? -EACCES : -EOPNOTSUPP;
    bell->set = set;
    return 0;
}

static void sysv_ring(const shmring_bell *bell, bool all)
{
    /* How many sleep, the kernel knows, and it forgets those that die. */
    int sleepers = all ? semctl(bell->set, 0, GETNCNT) : 1;

    if (semctl(bell->set, 0, GETVAL) < RINGS_MAX)
        change(bell->set, (short)(sleepers < 1 ? 1 : sleepers < RINGS_MAX ? sleepers : RINGS_MAX),
               NULL);
}

static void sysv_clear(const shmring_bell *bell)
{
    int saved_errno = errno, value = semctl(bell->set, 0, GETVAL);

    for (; value > 0 && change(bell->set, -1, NULL) == 0; value--)
        continue;
    errno = saved_errno;
}

static int sysv_sleep(const shmring_bell *bell, uint32_t ticket, int64_t until)
{
    struct timespec left = bell_time_until(until);
    int error = change(bell->set, -1, &left);

    (void)ticket;
    switch (error) {
    case 0:
    case -EAGAIN: /* it is time */
        return 0;
    case -EINTR:
    case -EIDRM:
        return error;
    case -EINVAL: /* removed before */
        return -EIDRM;
    default:
        return -ENOSYS;
    }
}

const struct bell_backend bell_sysv = {
    .create = sysv_create,
    .remove = sysv_remove,
    .open = sysv_open,
    .ring = sysv_ring,
    .clear = sysv_clear,
    .sleep = sysv_sleep,
};

/* SPDX-License-Identifier: MIT */
/* What the bells are made of: futexes, eventfds, semaphores. A sleep ends at once, at its time. */
#define _GNU_SOURCE /* syscall, preadv2, sem_clockwait */
#include "kernel_names.h"

#include "kernel.h"
#include "kernel_state.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <semaphore.h>
#include <stdarg.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

static const int64_t NS_PER_S = 1000000000;
static const int sleep_errors[] = {EINTR, EAGAIN, ENOSYS, 0};

enum { WOKEN = 7 }; /* a choice, for nothing; other numbers are errors */

static int64_t in_ns(const struct timespec *time)
{
    return (int64_t)time->tv_sec * NS_PER_S + time->tv_nsec;
}

static long sleep_on_futex(const void *word, uint32_t value, int64_t until)
{
    uint8_t choice = kernel_choice();
    uint32_t is;

    memcpy(&is, word, sizeof is);
    if (kernel_refuse(choice, sleep_errors) != 0)
        return -1;
    if (choice == WOKEN)
        return 0;
    errno = is != value ? EAGAIN : ETIMEDOUT;
    if (is == value)
        kernel_sleep_until(until);
    return -1;
}

static long futex(va_list arguments)
{
    static const int errors[] = {ENOSYS, EPERM, 0};
    const void *word = va_arg(arguments, const void *);
    int operation = va_arg(arguments, int);
    uint32_t value = va_arg(arguments, uint32_t);

    if (operation == FUTEX_WAKE)
        return kernel_refuse(kernel_choice(), errors);
    const struct timespec *time = va_arg(arguments, const struct timespec *);

    fuzz_expect(time->tv_nsec >= 0 && time->tv_nsec < NS_PER_S && time->tv_sec >= 0,
                "a time is a time");
    return sleep_on_futex(word, value, kernel.now + in_ns(time));
}

/* struct futex_waitv: value, address, flags. */
static long futex_waitv(va_list arguments)
{
    const uint64_t *first = va_arg(arguments, const uint64_t *);
    unsigned count = va_arg(arguments, unsigned);
    const struct timespec *time;

    (void)va_arg(arguments, unsigned);
    time = va_arg(arguments, const struct timespec *);
    fuzz_expect(count != 0 && time->tv_nsec < NS_PER_S, "a wait has something to wait for");
    return sleep_on_futex((const void *)(uintptr_t)first[1], (uint32_t)first[0], in_ns(time));
}

long kernel_syscall(long number, ...)
{
    static const int errors[] = {ENOSYS, EPERM, ENOMEM, 0};
    va_list arguments;
    long result;

    va_start(arguments, number);
    switch (number) {
    case SYS_futex:
        result = futex(arguments);
        break;
    case SYS_futex_waitv:
        result = futex_waitv(arguments);
        break;
    case SYS_membarrier:
        result = kernel_refuse(kernel_choice(), errors);
        break;
    default:
        fuzz_fail("the library makes the system calls that it made", number);
    }
    va_end(arguments);
    return result;
}

static int ready(struct pollfd *fds, nfds_t count)
{
    int all = 0;

    for (nfds_t i = 0; i < count; i++) {
        const struct kernel_file *file = kernel_file(fds[i].fd);
        bool readable = file != NULL && file->count != 0;

        fds[i].revents = file == NULL ? POLLNVAL : (short)(POLLOUT | (readable ? POLLIN : 0));
        fds[i].revents &= (short)(fds[i].events | POLLNVAL);
        all += fds[i].revents != 0;
    }
    return all;
}

int kernel_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    static const int errors[] = {EINTR, ENOMEM, 0};

    fuzz_expect(timeout == 0, "the library looks, and does not wait like that");
    return kernel_refuse(kernel_choice(), errors) != 0 ? -1 : ready(fds, count);
}

int kernel_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                 const sigset_t *mask)
{
    static const int errors[] = {EINTR, ENOMEM, 0};
    int all = ready(fds, count);

    (void)mask;
    if (kernel_refuse(kernel_choice(), errors) != 0)
        return -1;
    if (all == 0)
        kernel_sleep_until(kernel.now + in_ns(timeout));
    return all;
}

ssize_t kernel_read(int fd, void *place, size_t size)
{
    struct kernel_file *file = kernel_file(fd);

    if (file == NULL)
        return -1;
    fuzz_expect(size == sizeof file->count, "eventfds are read as such");
    errno = EAGAIN;
    if (file->count == 0)
        return -1;
    memcpy(place, &file->count, size);
    file->count = 0;
    return (ssize_t)size;
}

ssize_t kernel_preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
    static const int errors[] = {EOPNOTSUPP, EAGAIN, 0};

    (void)count, (void)offset, (void)flags;
    if (kernel_refuse(kernel_choice(), errors) != 0)
        return -1;
    return kernel_read(fd, parts->iov_base, parts->iov_len);
}

ssize_t kernel_write(int fd, const void *place, size_t size)
{
    static const int errors[] = {EAGAIN, 0};
    struct kernel_file *file = kernel_file(fd);
    uint64_t by;

    if (file == NULL)
        return -1;
    memcpy(&by, place, sizeof by);
    errno = EINVAL;
    if (by == UINT64_MAX || (by != 0 && kernel_refuse(kernel_choice(), errors) != 0))
        return -1;
    file->count += by;
    return (ssize_t)size;
}

/* A semaphore lies in the ring: that it can be touched is all that is asked of it. */
static uint8_t touch(const sem_t *semaphore)
{
    return region_read(semaphore, sizeof *semaphore);
}

int kernel_sem_getvalue(sem_t *semaphore, int *ret_value)
{
    static const int values[8] = {0, 1, 63, 64, 65, INT32_MAX, -1, 2};

    touch(semaphore);
    *ret_value = values[kernel_choice()];
    return 0;
}

int kernel_sem_post(sem_t *semaphore)
{
    static const int errors[] = {EOVERFLOW, EINVAL, 0};

    touch(semaphore);
    return kernel_refuse(kernel_choice(), errors);
}

int kernel_sem_trywait(sem_t *semaphore)
{
    touch(semaphore);
    errno = EAGAIN;
    return kernel_choice() == WOKEN ? 0 : -1;
}

int kernel_sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
    static const int errors[] = {EINTR, EINVAL, 0};
    uint8_t choice = kernel_choice();

    (void)clock;
    touch(semaphore);
    fuzz_expect(until->tv_nsec >= 0 && until->tv_nsec < NS_PER_S, "a time is a time");
    if (kernel_refuse(choice, errors) != 0)
        return -1;
    if (choice == WOKEN)
        return 0;
    kernel_sleep_until(in_ns(until));
    errno = ETIMEDOUT;
    return -1;
}

/* The set of a direction has its number; the key is the one that a ring of that inode would have.
 */
static key_t key_of(int set)
{
    uint64_t hash = (UINT64_C(1) * 2 + (uint64_t)set) ^ UINT64_C(1) << 48;

    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return (key_t)((hash >> 33 | 1) * 16 & 0x7fffffff) | 0x40000000;
}

int kernel_semctl(int set, int number, int command, ...)
{
    static const int errors[] = {EIDRM, EINVAL, EACCES, 0};
    uint8_t choice = kernel_choice();
    va_list arguments;

    (void)number;
    if ((set != 0 && set != 1) || kernel_refuse(choice, errors) != 0) {
        errno = set != 0 && set != 1 ? EINVAL : errno;
        return -1;
    }
    if (command != IPC_STAT)
        return choice * 20; /* of GETVAL and GETNCNT */
    va_start(arguments, command);
    struct semid_ds *status = va_arg(arguments, struct semid_ds *);
    va_end(arguments);
    memset(status, 0, sizeof *status);
    status->sem_perm.__key = key_of(set) + (choice == 4 ? 16 : 0);
    status->sem_nsems = choice == 5 ? 2 : 1;
    status->sem_perm.cuid = choice == 6 ? 1 : 0;
    return 0;
}

int kernel_semtimedop(int set, struct sembuf *operations, size_t count,
                      const struct timespec *timeout)
{
    static const int errors[] = {EINTR, EIDRM, EINVAL, EACCES, ERANGE, 0};
    uint8_t choice = kernel_choice();

    (void)set, (void)count;
    if (kernel_refuse(choice, errors) != 0)
        return -1;
    if (operations->sem_op > 0 || choice == WOKEN)
        return 0;
    if (timeout != NULL)
        kernel_sleep_until(kernel.now + in_ns(timeout));
    errno = EAGAIN;
    return -1;
}

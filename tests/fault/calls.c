/* SPDX-License-Identifier: MIT */
/*
 * The errors are those of the manual pages (section 2 and 3), less what only a wrong program gets
 * (EBADF, EFAULT, EINVAL for flags that we pass as constants), and with what older kernels and
 * seccomp filters answer where the library says that it copes (ENOSYS, EINVAL, EPERM).
 * CMake makes a wrapper for each name of this table; calls.py finds what it lacks.
 */
#include "../check.h"

#include "calls.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum { PEERPIDFD = 77, COLLAPSE = 25, ALL = -1 };

static const fault_call calls[] = {
    {"accept4",
     .errors = {EAGAIN, ECONNABORTED, EINTR, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EPROTO}},
    {"bind", .errors = {EACCES, EADDRINUSE, ENOENT, ENOMEM, ENOSPC, ENOTDIR, EROFS}},
    {"chmod", .errors = {EACCES, ENOENT, ENOMEM, EPERM, EROFS}},
    {"chown", .errors = {EACCES, ENOENT, ENOMEM, EPERM, EROFS}},
    {"close", .errors = {EINTR, EIO}, .is_done = 1},
    {"connect", .errors = {EACCES, EAGAIN, ECONNREFUSED, EINTR, ENOENT, EPERM, EPROTOTYPE}},
    {"epoll_create1", .errors = {EMFILE, ENFILE, ENOMEM}},
    {"epoll_ctl", .errors = {ENOMEM, ENOSPC}, .when = {1, ALL, EPOLL_CTL_ADD}},
    {"epoll_ctl", .errors = {ENOMEM}},
    {"epoll_wait", .errors = {EINTR}},
    {"eventfd", .errors = {EMFILE, ENFILE, ENOMEM, ENOSYS}},
    {"faccessat", .errors = {EACCES, ENOMEM}},
    {"fallocate", .errors = {EFBIG, EINTR, ENOMEM, ENOSPC, ENOSYS, EOPNOTSUPP, EPERM}},
    {"fchmod", .errors = {EPERM, EROFS}},
    {"fchown", .errors = {EPERM, EROFS}},
    {"fcntl", .errors = {EMFILE}, .when = {1, ALL, F_DUPFD_CLOEXEC}},
    {"fcntl", .errors = {0}, .when = {1, ALL, F_GETFL}},
    {"fcntl", .errors = {0}, .when = {1, ALL, F_GETFD}},
    {"fcntl", .errors = {0}, .when = {1, ALL, F_SETFD}},
    {"fcntl", .errors = {EPERM}, .when = {1, ALL, F_SETFL}},
    {"fcntl", .errors = {EACCES, EAGAIN, EINVAL, ENOLCK}, .when = {1, ALL, F_OFD_SETLK}},
    {"fcntl", .errors = {EINVAL, ENOLCK}, .when = {1, ALL, F_OFD_GETLK}},
    {"fcntl", .errors = {EINVAL, EPERM}, .when = {1, ALL, F_ADD_SEALS}},
    {"fcntl", .errors = {EINVAL}, .when = {1, ALL, F_GET_SEALS}},
    {"fstat", .errors = {ENOMEM}, .undoes = 2},
    {"fstatfs", .errors = {EIO, ENOMEM, ENOSYS}},
    {"ftruncate", .errors = {EFBIG, EINVAL, EPERM, EROFS}},
    {"getcwd", .errors = {EACCES, ENOENT, ENOMEM, ERANGE}, .returns_null = 1},
    {"getrandom", .errors = {EAGAIN, EINTR, ENOSYS, FAULT_SHORT}, .size_argument = 1},
    {"getsockopt", .errors = {EINVAL, EMFILE, ENFILE, ENOPROTOOPT, ESRCH},
     .when = {2, ALL, PEERPIDFD}},
    {"getsockopt", .errors = {0}, .when = {2, ALL, SO_PEERCRED}},
    {"getsockopt", .errors = {ENOTSOCK}},
    {"linkat", .errors = {EACCES, EDQUOT, EEXIST, ENOENT, ENOMEM, ENOSPC, EPERM, EROFS},
     .leaves = {EEXIST}},
    {"listen", .errors = {EADDRINUSE}},
    {"lstat", .errors = {EACCES, ENOENT, ENOMEM}, .under = "/dev/shm/"},
    {"lstat", .errors = {EACCES, ELOOP, ENOENT, ENOMEM, ENOTDIR}, .undoes = 1},
    {"madvise", .errors = {EINVAL}, .when = {2, ALL, MADV_WIPEONFORK}},
    {"madvise", .errors = {EINVAL, ENOMEM}, .when = {2, ALL, MADV_DONTFORK}},
    {"madvise", .errors = {EAGAIN, EBUSY, EINVAL, ENOMEM}, .when = {2, ALL, COLLAPSE}},
    {"madvise", .errors = {EAGAIN, EFAULT, EHWPOISON, EINTR, EINVAL, ENOMEM},
     .leaves = {EFAULT, EHWPOISON}},
    {"memfd_create", .errors = {EINVAL, EMFILE, ENFILE, ENOMEM, ENOSYS}},
    {"mkdir",
     .errors = {EACCES, EDQUOT, EEXIST, EMLINK, ENOENT, ENOMEM, ENOSPC, ENOTDIR, EPERM, EROFS}},
    {"mlock", .errors = {EAGAIN, ENOMEM, EPERM}},
    {"mmap", .errors = {ENOMEM}, .when = {3, MAP_ANONYMOUS, MAP_ANONYMOUS}},
    {"mmap", .errors = {EAGAIN, ENFILE, ENOMEM}},
    {"nanosleep", .errors = {EINTR, ENOSYS, EPERM}},
    {"open",
     .errors = {EACCES, EDQUOT, EINVAL, EISDIR, EMFILE, ENFILE, ENOENT, ENOMEM, ENOSPC, EOPNOTSUPP,
                EPERM, EROFS},
     .when = {1, O_TMPFILE, O_TMPFILE}},
    {"open",
     .errors = {EACCES, EDQUOT, EEXIST, EMFILE, ENFILE, ENOENT, ENOMEM, ENOSPC, EPERM, EROFS},
     .when = {1, O_EXCL, O_EXCL}},
    {"open",
     .errors = {EACCES, EDQUOT, EEXIST, ELOOP, EMFILE, ENFILE, ENOENT, ENOMEM, ENOSPC, ENXIO, EPERM,
                EROFS},
     .when = {1, O_CREAT, O_CREAT}},
    {"open", .errors = {EACCES, EISDIR, ELOOP, EMFILE, ENFILE, ENOENT, ENOMEM, ENXIO, EPERM, EROFS},
     .when = {1, O_NOFOLLOW, O_NOFOLLOW},
     .leaves = {EACCES, EISDIR, ELOOP, ENOENT, ENXIO, EPERM, EROFS}},
    {"open", .errors = {EACCES, EMFILE, ENFILE, ENOENT, ENOMEM}},
    {"poll", .errors = {EINTR, EINVAL, ENOMEM, ENOSYS}},
    {"ppoll", .errors = {EINTR, EINVAL, ENOMEM, ENOSYS, EPERM}},
    {"pread", .errors = {EIO, FAULT_SHORT}, .size_argument = 2, .leaves = {EIO, FAULT_SHORT}},
    {"preadv2", .errors = {EAGAIN, EOPNOTSUPP}},
    {"pwrite", .errors = {EFBIG, ENOSPC, EPERM, FAULT_SHORT}, .size_argument = 2},
    {"read", .errors = {EAGAIN, EINTR}},
    {"recv", .errors = {EAGAIN, ECONNRESET, EINTR, ENOMEM}},
    {"recvmsg", .errors = {EAGAIN, ECONNRESET, EINTR, ENOMEM}},
    {"rename", .errors = {EACCES, EBUSY, EDQUOT, EISDIR, ENOENT, ENOMEM, ENOSPC, EPERM, EROFS}},
    {"sem_clockwait", .errors = {EINTR, ENOSYS, ETIMEDOUT}},
    {"sem_close", .errors = {0}, .is_done = 1},
    {"sem_getvalue", .errors = {EINVAL}},
    {"sem_open", .errors = {EACCES, EEXIST, EMFILE, ENFILE, ENOMEM, ENOSPC}, .returns_null = 1,
     .when = {1, O_CREAT, O_CREAT}},
    {"sem_open", .errors = {EACCES, EMFILE, ENFILE, ENOENT, ENOMEM}, .returns_null = 1},
    {"sem_post", .errors = {EOVERFLOW}},
    {"sem_trywait", .errors = {EAGAIN, EINTR}},
    {"sem_unlink", .errors = {EACCES, ENOENT}, .undoes = 1},
    {"semctl", .errors = {EACCES, EIDRM, EINVAL, EPERM}, .when = {2, ALL, IPC_RMID}, .undoes = 1},
    {"semctl", .errors = {EACCES, EIDRM, EINVAL, EPERM}, .when = {2, ALL, IPC_SET}},
    {"semctl", .errors = {EACCES, EIDRM, EINVAL, EPERM}, .when = {2, ALL, SETVAL}},
    {"semctl", .errors = {EACCES, EIDRM, EINVAL}, .undoes = 2},
    {"semget", .errors = {EACCES, EEXIST, ENOMEM, ENOSPC, ENOSYS, EPERM}},
    {"semtimedop", .errors = {EACCES, EAGAIN, EIDRM, EINTR, EINVAL, ENOMEM, ENOSYS, EPERM, ERANGE}},
    {"send", .errors = {EAGAIN, ECONNRESET, ENOBUFS, ENOMEM, EPIPE}},
    {"sendmsg",
     .errors = {EAGAIN, ECONNRESET, ENOBUFS, ENOMEM, ENOTCONN, EPERM, EPIPE, ETOOMANYREFS}},
    {"setsockopt", .errors = {ENOMEM, ENOPROTOOPT}},
    {"socket", .errors = {EACCES, EMFILE, ENFILE, ENOBUFS, ENOMEM}},
    {"stat", .errors = {EACCES, ELOOP, ENOENT, ENOMEM, ENOTDIR}},
    {"syscall", .errors = {EAGAIN, EINTR, ENOSYS, EPERM, ETIMEDOUT}, .when = {0, ALL, SYS_futex}},
    {"syscall", .errors = {EAGAIN, EINTR, ENOSYS, EPERM, ETIMEDOUT}, .when = {0, ALL, 449}},
    {"syscall", .errors = {EINVAL, ENOMEM, ENOSYS, EPERM}, .when = {0, ALL, SYS_membarrier}},
    {"syscall", .errors = {EINVAL, EIO, ENOMEM, ENOSYS, EPERM}, .when = {0, ALL, SYS_mbind}},
    {"timerfd_create", .errors = {EMFILE, ENFILE, ENOMEM}},
    {"unlink", .errors = {EACCES, EBUSY, ENOENT, ENOMEM, EPERM, EROFS}, .undoes = 1},
    {"write", .errors = {EAGAIN, EINTR}},
};

static int is_row_of(const fault_call *row, const char *name, const long *arguments)
{
    if (strcmp(row->name, name) != 0 ||
        (arguments[row->when.argument] & row->when.mask) != row->when.value)
        return 0;
    return row->under == NULL ||
           strncmp((const char *)arguments[0], row->under, strlen(row->under)) == 0;
}

const fault_call *fault_call_find(const char *name, const long *arguments)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (is_row_of(&calls[i], name, arguments))
            return &calls[i];
    return NULL;
}

/* SPDX-License-Identifier: MIT */
#include "shmring/error.h"

#include <errno.h>
#include <stddef.h>

static const struct {
    int error;
    const char *text;
} errors[] = {
    {0, "no error"},
    {-EACCES, "permission denied"},
    {-EADDRINUSE, "somebody listens there already"},
    {-EAGAIN, "not now: try again later"},
    {-EBADF, "the descriptor is not open"},
    {-EBADMSG, "the ring is damaged"},
    {-EBUSY, "in use: somebody alive has that role"},
    {-ECANCELED, "cancelled"},
    {-ECONNREFUSED, "nobody listens there"},
    {-EDEADLK, "it would wait for itself"},
    {-EDQUOT, "the quota of the file system is used up"},
    {-EEXIST, "exists already"},
    {-EFBIG, "larger than a file may be"},
    {-EIDRM, "its semaphores were removed: no one can wait"},
    {-EINTR, "a signal came in between"},
    {-EINVAL, "an argument, an option or a name is not valid"},
    {-ELOOP, "the path has too many symbolic links"},
    {-EMFILE, "this process has too many open files"},
    {-EMSGSIZE, "longer or larger than it may be"},
    {-ENAMETOOLONG, "the name is too long"},
    {-ENFILE, "the system has too many open files"},
    {-ENOBUFS, "the system has no memory for messages between processes"},
    {-ENOENT, "no such ring, or nobody listens there"},
    {-ENOLCK, "the system has no locks left"},
    {-ENOMEM, "out of memory"},
    {-ENOSPC, "no room in shared memory"},
    {-ENOSYS, "this system refuses to let it sleep"},
    {-ENOTCONN, "nobody is on the other side"},
    {-ENOTDIR, "what the path goes through is no directory"},
    {-ENOTSOCK, "the descriptor is no socket"},
    {-EOPNOTSUPP, "not supported: by this system, the ring, or the other side"},
    {-EOWNERDEAD, "the other side died"},
    {-EPERM, "not permitted: another user's, or open to strangers"},
    {-EPIPE, "the other side has closed"},
    {-EPROTO, "not a ring; or the other side hung up in the handshake, perhaps on this user"},
    {-EPROTONOSUPPORT, "of a version that this one does not know"},
    {-EPROTOTYPE, "a ring of another kind"},
    {-EROFS, "the file system can only be read"},
    {-ESRCH, "the process is gone"},
    {-ESTALE, "others took this process for dead"},
    {-ETIMEDOUT, "timed out"},
    {-ETOOMANYREFS, "too many descriptors are on their way"},
    {-EUSERS, "as many members are attached as can be"},
};

const char *shmring_error_text(int error)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].error == error)
            return errors[i].text;
    return "unknown error";
}

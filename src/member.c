/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* F_OFD_SETLK, MADV_WIPEONFORK */
#include "shmring/member.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct flock byte_lock(short type, uint32_t id)
{
    return (struct flock){
        .l_type = type,
        .l_whence = SEEK_SET,
        .l_start = (off_t)id,
        .l_len = 1,
    };
}

int shmring_member_lock(int fd, uint32_t id)
{
    struct flock lock = byte_lock(F_WRLCK, id);

    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return 0;
    if (errno == EAGAIN || errno == EACCES)
        return -EBUSY;
    return errno == EINVAL ? -EOPNOTSUPP : -errno;
}

int shmring_member_join(int fd, uint32_t id)
{
    char path[sizeof "/proc/self/fd/-2147483648"];

    /* Opened anew, not duplicated: locks of one description never conflict with each other. */
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int member_fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);

    if (member_fd < 0 && errno == ENOENT)
        return fcntl(fd, F_GETFD) < 0 ? -EBADF : -EOPNOTSUPP;
    if (member_fd < 0)
        return -errno;
    int error = shmring_member_lock(member_fd, id);

    if (error == 0)
        return member_fd;
    close(member_fd);
    return error;
}

void shmring_member_leave(int member_fd)
{
    struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

    if (member_fd < 0)
        return;
    /* Not by close() alone: a child that was forked meanwhile has the description open too. */
    fcntl(member_fd, F_OFD_SETLK, &all);
    close(member_fd);
}

int shmring_member_probe(int fd, uint32_t id)
{
    struct flock lock = byte_lock(F_WRLCK, id);

    if (fcntl(fd, F_OFD_GETLK, &lock) != 0)
        return errno == EINVAL ? -EOPNOTSUPP : -errno;
    return lock.l_type != F_UNLCK;
}

/* A page that fork() zeroes for the child: how a copy of a handle knows that it is a copy. */
static int make_here(shmring_word32 **ret_here)
{
    void *page =
        mmap(NULL, SHMRING_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return -ENOMEM;
    if (madvise(page, SHMRING_PAGE_SIZE, MADV_WIPEONFORK) != 0) {
        munmap(page, SHMRING_PAGE_SIZE);
        return -EOPNOTSUPP;
    }
    *ret_here = page;
    /* relaxed: private memory. */
    shmring_store32_relaxed(*ret_here, SHMRING_MEMBER_HERE);
    return 0;
}

static void introduce(struct shmring_member_record *record, enum shmring_member_role role)
{
    /* relaxed: this is for people. */
    shmring_store32_relaxed(&record->pid, (uint32_t)getpid());
    /* relaxed: likewise. */
    shmring_store32_relaxed(&record->role, (uint32_t)role);
    shmring_store64_relaxed(&record->held_since, 0);
}

/* Which file the descriptor is of: how it is known again. */
static int remember_object(shmring_member *member)
{
    struct stat status;

    if (fstat(member->fd, &status) != 0)
        return -errno;
    member->device = status.st_dev;
    member->inode = status.st_ino;
    return 0;
}

/* The place of that id, if it is free. Returns 0, -EBUSY, or another error of join(). */
static int take_place(shmring_member *member, int fd, enum shmring_member_role role)
{
    struct shmring_member_record *record = member->record;
    /* [member.B] pairs with [member.A] */
    uint32_t session = shmring_load32_acquire(&record->session);

    if (session % 2 != 0)
        return -EBUSY;
    if (fd >= 0) {
        member->fd = shmring_member_join(fd, member->id);
        if (member->fd < 0)
            return member->fd;
        int error = remember_object(member);

        if (error != 0) {
            shmring_member_leave(member->fd);
            return error;
        }
        introduce(record, role); /* before the session opens: who sees it sees who it is */
    }
    /* With the lock nobody else comes here; without one this decides. Fails if a member came and
     * died meanwhile, or came. [member.A] pairs with [member.B] */
    if (!shmring_cas32_acq_rel(&record->session, &session, session + 1)) {
        shmring_member_leave(member->fd);
        return -EBUSY;
    }
    member->session = session + 1;
    if (fd < 0) /* without a lock the place is ours only now */
        introduce(record, role);
    return 0;
}

int shmring_member_enroll(shmring_member *ret_member, int fd, struct shmring_member_record *records,
                          enum shmring_member_role role)
{
    shmring_member member = {.fd = -1};
    int error = make_here(&member.here);

    if (error != 0)
        return error;
    error = -EBUSY;
    for (uint32_t id = 1; id <= SHMRING_MEMBER_MAX && error == -EBUSY; id++) {
        member.id = id;
        member.record = &records[id];
        error = take_place(&member, fd, role);
    }
    if (error != 0) {
        munmap(member.here, SHMRING_PAGE_SIZE);
        return error == -EBUSY ? -EUSERS : error;
    }
    *ret_member = member;
    return 0;
}

int shmring_member_check_object(int fd, dev_t device, ino_t inode)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return -errno;
    return status.st_dev == device && status.st_ino == inode ? 0 : -ESTALE;
}

/* Is the descriptor what we opened? A program that closed it may have another one there. If the
 * kernel cannot say, it is: else it would stay open, and the place taken, for good. */
static bool is_own_descriptor(const shmring_member *member)
{
    int error = shmring_member_check_object(member->fd, member->device, member->inode);

    return error != -ESTALE && error != -EBADF;
}

void shmring_member_resign(shmring_member *member)
{
    if (member->here == NULL)
        return;
    bool here = shmring_member_is_here(member);
    uint32_t session = member->session;

    /* Others may take us for dead, because the descriptor was closed: its number may be another's
     * by now. [member.A] pairs with [member.B] */
    if (here && shmring_cas32_acq_rel(&member->record->session, &session, session + 1) &&
        is_own_descriptor(member))
        shmring_member_leave(member->fd);
    /* A child's copy of the descriptor shares the lock with its parent, which keeps it. */
    if (!here && is_own_descriptor(member))
        close(member->fd);
    munmap(member->here, SHMRING_PAGE_SIZE);
    memset(member, 0, sizeof *member);
}

int shmring_member_check(const shmring_member *member)
{
    if (!shmring_member_is_here(member))
        return -EOWNERDEAD;
    /* [member.B] pairs with [member.A] */
    return shmring_load32_acquire(&member->record->session) == member->session ? 0 : -ESTALE;
}

int shmring_member_seize(int fd, const struct shmring_member_record *records, uint32_t *id)
{
    for (uint32_t next = *id + 1; next <= SHMRING_MEMBER_MAX; next++) {
        const struct shmring_member_record *record = &records[next];

        /* relaxed: read again under the lock. */
        if (shmring_load32_relaxed(&record->session) % 2 == 0)
            continue;
        int held = shmring_member_probe(fd, next);

        if (held < 0)
            return held;
        int lock_fd = held ? -EBUSY : shmring_member_join(fd, next);

        if (lock_fd == -EBUSY)
            continue;
        if (lock_fd < 0)
            return lock_fd;
        /* [member.B] pairs with [member.A]: it may have resigned, or been buried, meanwhile. */
        if (shmring_load32_acquire(&record->session) % 2 != 0) {
            *id = next;
            return lock_fd;
        }
        shmring_member_leave(lock_fd);
    }
    return -ENOENT;
}

void shmring_member_bury(struct shmring_member_record *records, uint32_t id, int lock_fd)
{
    /* relaxed: with the lock we are the only writer. */
    uint32_t session = shmring_load32_relaxed(&records[id].session);

    /* relaxed: seen by who sees that the session has ended. */
    shmring_store32_relaxed(&records[id].died, session);
    /* [member.A] pairs with [member.B] */
    shmring_store32_release(&records[id].session, session + 1);
    shmring_member_leave(lock_fd);
}

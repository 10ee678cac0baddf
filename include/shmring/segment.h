/* SPDX-License-Identifier: MIT */
/*
 * Memory that processes share: a named POSIX shared memory object, a sealed memfd, or memory that
 * a parent shares with the children it forks.
 *
 * A named segment appears complete or not at all: it is built without a name (O_TMPFILE) and
 * linked when it is done; where the file system cannot do that, it is created exclusively and its
 * magic number is stored last, and those who open it early get -EAGAIN. It stays until
 * shmring_segment_unlink(), also when nobody has it open.
 *
 * All memory is reserved and faulted in at creation, so that a full /dev/shm is -ENOSPC there and
 * never SIGBUS later. What a peer with write permission can still do is truncate the object:
 * named segments are for processes that trust each other.
 *
 * Nothing here is on a hot path; every function may call the kernel. Thread-safe for different
 * segments; not async-signal-safe.
 */
#ifndef SHMRING_SEGMENT_H
#define SHMRING_SEGMENT_H

#include "shmring/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

enum {
    SHMRING_NAME_MAX = 200, /* bytes, without the final zero */
};

/* What a caller may wish for, and learn that it got (shmring_segment.got). */
enum shmring_memory {
    SHMRING_MEMORY_HUGE = 1, /* huge pages; else ordinary ones */
    SHMRING_MEMORY_LOCK = 2, /* mlock(): never swapped; else swappable (RLIMIT_MEMLOCK) */
    SHMRING_MEMORY_NUMA = 4, /* pages on numa_node; else where the creator runs */
};

/* Set size to sizeof(the struct), all else to 0 for the defaults. A smaller size, from a program
 * built with an older header, is understood; a larger one with anything set behind is -EINVAL, and
 * so is a size of 0 with anything set. */
typedef struct shmring_segment_options {
    size_t size;
    /* Creating: read and write bits of the object, whatever the umask; 0: 0600.
     * Opening: the bits that it may have at most; 0: 0660. */
    mode_t mode;
    /* Creating: give it this group, if set_group. */
    gid_t group;
    bool set_group;
    /* Opening: accept this owner besides one's own effective uid, if set_owner. */
    bool set_owner;
    uid_t owner;
    /* Wishes, enum shmring_memory. A wish that is not granted is no error: see got. */
    uint32_t memory;
    uint32_t numa_node;
} shmring_segment_options;

/* A mapping. Private to the process; read base, size, fd, got; the rest is the library's. */
typedef struct shmring_segment {
    void *base;
    size_t size; /* bytes of the object; the mapping may be longer with huge pages */
    int fd;      /* open while the segment is; close-on-exec */
    uint32_t got;
    size_t mapped_size;
    char pending[SHMRING_NAME_MAX + 1]; /* the name that publish() will give */
    bool exclusive;                     /* created under its name already, without magic */
} shmring_segment;

/*
 * Is name fit for a segment? 1 to SHMRING_NAME_MAX bytes of A-Z a-z 0-9 . _ - and no leading dot,
 * nor "sem." to begin with, as the files of POSIX semaphores do. No slash: the segment NAME is the
 * POSIX object "/NAME". Returns 0, -EINVAL, -ENAMETOOLONG.
 */
int shmring_segment_check_name(const char *name);

/*
 * Makes a segment for the geometry and writes its header. name: the name it will get, or NULL for
 * one without a name (a memfd, sealed against growing and shrinking), to be shared by fork() or by
 * passing fd. options may be NULL. The segment cannot be opened before shmring_segment_publish();
 * closed before that, it is gone.
 * Returns 0, or, with *ret_segment untouched and nothing left behind:
 *   -EINVAL, -ENAMETOOLONG  the name, the options, or a geometry that is not as planned
 *   -EEXIST                 the name is taken
 *   -ENOSPC, -EDQUOT        no room for it in /dev/shm, or in memory
 *   -EOPNOTSUPP             the kernel cannot reserve memory, or has no memfds
 *   -EBADMSG                the memory is broken
 *   -EFBIG                  larger than a file may be (RLIMIT_FSIZE)
 *   -EPERM                  not allowed to give it that group
 *   -EACCES, -EROFS, -EMFILE, -ENFILE, -ENOMEM, -ENOENT (no /dev/shm) as from open(2) and mmap(2)
 */
int shmring_segment_create(shmring_segment *ret_segment, const char *name,
                           const shmring_geometry *geometry,
                           const shmring_segment_options *options);

/* Gives a created segment its name, in one step: from here on others can open it. Does nothing
 * for one without a name. Returns 0, -EEXIST (the name was taken meanwhile), or as from link(2). */
int shmring_segment_publish(shmring_segment *segment);

/*
 * Opens and maps a named segment, after checking that it is a regular file of the POSIX shared
 * memory file system, that its owner is the caller or options->owner, that its mode has no bit
 * beyond options->mode, and that its header is right and agrees with its size. options may be NULL.
 * Returns 0 with the checked geometry (ret_geometry may be NULL), or, both untouched:
 *   -EINVAL, -ENAMETOOLONG  the name or the options
 *   -ENOENT                 no such segment
 *   -EPERM                  another owner, a mode that lets strangers in, or a second hard link
 *   -EACCES                 the permissions of the object
 *   -EPROTO                 not a ring, one side of a link, or no regular file
 *   -EAGAIN, -EPROTONOSUPPORT, -EBADMSG as from shmring_layout_check()
 *   -EBADMSG                also: it cannot be read, the memory is broken
 *   -ENOSPC                 it has holes (or was cut short meanwhile), and there is no room
 *   -EROFS, -EMFILE, -ENFILE, -ENOMEM
 */
int shmring_segment_open(shmring_segment *ret_segment, const char *name,
                         const shmring_segment_options *options, shmring_geometry *ret_geometry);

/*
 * The same for a segment without a name, whose descriptor was inherited or passed along. fd is not
 * kept. Its owner and mode say nothing: who got the descriptor was meant to.
 *   -EBADF      fd is none
 *   -EPERM      it is not sealed against shrinking and growing, and could be cut short
 *   -EPROTO     not a ring, or no regular file
 *   the others as from shmring_segment_open()
 */
int shmring_segment_open_fd(shmring_segment *ret_segment, int fd,
                            const shmring_segment_options *options, shmring_geometry *ret_geometry);

/* Unmaps and closes. Roles that were attached through it must be detached before. A segment that
 * was zeroed or closed is ignored. */
void shmring_segment_close(shmring_segment *segment);

/* Removes the name. Those who have it open keep it. Returns 0, -ENOENT, -EACCES, -EPERM or another
 * error of unlink(2), or as from check_name(). */
int shmring_segment_unlink(const char *name);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Who is attached, and who died.
 *
 * A member is one byte of a file, held as a write lock (F_OFD_SETLK) by an open file description
 * that belongs to this member alone. The kernel drops the lock when the last descriptor of that
 * description is closed, which at death is after the last store of the process. So a free lock is
 * a proof, where a heartbeat, a timeout or kill(pid, 0) is a guess: a stopped process is alive,
 * and a reused process id fools nobody. Works across pid, mount, ipc and user namespaces.
 *
 * What to know:
 *   - A child made by fork() shares the description: while it lives, a parent that died counts as
 *     alive. That errs on the safe side, and ends at exec() (the descriptor is close-on-exec). A
 *     parent that leaves is gone at once.
 *   - Whoever may open the object may take its locks: members trust each other.
 *   - join() needs /proc, to make a description of its own from a descriptor.
 */
#ifndef SHMRING_MEMBER_H
#define SHMRING_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/*
 * Takes member id (0 to 2^31-1) of the object behind fd, which must be open for reading and
 * writing; fd itself is only looked at and stays the caller's. Does not wait. Thread-safe.
 * Returns a descriptor that holds the place until shmring_member_leave(), or
 *   -EBUSY    a living member holds it
 *   -ENOTSUP  the system has no OFD locks, or /proc is not mounted
 *   -EBADF, -EACCES, -EMFILE, -ENFILE, -ENOMEM, -ENOLCK as from open(2) and fcntl(2)
 */
int shmring_member_join(int fd, uint32_t id);

/* Gives the place back and closes the descriptor that join() returned. Ignores a negative one. */
void shmring_member_leave(int member_fd);

/*
 * Does a living member hold id? fd is any descriptor of the object, read-only ones too; a place
 * that fd's own description holds does not count. Takes about half a microsecond; do not poll it
 * in a loop without a pause, the dying process needs the processor too. Thread-safe,
 * async-signal-safe. Returns 1 (held), 0 (free), or -errno as from fcntl(2).
 */
int shmring_member_probe(int fd, uint32_t id);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

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
 * Two forms: a role of which there is one (join, leave, probe), and a table of many members, each
 * with a record in shared memory (enroll, resign; seize, bury for the dead).
 *
 *   [member.A] store session release       [member.B] load  session acquire
 *   A pairs with B: without it a slot of the new session could be taken for one of the old.
 *
 * What to know:
 *   - A child made by fork() shares the description: while it lives, a parent that died counts as
 *     alive. That errs on the safe side, and ends at exec() (the descriptor is close-on-exec). A
 *     parent that leaves is gone at once.
 *     A handle must not be used in the child: in a table its calls say -EOWNERDEAD there.
 *   - A program that closes the descriptor of the lock behind our back (closefrom()) is dead to
 *     others. What it does after that is refused (-ESTALE) from its next slow step on, what it is
 *     just writing is not. exec() ends a member, rightly. Children that share memory with their
 *     parent (vfork(), clone() with CLONE_VM) must not touch a handle.
 *   - The descriptor is never passed on: one that is sent over a socket stays alive in its queue.
 *   - Whoever may open the object may take its locks: members trust each other.
 *   - join() needs /proc, to make a description of its own from a descriptor.
 */
#ifndef SHMRING_MEMBER_H
#define SHMRING_MEMBER_H

#include "shmring/atomic.h"
#include "shmring/layout.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/*
 * Takes member id (0 to 2^31-1) of the object behind fd, which must be open for reading and
 * writing; fd itself is only looked at and stays the caller's. Does not wait. Thread-safe.
 * Returns a descriptor that holds the place until shmring_member_leave(), or
 *   -EBUSY       a living member holds it
 *   -EOPNOTSUPP  the system has no OFD locks, or /proc is not mounted
 *   -EBADF, -EACCES, -EMFILE, -ENFILE, -ENOMEM, -ENOLCK as from open(2) and fcntl(2)
 */
int shmring_member_join(int fd, uint32_t id);

/* The first half of join, on a descriptor whose open file is nobody else's: 0, -EBUSY, -EOPNOTSUPP,
 * or as from fcntl(2). */
int shmring_member_lock(int fd, uint32_t id);

/* Gives the place back and closes the descriptor that join() returned. Ignores a negative one. */
void shmring_member_leave(int member_fd);

/*
 * Does a living member hold id? fd is any descriptor of the object, read-only ones too; a place
 * that fd's own description holds does not count. Takes about half a microsecond; do not poll it
 * in a loop without a pause, the dying process needs the processor too. Thread-safe,
 * async-signal-safe. Returns 1 (held), 0 (free), -EOPNOTSUPP (no OFD locks), or as from fcntl(2).
 */
int shmring_member_probe(int fd, uint32_t id);

/* A word in a page of our own, which the kernel zeroes for the child at fork(). */
enum shmring_member_here {
    SHMRING_MEMBER_GONE = 0,
    SHMRING_MEMBER_HERE,
    SHMRING_MEMBER_BETS,
};

/* A place in a table of members. Private to the process, owned by the caller; read id. */
typedef struct shmring_member {
    struct shmring_member_record *record;
    shmring_word32 *here; /* enum shmring_member_here */
    uint32_t id;
    uint32_t session;
    int fd; /* holds the lock; -1: none */
    dev_t device;
    ino_t inode;
} shmring_member;

/*
 * Takes a free place of the table records[SHMRING_MEMBER_RECORDS], which lies in the object behind
 * fd. fd is only looked at. -1, for memory that no other process maps: no lock, no death is
 * noticed. The places of the dead are not free before they were buried. Calls the kernel, does not
 * wait; thread-safe. The member is written on 0 only:
 *   -EUSERS      all SHMRING_MEMBER_MAX places are taken
 *   -ENOMEM      no page of memory
 *   -EOPNOTSUPP  no OFD locks, no /proc, or a kernel before 4.14 (MADV_WIPEONFORK)
 *   or as from shmring_member_join(), but -EBUSY
 */
int shmring_member_enroll(shmring_member *ret_member, int fd, struct shmring_member_record *records,
                          enum shmring_member_role role);

/* Gives the place back. In a child after fork() it lets go of the copy only. Ignores a member that
 * was zeroed or resigned. */
void shmring_member_resign(shmring_member *member);

/* False in a child after fork(). Two loads; thread-safe, async-signal-safe. */
SHMRING_HOT inline bool shmring_member_is_here(const shmring_member *member)
{
    /* relaxed: nobody else writes it while we run. */
    return shmring_load32_relaxed(member->here) != SHMRING_MEMBER_GONE;
}

/* Is it here, and of good luck with guesses? A note that rings keep where they look anyway. */
SHMRING_HOT inline bool shmring_member_bets(const shmring_member *member)
{
    /* relaxed: as above. */
    return shmring_load32_relaxed(member->here) == SHMRING_MEMBER_BETS;
}

/* 0, or -EOWNERDEAD in a child after fork(), or -ESTALE: others took this member for dead and
 * gave its place away. Does not call the kernel. */
int shmring_member_check(const shmring_member *member);

/* Is fd a descriptor of that file? A program may close one that we hold, and open another one that
 * gets the same number. 0, -ESTALE, or as from fstat(2). */
int shmring_member_check_object(int fd, dev_t device, ino_t inode);

/*
 * Finds the next dead member with an id above *id and takes its lock, so that nobody else finds
 * it. Returns the lock's descriptor and the id; the caller then puts right what the dead one left,
 * which must bear to be done again, and buries it. Should the caller die before, the next one
 * starts again. -ENOENT: no (more) dead; or as from shmring_member_join(), but -EBUSY.
 */
int shmring_member_seize(int fd, const struct shmring_member_record *records, uint32_t *id);

/* Frees the place of the dead, and gives back the lock that seize() took. */
void shmring_member_bury(struct shmring_member_record *records, uint32_t id, int lock_fd);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A bell: what one side rings and the other sleeps on. The kernel's half of waking; who must ring
 * when is up to wait.h (one to one) and event.h (many to many).
 *
 * Five kinds, one for all members of a ring, chosen by its creator and recorded in its header:
 *
 *   futex       a word in the ring. The fastest to wake, nothing to clean up. The default.
 *   eventfd     a descriptor, for poll() and epoll. It has no name: the ring has none either, and
 *               its descriptors are inherited or passed along with that of the ring.
 *   sem         an unnamed POSIX semaphore in the ring.
 *   named sem   a named POSIX semaphore for each direction, "/NAME.messages" and "/NAME.room".
 *   sysv sem    a System V semaphore set for each direction, its key made from the inode of the
 *               ring. Without SEM_UNDO: a ring that its ringer's death took back would be a lost
 *               wake; what is left over instead is one wake for nothing.
 *
 * A link (link.h) may also use its socket: it rings by sending a byte, and sleeps for what the
 * other side sends. Pollable like an eventfd, but no peer can make it block.
 *
 * The semaphores are for members that trust each other: who can write to one can stop it. What
 * such a member can do is a wrong wake, or none, which is as bad as a death between publishing and
 * ringing: each sleep ends within SHMRING_WAIT_CAP_NS, and the sleeper looks again. (glibc aborts
 * the program if a semaphore in shared memory is not one; so it is looked at before each call, and
 * one that is damaged is not touched again, but slept on by naps.)
 * Two things remain that a member can do only on purpose, by changing something to and fro all the
 * time, until it hits the moment between a look and the call after it: make glibc abort, with a
 * semaphore; make a ring block, with an eventfd that it fills and takes O_NONBLOCK from. Futexes
 * have no such moment.
 */
#ifndef SHMRING_BELL_H
#define SHMRING_BELL_H

#include "shmring/atomic.h"
#include "shmring/layout.h"

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* The two directions: what its sleeper sleeps for. */
enum shmring_direction {
    SHMRING_FOR_MESSAGES = 0, /* rung by producers */
    SHMRING_FOR_ROOM = 1,     /* rung by consumers */
};

/* What a bell is found by. */
typedef struct shmring_bell_place {
    enum shmring_backend backend;
    const char *name; /* of the segment; NULL: it has none */
    int segment_fd;   /* what has a name: owner, group, mode and, of System V, the key */
    int eventfds[2];  /* by enum shmring_direction; not kept, but duplicated */
    int socket;       /* of a link: a stream of packets, kept by the link */
    bool sleeps;      /* of a link: opened by who sleeps, else by who rings */
} shmring_bell_place;

/* Private to the process. All members are the library's, but for fd. */
typedef struct shmring_bell {
    struct shmring_bell_words *words;
    enum shmring_backend backend;
    int fd; /* eventfd, or the socket of who sleeps: readable when it was rung; else -1 */
    int set;
    int ringer; /* the socket of who rings, or -1 */
    void *semaphore;
} shmring_bell;

/*
 * The creator makes what belongs to the ring at memory before the segment is published, both
 * directions, with the group and the mode of the segment. Returns 0, or, with nothing left behind:
 *   -EINVAL      no such backend; a named or System V semaphore for a segment without a name; an
 *                eventfd for one with a name
 *   -EOPNOTSUPP  the kernel or a seccomp filter refuses what the backend needs, or (light wake)
 *                membarrier()
 *   -EPERM       a semaphore of that name belongs to somebody else, or lets strangers in
 *   -EEXIST, -ENOSPC, -EACCES, -EMFILE, -ENFILE, -ENOMEM as from sem_open(3), semget(2)
 */
int shmring_bells_create(void *memory, const shmring_geometry *geometry,
                         const shmring_bell_place *place);

/* Removes what has a name of its own and belongs to the ring. Errors are ignored: what is not
 * there need not be removed. */
void shmring_bells_remove(void *memory, const shmring_geometry *geometry,
                          const shmring_bell_place *place);

/*
 * Opens the bell of a direction. The handle is written on 0 only:
 *   -EINVAL      no such backend, or no name or descriptor for it
 *   -ENOENT      the semaphore is gone
 *   -EPERM       its owner is not that of the ring, or it lets in who may not open the ring
 *   -EBADMSG     it is not what belongs to this ring, or comes from another C library
 *   -EOPNOTSUPP  as above
 *   -EACCES, -EMFILE, -ENFILE, -ENOMEM as from sem_open(3), semctl(2), fcntl(2)
 * Calls the kernel, does not wait.
 */
int shmring_bell_open(shmring_bell *ret_bell, struct shmring_bell_words *words,
                      const shmring_bell_place *place, enum shmring_direction direction);
void shmring_bell_close(shmring_bell *bell);

/* Wakes one sleeper, or all. Does not block, leaves errno alone; async-signal-safe. One that is
 * closed, or being closed by the thread that the handler interrupts, is silent. The futex word
 * must have been changed before that: who is about to sleep shall not. (Of several who are about to
 * sleep on one semaphore, not all may be kept from it.) */
void shmring_bell_ring(const shmring_bell *bell, bool all);

/* Forgets earlier rings. To be called before a sleeper says that it sleeps, never after. */
void shmring_bell_clear(const shmring_bell *bell);

/*
 * Sleeps until the bell rings or until the time (CLOCK_MONOTONIC, ns) has come, if words->wakes is
 * still as the ticket says. Returns
 *   0        woken, or it is time, or for no reason: look again
 *   -EINTR   a signal handler ran
 *   -EIDRM   the semaphore was removed
 *   -ENOSYS  the kernel refuses
 */
int shmring_bell_sleep(const shmring_bell *bell, uint32_t ticket, int64_t until);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

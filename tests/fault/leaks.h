/* SPDX-License-Identifier: MIT */
/* What a process holds, and what it has made, to be compared. */
#ifndef SHMRING_TESTS_FAULT_LEAKS_H
#define SHMRING_TESTS_FAULT_LEAKS_H

#include <stdbool.h>
#include <stdint.h>

enum { LEAKS_FDS_MAX = 256 };

typedef struct leaks {
    bool fds[LEAKS_FDS_MAX];
    int mappings;       /* of files and memfds of ours */
    long address_space; /* pages; 0 under sanitizers, which have their own */
    int files;          /* of ours in /dev/shm and in the directory of the sockets */
    int locks;          /* files beside a socket, which may stay if something failed */
    int sets;           /* of System V semaphores */
} leaks;

/* What begins like that is ours, in /dev/shm and in that directory (or NULL). */
void leaks_look_for(const char *mark, const char *directory);
void leaks_count(leaks *ret_now);

/* Removes such files, and the System V sets. */
void leaks_remove_named(void);

/* Prints what is different. Files and sets are left out if named is false. */
bool leaks_are_equal(const leaks *before, const leaks *now, bool named);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The memfds of kernel.h, with their seals, and two places to map one at: the first for what this
 * side writes, the second for what it only reads. Claims, whoever calls: nothing is mapped that
 * could become shorter, no file twice, nothing of the other side's that could still be written by
 * other ways than a mapping of its own; and nothing beyond its end.
 */
#ifndef SHMRING_FUZZ_KERNEL_MEMFD_H
#define SHMRING_FUZZ_KERNEL_MEMFD_H

#include "kernel_state.h"

#include <sys/stat.h>

enum {
    MEMFD_PAGES = 5, /* more cannot be mapped */
    MEMFD_SIZE = MEMFD_PAGES * SHMRING_PAGE_SIZE,
    MEMFDS = 40,
};

struct kernel_memfd {
    uint64_t inode; /* 0: there is none */
    uint64_t size;
    int seals; /* -1: it has none, being no memfd */
    bool is_theirs, is_linked, is_special, is_huge;
    uint8_t *mapped;      /* NULL: it is not */
    uint8_t header[128];  /* what its first bytes are */
    uint64_t words[3][2]; /* place and value: what else stands in it */
};

/* A file of the other side's, empty and without seals, that looks like a memfd; no descriptor. */
struct kernel_memfd *kernel_memfd_new(void);

/* A new run: no files; hostile.h may clear the second place before. */
void kernel_memfd_begin(void);
uint8_t *kernel_memfd_place(int which); /* MEMFD_SIZE bytes */

/* Places that are in use. */
int kernel_memfd_maps(void);

/* What kernel.c calls for them. */
int kernel_memfd_seals(const struct kernel_file *file);
int kernel_memfd_seal(struct kernel_file *file, int seals);
int kernel_memfd_stat(const struct kernel_memfd *memfd, struct stat *ret_status);
void *kernel_memfd_reserve(size_t size);
void *kernel_memfd_map(struct kernel_file *file, void *at, size_t size, bool writes);
bool kernel_memfd_unmap(void *place, size_t size);
void kernel_memfd_populate(const void *place, size_t size, int advice);

#endif

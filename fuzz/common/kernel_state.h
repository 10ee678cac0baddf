/* SPDX-License-Identifier: MIT */
/* What the parts of the kernel share. */
#ifndef SHMRING_FUZZ_KERNEL_STATE_H
#define SHMRING_FUZZ_KERNEL_STATE_H

#include "region.h"

enum {
    KERNEL_FD_FIRST = 1000, /* far from the real ones */
    KERNEL_FDS = 64,
    KERNEL_PAGES = 64,
};

enum kernel_kind {
    KERNEL_CLOSED,
    KERNEL_OBJECT,
    KERNEL_EVENTFD,
    KERNEL_MEMFD,
    KERNEL_SOCKET,
};

struct kernel_memfd;

struct kernel_file {
    enum kernel_kind kind;
    uint32_t lock;              /* the byte that it has locked, and one; 0: none */
    uint64_t count;             /* of an eventfd */
    struct kernel_memfd *memfd; /* which one it is (kernel_memfd.h) */
    bool lingers;               /* to close it takes time, if that is not forbidden before */
};

extern struct kernel_state {
    const fuzz_region *object;
    const void *header;
    uint8_t (*choice)(void);
    int64_t now;
    unsigned interrupts;
    int pidfd_error;     /* see kernel_socket.h */
    uint32_t their_lock; /* the byte that another process has locked, and one; 0: none */
    uint64_t pages;      /* in use, by bit */
    struct kernel_file files[KERNEL_FDS];
} kernel;

/* The file, or NULL with EBADF. */
struct kernel_file *kernel_file(int fd);

/* A new descriptor, or -1 with EMFILE. */
int kernel_add_file(enum kernel_kind kind);

/* 0: the call works. Else a number from 1, by which the call knows what happens instead. */
uint8_t kernel_choice(void);

/* The error of that number in a list that ends with 0, in errno: -1. 0, if there is none. */
int kernel_refuse(uint8_t choice, const int *errors);

/* A sleep until then. */
void kernel_sleep_until(int64_t then);

#endif

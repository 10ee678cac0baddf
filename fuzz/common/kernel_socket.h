/* SPDX-License-Identifier: MIT */
/*
 * A connected socket of kernel.h, whose other end is the target: what it delivers is received, and
 * what the library sends can be looked at. Descriptors that come with a message are closed by the
 * library, or kept; those of sockets that linger, not before that is forbidden.
 */
#ifndef SHMRING_FUZZ_KERNEL_SOCKET_H
#define SHMRING_FUZZ_KERNEL_SOCKET_H

#include "kernel_memfd.h"

#include <sys/types.h>

enum {
    PACKET_SIZE = 256,
    PACKET_FDS = 12,
    KERNEL_UID = 1000, /* whose process this is */
};

struct kernel_packet {
    uint8_t bytes[PACKET_SIZE];
    size_t length;
    int count;
    struct kernel_memfd *fds[PACKET_FDS];
    int seals[PACKET_FDS]; /* sent: as they were then */
    bool has_more, is_cut; /* received: with ancillary data of another kind; less than there was */
    bool has_hung_up, is_due; /* received: nothing will come any more; there is something */
};

/* A new run, after kernel_begin(): one socket, of a peer with that uid; (uid_t)-1: of nobody. */
int kernel_socket(uid_t uid);

/* The next message, or the end. */
void kernel_deliver(const struct kernel_packet *packet);

/* What will be received next, or NULL; how much is there, and whether the end is. */
const struct kernel_packet *kernel_next(unsigned *ret_count, bool *ret_has_hung_up);

/* Why there was no pidfd of the peer: an errno. 0: there was, or none was asked for. */
int kernel_pidfd_error(void);

/* What was sent the last time, and how often anything was. */
const struct kernel_packet *kernel_sent(unsigned *ret_count);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the two sides of a handshake say to each other: four messages of fixed size, in the byte
 * order of the machine. docs/link.md tells the story. Private to the library.
 *
 *   client                       server
 *   HELLO  ------------------>           what it speaks, and how it wants to be woken
 *          <------------------  OFFER    the rings, with 3 descriptors (2 if the client brings its
 *                                        own lane), or why not
 *   ACK    ------------------>           mapped and locked (with its lane), or why not
 *          <------------------  GO       the client's lane is sealed: the rings may be used
 */
#ifndef SHMRING_LINK_WIRE_H
#define SHMRING_LINK_WIRE_H

#include "shmring/link.h"

enum {
    LINK_PROTOCOL = SHMRING_LINK_PROTOCOL,
    LINK_HELLO_MAGIC = 0x48524853, /* "SHRH" and so on, little-endian */
    LINK_OFFER_MAGIC = 0x4f524853,
    LINK_ACK_MAGIC = 0x41524853,
    LINK_GO_MAGIC = 0x47524853,
    LINK_ROLE_BOTH = 3,       /* sends (1) and receives (2) */
    LINK_TOPOLOGY_DUPLEX = 1, /* a ring in each direction */
    LINK_FDS_MAX = 3,
    LINK_SLOT = SHMRING_LINK_CLIENT, /* the byte of the lock file that the client locks */
};

/* Features. */
enum {
    LINK_CLIENT_OWNED = 1, /* the client brings its lane with its ACK */
    LINK_LIGHT_WAKE = 2,   /* both processes are registered for the fence of wait.h */
};

struct link_hello {
    uint32_t magic;
    uint16_t protocol_min;
    uint16_t protocol_max;
    uint32_t size;
    uint32_t role;
    uint32_t topology;
    uint32_t wake; /* enum shmring_backend: how the client wants to be woken for messages */
    uint64_t required;
    uint64_t wanted;
    uint8_t nonce[16];
    uint32_t page_size;
    uint32_t reserved;
};

struct link_offer {
    uint32_t magic;
    uint16_t protocol;
    uint16_t fds;
    uint32_t size;
    int32_t status; /* 0, or -errno, and nothing below holds */
    uint8_t nonce[16];
    uint8_t session[16];
    uint64_t features;
    uint32_t topology;
    uint32_t role; /* the client's */
    uint32_t wake; /* how the server wants to be woken */
    uint32_t slot;
    uint64_t reserved0;
    uint64_t peer_size; /* of the server's lane, bytes */
    uint64_t mine_size; /* of the client's */
    uint64_t lock_size;
    uint32_t capacity_log2;
    uint32_t element_size; /* 0: messages of any length */
    uint32_t members;      /* 2 */
    uint8_t reserved1[44];
};

/* ACK and GO. */
struct link_answer {
    uint32_t magic;
    uint32_t size;
    int32_t status;
    uint32_t slot;
    uint64_t reserved0;
    uint8_t session[16];
    uint8_t reserved1[24];
};

SHMRING_ASSERT_LAYOUT(sizeof(struct link_hello) == 64, "as documented");
SHMRING_ASSERT_LAYOUT(sizeof(struct link_offer) == 160, "as documented");
SHMRING_ASSERT_LAYOUT(sizeof(struct link_answer) == 64, "as documented");

/*
 * Sends a message with descriptors, without waiting. Returns 0, -EPROTO (the other side has hung
 * up), -EPERM (it takes no descriptors), -ENOBUFS, -ETOOMANYREFS, -EMFILE, -ENOMEM.
 */
int link_send(int socket, const void *message, size_t size, const int *fds, int count);

/*
 * Receives a message of that size with count descriptors (close-on-exec) or none, without waiting.
 * Returns how many came; -EAGAIN (nothing there yet), -EMFILE (no room for the descriptors), or
 * -EPROTO: the other side has hung up, or sent something else; the descriptors that came are
 * closed.
 */
int link_receive(int socket, void *ret_message, size_t size, int *ret_fds, int count);

/* Receives what is there, and closes the descriptors that came with it. 0: there was nothing; or
 * -EPROTO: there was, or the other side has hung up. */
int link_drain(int socket);

/* Closes what came from the other side, whatever it is: a socket must not linger over its data. */
void link_close_fd(int fd);

/* Are size bytes zero? What is reserved must be. */
bool link_is_zero(const void *bytes, size_t size);

#endif

/* SPDX-License-Identifier: MIT */
/* What the parts of a link have in common. Private to the library. */
#ifndef SHMRING_LINK_PARTS_H
#define SHMRING_LINK_PARTS_H

#include "shmring/link.h"

enum link_state {
    LINK_OVER = 0,
    LINK_AWAITS_HELLO,
    LINK_AWAITS_ACK,
    LINK_AWAITS_OFFER,
    LINK_AWAITS_GO,
};

/* The caller's options in our own struct, with defaults filled in. 0 or -EINVAL. */
int link_read_options(const shmring_link_options *options, shmring_link_options *ret_own);

/* Who is at the other end of the socket, and is it one to talk to? 0, -EPERM, -ENOTSOCK,
 * -ENOTCONN, or a lack of descriptors to find out. */
int link_judge(int socket, const shmring_link_options *options, shmring_link_peer *ret_peer);

/* May the other side pass descriptors to us from now on? Where the kernel cannot refuse them they
 * are received, and closed. */
void link_permit_fds(int socket, bool permit);

/* No longer; and closes those that have come already, which the kernel would do with the socket,
 * and wait for those that linger. 0, or -EPROTO: the other side has said something, or hung up. */
int link_refuse_fds(int socket);

/* Begins with own options and a connected, close-on-exec socket, which is taken over on 0. */
int link_begin(shmring_handshake *ret_handshake, enum shmring_link_side side, int socket,
               const shmring_link_options *own);

/* One step of a side: 0 when the handshake is done, -EAGAIN, or why it failed. */
int link_serve(shmring_handshake *handshake, shmring_link *ret_link);
int link_consume(shmring_handshake *handshake, shmring_link *ret_link);

/* Sends HELLO. */
int link_greet(shmring_handshake *handshake);

/* Makes the link of what the handshake has brought, and takes it over on 0. */
int link_assemble(shmring_handshake *handshake, enum shmring_link_side side,
                  shmring_link *ret_link);

/* How this side wants to be woken. */
uint32_t link_own_wake(const shmring_link_options *own);

/* The socket that a path means: see shmring_link_listen(). With make, makes the default directory
 * if it is missing. Returns 0, -EINVAL, -ENAMETOOLONG, or as from mkdir(2). */
int link_find(const char *path, bool make, char ret_path[SHMRING_LINK_PATH_MAX + 1]);

/* Watches the listening socket, for link_accept.c to be told of clients. 0 or -errno. */
int link_watch_socket(const shmring_listener *listener);

struct sockaddr_un;
/* The address of a path, and its length; suffix is appended. */
unsigned link_address(const char *path, const char *suffix, struct sockaddr_un *ret_address);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Pairs of AF_INET sockets over the loopback device that lose what comes while the receiver's
 * buffer is full: datagrams, and packets of a protocol of their own.
 */
#ifndef BENCH_TRANSPORTS_LOSSY_H
#define BENCH_TRANSPORTS_LOSSY_H

#include "socket.h"

extern const struct loops *const lossy_loops[POLICY_COUNT];

/* head: bytes that come before each message that is received. */
void *lossy_open(int type, int protocol, uint32_t head, const struct shape *shape);

/* Why a message does not fit into a packet that carries so many bytes, or NULL. */
const char *lossy_refuse(const struct shape *shape, uint32_t largest);

#endif

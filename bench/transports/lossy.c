/* SPDX-License-Identifier: MIT */
#include "lossy.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

enum { COPYING_LOSES = true };

#include "copying_ops.h"

const struct loops *const lossy_loops[POLICY_COUNT] = {[POLICY_SPIN] = &block_loops,
                                                       [POLICY_ADAPTIVE] = &adaptive_loops,
                                                       [POLICY_BLOCK] = &block_loops};

/*
 * Each socket has an address of its own in 127.0.0.0/8, of this process, this channel (one of two
 * at a time) and this end: a protocol without ports has nothing else to tell them apart by.
 */
static struct sockaddr_in address_of(unsigned channel, enum role role)
{
    uint32_t pid = (uint32_t)getpid() & 0x3fffff;
    uint32_t address = UINT32_C(127) << 24 | pid << 2 | (channel & 1) << 1 | role;

    return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(address)}};
}

/* For tests: SHMRING_BENCH_LOSS percent of what arrives is dropped. */
static bool set_loss(int fd)
{
    const char *percent = getenv("SHMRING_BENCH_LOSS");
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_RANDOM),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 100),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, percent != NULL ? (uint32_t)atoi(percent) : 0, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};

    return percent == NULL ||
           setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

static bool connect_pair(const int *fds, unsigned channel)
{
    const struct timeval timeout = {.tv_usec = BENCH_LOSS_NS / 1000};
    struct sockaddr_in addresses[2];
    socklen_t length = sizeof addresses[0];

    for (enum role role = 0; role < 2; role++) {
        struct sockaddr *address = (struct sockaddr *)&addresses[role];

        addresses[role] = address_of(channel, role);
        if (bind(fds[role], address, length) != 0 || getsockname(fds[role], address, &length) != 0)
            return false;
    }
    for (enum role role = 0; role < 2; role++)
        if (connect(fds[role], (struct sockaddr *)&addresses[!role], length) != 0)
            return false;
    return setsockopt(fds[ROLE_CONSUMER], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0 &&
           set_loss(fds[ROLE_CONSUMER]);
}

void *lossy_open(int type, int protocol, uint32_t head, const struct shape *shape)
{
    static unsigned channel;
    int fds[2] = {socket(AF_INET, type | SOCK_CLOEXEC, protocol),
                  socket(AF_INET, type | SOCK_CLOEXEC, protocol)};

    if (fds[0] >= 0 && fds[1] >= 0 && connect_pair(fds, channel++)) {
        socket_set_buffers(fds);
        return fd_open_sockets(fds, head, shape);
    }
    int saved_errno = errno;

    for (int role = 0; role < 2; role++)
        if (fds[role] >= 0)
            close(fds[role]);
    errno = saved_errno;
    return NULL;
}

const char *lossy_refuse(const struct shape *shape, uint32_t largest)
{
    static char reason[96];

    if (shape->size <= largest)
        return NULL;
    snprintf(reason, sizeof reason, "%u B: a packet carries %u bytes at most", shape->size,
             largest);
    return reason;
}

/* SPDX-License-Identifier: MIT */
/*
 * A man in the middle of a handshake: two real halves of it in one thread, and all that goes from
 * one to the other may be changed on its way, bytes and descriptors.
 */
#ifndef SHMRING_TESTS_LINK_MIDDLE_H
#define SHMRING_TESTS_LINK_MIDDLE_H

#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <shmring/shmring.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { HELLO, OFFER, ACK, GO, MESSAGES, NONE = MESSAGES };
enum { PACKET_MAX = 256, PACKET_FDS = 16 };

static const int message_sizes[MESSAGES] = {64, 160, 64, 64};

struct packet {
    uint8_t bytes[PACKET_MAX];
    ssize_t length;
    int fds[PACKET_FDS];
    int count;
};

/* What is done to a packet of that kind. */
struct tampering {
    int message;
    void (*change)(struct packet *packet, const void *how);
    const void *how;
    const struct tampering *next;
};

static inline bool packet_receive(int socket, struct packet *ret_packet)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(PACKET_FDS * sizeof(int))];
    } control;
    struct iovec bytes = {.iov_base = ret_packet->bytes, .iov_len = PACKET_MAX};
    struct msghdr header = {.msg_iov = &bytes,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};

    memset(ret_packet, 0, sizeof *ret_packet);
    ret_packet->length = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (ret_packet->length <= 0)
        return false;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&header); part != NULL;
         part = CMSG_NXTHDR(&header, part)) {
        ret_packet->count = (int)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(ret_packet->fds, CMSG_DATA(part), (size_t)ret_packet->count * sizeof(int));
    }
    return true;
}

/* Sends it, if it is taken, and closes its descriptors. */
static inline void packet_send(int socket, struct packet *packet)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(PACKET_FDS * sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec bytes = {.iov_base = packet->bytes, .iov_len = (size_t)packet->length};
    struct msghdr header = {.msg_iov = &bytes, .msg_iovlen = 1};

    if (packet->count > 0) {
        size_t length = (size_t)packet->count * sizeof(int);

        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(length);
        *CMSG_FIRSTHDR(&header) = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(length)};
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&header)), packet->fds, length);
    }
    /* EPERM: the other side takes no descriptors (Linux 6.16), and learns nothing. */
    CHECK(sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) == packet->length ||
          errno == EPERM || errno == EPIPE || errno == EBADF);
    for (int i = 0; i < packet->count; i++)
        if (packet->fds[i] >= 0)
            close(packet->fds[i]);
}

/* Begins both halves and passes everything on. ret_links of those that ended with 0 are open. */
static inline void shake_hands(const shmring_link_options *server,
                               const shmring_link_options *client,
                               const struct tampering *tampering, shmring_link ret_links[2],
                               int ret_errors[2])
{
    shmring_handshake halves[2];
    int pairs[2][2]; /* [side][half's end, the middle's end] */

    for (int side = 0; side < 2; side++) {
        CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pairs[side]) == 0);
        CHECK_EQ(shmring_handshake_begin(&halves[side], (enum shmring_link_side)side,
                                         pairs[side][0], side == 0 ? server : client),
                 0);
        ret_errors[side] = -EAGAIN;
    }
    for (int message = HELLO; message < MESSAGES; message++) {
        int to = message % 2 == 0 ? SHMRING_LINK_SERVER : SHMRING_LINK_CLIENT;
        struct packet packet;

        if (!packet_receive(pairs[1 - to][1], &packet))
            break;
        for (const struct tampering *t = tampering; t != NULL; t = t->next)
            if (t->message == message)
                t->change(&packet, t->how);
        packet_send(pairs[to][1], &packet);
        if (ret_errors[to] == -EAGAIN)
            ret_errors[to] = shmring_handshake_step(&halves[to], &ret_links[to]);
    }
    for (int side = 0; side < 2; side++)
        close(pairs[side][1]); /* who still waits for something sees that nothing will come */
    for (int side = 0; side < 2; side++)
        if (ret_errors[side] == -EAGAIN)
            ret_errors[side] = shmring_handshake_step(&halves[side], &ret_links[side]);
}

static inline void close_links(shmring_link links[2], const int errors[2])
{
    for (int side = 0; side < 2; side++)
        if (errors[side] == 0)
            shmring_link_close(&links[side]);
}

/* Is it one that a handshake may end with? */
static inline bool is_documented(int error)
{
    static const int known[] = {0,           -EPROTO, -EBADMSG,   -EPROTONOSUPPORT, -EMSGSIZE,
                                -EOPNOTSUPP, -EPERM,  -ETIMEDOUT, -EMFILE,          -ENFILE,
                                -ENOMEM,     -ENOSPC, -ENOBUFS,   -ETOOMANYREFS};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (error == known[i])
            return true;
    return false;
}

static inline int count_lines(const char *path)
{
    FILE *file = fopen(path, "r");
    int count = 0, c;

    CHECK(file != NULL);
    while ((c = getc(file)) != EOF)
        count += c == '\n';
    fclose(file);
    return count;
}

static inline int count_fds(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    CHECK(directory != NULL);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

/* How much of what leaks is there. */
struct held {
    int fds, mappings;
};

static inline struct held count_held(void)
{
    return (struct held){count_fds(), count_lines("/proc/self/maps")};
}

/* Mappings: a sanitizer makes some of its own now and then, but not one for each handshake. */
static inline void check_held(struct held before, int handshakes)
{
    CHECK_EQ(count_fds(), before.fds);
    CHECK(count_lines("/proc/self/maps") < before.mappings + 40 + handshakes / 10);
}

#endif

/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* struct ucred */
#include "kernel_names.h"

#include "kernel_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

enum { QUEUE = 4 };

static struct {
    uid_t uid;
    struct kernel_packet queue[QUEUE], sent;
    unsigned waiting, sent_count;
    bool has_hung_up;
} other;

int kernel_socket(uid_t uid)
{
    memset(&other, 0, sizeof other);
    other.uid = uid;
    return kernel_add_file(KERNEL_SOCKET);
}

void kernel_deliver(const struct kernel_packet *packet)
{
    if (packet->has_hung_up)
        other.has_hung_up = true;
    else if (packet->is_due && other.waiting < QUEUE)
        other.queue[other.waiting++] = *packet;
}

const struct kernel_packet *kernel_next(unsigned *ret_count, bool *ret_has_hung_up)
{
    *ret_count = other.waiting;
    *ret_has_hung_up = other.has_hung_up;
    return other.waiting != 0 ? &other.queue[0] : NULL;
}

const struct kernel_packet *kernel_sent(unsigned *ret_count)
{
    *ret_count = other.sent_count;
    return &other.sent;
}

uid_t kernel_geteuid(void)
{
    return KERNEL_UID;
}

static bool is_socket(int fd)
{
    const struct kernel_file *file = kernel_file(fd);

    if (file != NULL && file->kind != KERNEL_SOCKET)
        errno = ENOTSOCK;
    return file != NULL && file->kind == KERNEL_SOCKET;
}

int kernel_pidfd_error(void)
{
    return kernel.pidfd_error;
}

int kernel_getsockopt(int fd, int level, int option, void *ret_value, socklen_t *size)
{
    static const int errors[] = {ENOPROTOOPT, EINVAL, EMFILE, ENFILE, ENOMEM, 0};
    const struct ucred credentials = {.pid = 4712, .uid = other.uid, .gid = 1001};
    const void *value = &credentials;
    int number = option == SO_DOMAIN ? AF_UNIX : SOCK_SEQPACKET;

    fuzz_expect(level == SOL_SOCKET, "of the socket");
    if (!is_socket(fd))
        return -1;
    if (option == SO_PEERPIDFD) {
        number = kernel_refuse(kernel_choice(), errors);
        if (number == 0)
            number = kernel_add_file(KERNEL_EVENTFD);
        kernel.pidfd_error = number < 0 ? errno : 0;
        if (number < 0)
            return -1;
    }
    if (option != SO_PEERCRED)
        value = &number;
    fuzz_expect(*size == (option == SO_PEERCRED ? sizeof credentials : sizeof number), "its size");
    memcpy(ret_value, value, *size);
    return 0;
}

/* Of what has come from the other side: it does not linger any more. A kernel without
 * SO_PASSRIGHTS, which is the harder case. */
int kernel_setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
    struct kernel_file *file = kernel_file(fd);
    struct linger linger;

    fuzz_expect(level == SOL_SOCKET && (option == SO_LINGER || option == SO_PASSRIGHTS), "known");
    if (file == NULL)
        return -1;
    if (option == SO_LINGER) {
        fuzz_expect(size == sizeof linger, "its size");
        memcpy(&linger, value, size);
        file->lingers = file->lingers && linger.l_onoff != 0;
    }
    errno = file->kind == KERNEL_SOCKET ? ENOPROTOOPT : ENOTSOCK;
    return -1;
}

/* A descriptor for each, as far as there is room: in control, and in the table. */
static size_t install(const struct kernel_packet *packet, struct msghdr *header)
{
    size_t room = (header->msg_controllen - CMSG_LEN(0)) / sizeof(int), count = 0;
    struct cmsghdr *part = CMSG_FIRSTHDR(header);

    for (; (int)count < packet->count; count++) {
        int fd = count < room ? kernel_add_file(KERNEL_MEMFD) : -1;

        if (fd < 0) {
            header->msg_flags |= MSG_CTRUNC;
            break;
        }
        kernel_file(fd)->memfd = packet->fds[count];
        kernel_file(fd)->lingers = packet->fds[count]->seals < 0;
        memcpy(CMSG_DATA(part) + count * sizeof fd, &fd, sizeof fd);
    }
    if (count == 0)
        return 0;
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(count * sizeof(int));
    return CMSG_SPACE(count * sizeof(int));
}

static void fill_control(const struct kernel_packet *packet, struct msghdr *header)
{
    const struct ucred credentials = {.pid = 1};
    size_t used = 0, room = header->msg_controllen;
    struct cmsghdr *part = header->msg_control;

    header->msg_flags = packet->is_cut ? MSG_CTRUNC : 0;
    if (packet->has_more && room >= CMSG_SPACE(sizeof credentials)) {
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_CREDENTIALS;
        part->cmsg_len = CMSG_LEN(sizeof credentials);
        memcpy(CMSG_DATA(part), &credentials, sizeof credentials);
        used = CMSG_SPACE(sizeof credentials);
    }
    if (packet->count != 0 && room - used >= CMSG_SPACE(sizeof(int))) {
        struct msghdr rest = {.msg_control = (uint8_t *)header->msg_control + used,
                              .msg_controllen = room - used};

        used += install(packet, &rest);
        header->msg_flags |= rest.msg_flags;
    } else if (packet->count != 0) {
        header->msg_flags |= MSG_CTRUNC;
    }
    header->msg_controllen = used;
}

static void take_first(void)
{
    other.waiting--;
    memmove(other.queue, other.queue + 1, other.waiting * sizeof *other.queue);
}

/* Who does not wait is not interrupted. */
ssize_t kernel_recvmsg(int fd, struct msghdr *header, int flags)
{
    static const int errors[] = {ECONNRESET, ENOMEM, 0};
    const struct kernel_packet *packet = &other.queue[0];
    struct iovec *bytes = header->msg_iov;

    fuzz_expect(header->msg_iovlen == 1 && flags == (MSG_DONTWAIT | MSG_CMSG_CLOEXEC), "no wait");
    if (!is_socket(fd) || kernel_refuse(kernel_choice(), errors) != 0)
        return -1;
    if (other.waiting == 0) {
        errno = EAGAIN;
        header->msg_controllen = 0;
        header->msg_flags = 0;
        return other.has_hung_up ? 0 : -1;
    }
    size_t length = packet->length < bytes->iov_len ? packet->length : bytes->iov_len;

    memcpy(bytes->iov_base, packet->bytes, length);
    fill_control(packet, header);
    header->msg_flags |= packet->length > bytes->iov_len ? MSG_TRUNC : 0;
    take_first();
    return (ssize_t)length;
}

static void note_sent(const struct msghdr *header)
{
    const struct cmsghdr *part = header->msg_controllen != 0 ? CMSG_FIRSTHDR(header) : NULL;

    memset(&other.sent, 0, sizeof other.sent);
    other.sent.length = header->msg_iov->iov_len;
    fuzz_expect(other.sent.length <= PACKET_SIZE, "a message is short");
    memcpy(other.sent.bytes, header->msg_iov->iov_base, other.sent.length);
    other.sent_count++;
    if (part == NULL)
        return;
    fuzz_expect(part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS, "descriptors");
    other.sent.count = (int)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    for (int i = 0; i < other.sent.count; i++) {
        int fd;

        memcpy(&fd, CMSG_DATA(part) + (size_t)i * sizeof fd, sizeof fd);
        fuzz_expect(kernel_file(fd) != NULL && kernel_file(fd)->memfd != NULL, "of memfds");
        other.sent.fds[i] = kernel_file(fd)->memfd;
        other.sent.seals[i] = kernel_file(fd)->memfd->seals;
    }
}

ssize_t kernel_sendmsg(int fd, const struct msghdr *header, int flags)
{
    static const int errors[] = {EPIPE, EAGAIN, EPERM, ENOBUFS, ETOOMANYREFS, EMFILE, ENOMEM, 0};

    fuzz_expect(header->msg_iovlen == 1 && flags == (MSG_DONTWAIT | MSG_NOSIGNAL), "no wait");
    if (!is_socket(fd) || kernel_refuse(kernel_choice(), errors) != 0)
        return -1;
    errno = EPIPE;
    if (other.has_hung_up)
        return -1;
    note_sent(header);
    return (ssize_t)header->msg_iov->iov_len;
}

/* Rings. */
ssize_t kernel_send(int fd, const void *bytes, size_t size, int flags)
{
    static const int errors[] = {EAGAIN, EPIPE, ENOBUFS, 0};

    (void)bytes;
    fuzz_expect(flags == (MSG_DONTWAIT | MSG_NOSIGNAL), "no wait, and no signal");
    return !is_socket(fd) || kernel_refuse(kernel_choice(), errors) != 0 ? -1 : (ssize_t)size;
}

ssize_t kernel_recv(int fd, void *ret_bytes, size_t size, int flags)
{
    fuzz_expect(flags == MSG_DONTWAIT && size != 0, "no wait");
    if (!is_socket(fd))
        return -1;
    errno = EAGAIN;
    if (other.waiting == 0 && kernel_choice() % 2 == 0)
        return other.has_hung_up ? 0 : -1;
    if (other.waiting != 0)
        take_first();
    memset(ret_bytes, 0, size < 1 ? size : 1);
    return 1;
}

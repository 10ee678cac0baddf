/* SPDX-License-Identifier: MIT */
/*
 * A link: two processes that need not trust each other, and a ring in each direction. They meet at
 * a Unix socket, which hands over descriptors and says who the other one is; no name in /dev/shm.
 *
 *   server                                          client
 *   shmring_link_listen(&listener, path, NULL);
 *   shmring_link_accept(&listener, &link, never);   shmring_link_connect(&link, path, NULL, never);
 *   shmring_receiver_recv(&link.receiver, ...);     shmring_sender_send(&link.sender, ...);
 *   shmring_link_close(&link);                      shmring_link_close(&link);
 *
 * Each side writes one memfd, its lane: its messages, and how far it has read the other's. The
 * other side has that memory read-only, and cannot change that: it is sealed (F_SEAL_FUTURE_WRITE)
 * before it is handed over, against writing, truncating and punching holes alike, whoever tries and
 * by whatever descriptor (kernels before 6.13 may have a gap: /dev/udmabuf, in docs/link.md). So a
 * bad peer can spoil its own link, by wrong messages or none, and nothing else: it cannot make the
 * other side read or write out of bounds, loop, block past its deadline, or get a signal. (A
 * message may change while it is read in place: copy, then parse.)
 *
 * The server makes both lanes, and seals the client's as soon as the client has mapped it: so it
 * takes no descriptor from anybody. A client that distrusts the server brings its own lane
 * (client_owned), if the server permits.
 *
 * An end is final: there is no successor on a link. A receiver has got every message that was
 * committed before -EPIPE or -EOWNERDEAD; calls after that return the same again. A sender gets
 * -EPIPE or -EOWNERDEAD when the ring is full and the receiver is gone.
 *
 * Handles are the caller's memory, private to the process, used by one thread at a time (sender
 * and receiver of a link may be used by two). They may be moved while no call is under way, not
 * copied, and not used in a child after fork(): its copy of the memory is gone (SIGSEGV); closing
 * is allowed there and closes descriptors only. A child that keeps them open also keeps the peer
 * from seeing this process die, until it has closed them or called exec().
 *
 * Needs Linux 5.14; without what it needs, -EOPNOTSUPP, and never less than is said here.
 * The functions here call the kernel and are not async-signal-safe.
 *
 * Sources: the order of seals is that of memfd_create(2); the handshake is docs/link.md.
 */
#ifndef SHMRING_LINK_H
#define SHMRING_LINK_H

#include "shmring/channel.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

enum {
    SHMRING_LINK_PATH_MAX = 100, /* bytes, without the final zero: sun_path less what we append */
    SHMRING_LINK_PENDING = 32,   /* handshakes that a listener has under way at most */
    SHMRING_LINK_PROTOCOL = 1,   /* the version of the handshake */
};
#define SHMRING_LINK_CAPACITY (UINT64_C(64) << 10)
#define SHMRING_LINK_CAPACITY_MAX (UINT64_C(1) << 30)
#define SHMRING_LINK_TIMEOUT_NS INT64_C(1000000000)

/* Who is at the other end: what the kernel noted when it called connect() or listen(). Others whom
 * it handed its socket to are not told apart. pid is for people: it is 0 for one of another pid
 * namespace, and may be reused; see shmring_link_pidfd(). */
typedef struct shmring_link_peer {
    uid_t uid;
    gid_t gid;
    pid_t pid;
} shmring_link_peer;

/* Of listening and connecting. Set size to sizeof(the struct), all else to 0 for the defaults.
 * What is set without the size is -EINVAL. */
typedef struct shmring_link_options {
    size_t size;
    /* Bytes in each direction, a power of two. Server: what it makes; 0: SHMRING_LINK_CAPACITY.
     * Client: the most that it accepts; 0: SHMRING_LINK_CAPACITY_MAX. */
    uint64_t capacity;
    enum shmring_wait_policy wait; /* how this side waits; default: block */
    enum shmring_fence fence;      /* light if neither side objects and the kernel has it */
    /*
     * This side is woken for messages through the socket, so that shmring_receiver_fd() works: call
     * with SHMRING_NOW until it returns -ETIMEDOUT (or an end), and only then poll, also the first
     * time. A cancel() makes nothing readable here. Else it is woken by futex, which is faster; the
     * socket then only tells the end of the peer.
     */
    bool pollable;
    /* Client: bring one's own lane. Server: permit that; it then takes one descriptor from each
     * such client, after that client's credentials were found good. */
    bool client_owned;
    /* For the whole handshake, ns; 0: SHMRING_LINK_TIMEOUT_NS. */
    int64_t timeout_ns;
    /*
     * Whom to talk to, judged before a byte is read: peers with one's own effective uid, and those
     * with a uid or a (primary) gid in these lists, which must live as long as the listener or the
     * call. The uid that stands for all that have no name in this user namespace (65534) must be
     * listed like any other.
     */
    const uid_t *uids;
    const gid_t *gids;
    uint32_t uid_count;
    uint32_t gid_count;
    /* If set, has the last word about those, and may take others. pidfd is -1 where the kernel has
     * none (before 6.5); it is closed afterwards. A peer whose process has ended (before 6.16), or
     * for whose pidfd there is no descriptor, is turned away unasked. Called by the thread that
     * accepts or connects. */
    bool (*is_welcome)(void *argument, const shmring_link_peer *peer, bool is_listed, int pidfd);
    void *argument;
    /* Server: permissions of the socket, read and write bits; 0: 0600. */
    mode_t mode;
} shmring_link_options;

/* What one side writes: the other one maps it read-only. Private to the process. */
typedef struct shmring_lane {
    void *base;
    size_t
        size; /* bytes, a multiple of the page size; a page that cannot be touched on each side */
} shmring_lane;

/* Both directions. sender and receiver are used like those of a channel (channel.h); closing one
 * of them ends that direction. peer is to be read; the rest is the library's. */
typedef struct shmring_link {
    shmring_sender sender;
    shmring_receiver receiver;
    shmring_link_peer peer;
    int socket;
    int lock;
    pid_t owner; /* the process that may write to the lanes */
    shmring_lane mine;
    shmring_lane theirs;
} shmring_link;

/*
 * Connects to the server at path and shakes hands; waits for that until deadline (absolute, see
 * clock.h), or for the options' timeout if that is sooner. path: a name with a slash in it is that
 * of a socket; one without (fit for a segment) is looked for where shmring_link_listen() puts it;
 * one that begins with '@' is abstract. options may be NULL. Returns 0 or, with *ret_link
 * untouched and nothing left open:
 *   -EINVAL, -ENAMETOOLONG  the path or the options
 *   -ENOENT, -ENOTDIR, -ELOOP, -ECONNREFUSED  nobody listens there
 *   -EACCES      the permissions of the socket or its directory
 *   -EPERM       the server is none that the options permit
 *   -ETIMEDOUT   it did not accept or answer in time (it may have more to do than it can)
 *   -EINTR       a signal handler ran
 *   -EPROTO      it does not keep to the handshake, or hung up: so does one that does not want us
 *   -EBADMSG     what it handed over is not what it should be: wrong seals, size, header or kind
 *   -EPROTONOSUPPORT  it speaks another version, or offers what we do not know
 *   -EMSGSIZE    its rings are larger than the options permit
 *   -EOPNOTSUPP  the kernel lacks something, or the server does not permit client_owned
 *   -EMFILE, -ENFILE, -ENOMEM, -ENOSPC, -ENOBUFS, -ETOOMANYREFS, -ENOTDIR, -ELOOP
 *   -EFBIG       client_owned, and its rings are larger than a file may be (RLIMIT_FSIZE)
 */
int shmring_link_connect(shmring_link *ret_link, const char *path,
                         const shmring_link_options *options, int64_t deadline);

/* Ends both directions and gives back everything. A zeroed or closed link is ignored. */
void shmring_link_close(shmring_link *link);

/* A descriptor of the peer's process (close-on-exec, the caller's), as it was when it connected or
 * listened, for pidfd_send_signal(2) or poll(2); or -EOPNOTSUPP before Linux 6.5, -ESRCH, -EMFILE,
 * -ENFILE. */
int shmring_link_pidfd(const shmring_link *link);

/* The socket, for poll() and epoll: the peer's end makes it readable (POLLIN and POLLHUP). It
 * belongs to the link: do not read, write or close it. With pollable, so do messages; then it is
 * what shmring_receiver_fd() returns. -1: the link is not open. */
inline int shmring_link_fd(const shmring_link *link)
{
    return link->mine.base != NULL ? link->socket : -1;
}

/*
 * A handshake on its way, for programs that must not wait: begin, then step each time that its
 * descriptor is readable, and at its deadline. Private to the process; may be moved. All members
 * are the library's.
 */
typedef struct shmring_handshake {
    int64_t deadline;
    pid_t owner; /* the process that has the lanes mapped */
    shmring_link_options options;
    shmring_link_peer peer;
    int state;
    int socket; /* -1: none under way */
    int lock;
    int fds[2]; /* of the lanes: the server's, the client's */
    shmring_lane lanes[2];
    shmring_geometry geometry;
    uint32_t wakes[2]; /* how the server, and the client, want to be woken */
    uint64_t features;
    uint8_t nonce[16];
    uint8_t session[16];
} shmring_handshake;

enum shmring_link_side { SHMRING_LINK_SERVER = 0, SHMRING_LINK_CLIENT = 1 };

/*
 * Begins on a connected socket of type SOCK_SEQPACKET, one half of a socketpair() or what accept()
 * returned, as the server or the client; one side must be each. The socket is made close-on-exec;
 * it is taken over on 0 only, and closed with the handshake or the link. Does not wait.
 *   -EINVAL      the options, or no such socket
 *   -EBADF, -ENOTSOCK, -ENOTCONN
 *   -EPERM, -EPROTO, -EOPNOTSUPP, -EMFILE, -ENFILE, -ENOBUFS, -ENOMEM as from
 *                shmring_link_connect()
 */
int shmring_handshake_begin(shmring_handshake *ret_handshake, enum shmring_link_side side,
                            int socket, const shmring_link_options *options);

/* Begins by connecting to path, without waiting. -EAGAIN: the server has too much to do, try again
 * a little later; others as from shmring_link_connect(). */
int shmring_handshake_connect(shmring_handshake *ret_handshake, const char *path,
                              const shmring_link_options *options);

/* What to poll for reading, and until when (CLOCK_MONOTONIC, ns). */
inline int shmring_handshake_fd(const shmring_handshake *handshake)
{
    return handshake->socket;
}
inline int64_t shmring_handshake_deadline(const shmring_handshake *handshake)
{
    return handshake->deadline;
}

/* Does what can be done now; does not wait. Returns 0 with the link, and the handshake is over;
 * -EAGAIN: step again later; or as from shmring_link_connect(), and the handshake is over, with
 * everything closed. */
int shmring_handshake_step(shmring_handshake *handshake, shmring_link *ret_link);

/* Gives up. One that is over is ignored. */
void shmring_handshake_cancel(shmring_handshake *handshake);

/* step until it is done, or until deadline. Errors as from shmring_link_connect(). */
int shmring_handshake_finish(shmring_handshake *handshake, shmring_link *ret_link,
                             int64_t deadline);

/* Where links come in. Private to the process, used by one thread at a time; must not be copied or
 * moved. All members are the library's. */
typedef struct shmring_listener {
    shmring_link_options options;
    int epoll;
    int socket;
    int lock;
    int spare;   /* a descriptor to be given up when there is no other to accept with */
    int timer;   /* tells when a client that there was no place for is looked at again */
    bool rests;  /* and till then the socket is not watched */
    pid_t owner; /* who removes the socket */
    dev_t device;
    ino_t inode;
    char path[SHMRING_LINK_PATH_MAX + 1]; /* of the socket; it begins with '@' if abstract */
    shmring_handshake pending[SHMRING_LINK_PENDING];
} shmring_listener;

/*
 * Listens at path: with a slash, that of the socket; without one (a name fit for a segment), that
 * socket in $XDG_RUNTIME_DIR/shmring/ or, if there is no XDG_RUNTIME_DIR, /run/shmring/UID/, made
 * with mode 0700 if it is missing; with '@' in front, an abstract name, which everybody of this
 * network namespace can connect to: it needs is_welcome. A relative path is taken from where the
 * caller is now; one that ends in .lock or .new is -EINVAL. A socket that a dead server left is
 * replaced, also path.new; a file beside it, path.lock, tells (a living one: -EADDRINUSE). The
 * lists and argument of options are kept by reference. options may be NULL. Does not wait. Returns
 * 0 or
 *   -EINVAL, -ENAMETOOLONG  the path or the options
 *   -EADDRINUSE  somebody listens there
 *   -EEXIST      there, or at path.new, is something else than a socket
 *   -EPERM       the directory belongs neither to the caller nor to root, or others may write to it
 *                (and it is not sticky), or the file beside it is another's, or no file
 *   -EOPNOTSUPP  the kernel cannot seal memory so that links are possible, or has no OFD locks
 *   -ENOENT, -EACCES, -ENOTDIR, -ELOOP, -EROFS, -ENOSPC, -EMFILE, -ENFILE, -ENOMEM, -ENOLCK and
 *                others as from open(2), bind(2), rename(2) and mkdir(2)
 */
int shmring_link_listen(shmring_listener *ret_listener, const char *path,
                        const shmring_link_options *options);

/* Removes the socket and closes it, with all handshakes under way. Links that came in stay. In a
 * forked child, closes the copies only. */
void shmring_listener_close(shmring_listener *listener);

/* Readable when shmring_link_accept() has something to do. */
inline int shmring_listener_fd(const shmring_listener *listener)
{
    return listener->epoll;
}

/*
 * The next client that has shaken hands, waited for until deadline; with SHMRING_NOW, does what can
 * be done now, for any number of clients. A client that is not welcome or does not keep to the
 * handshake is dropped, and is no error of this call. If SHMRING_LINK_PENDING are under way and one
 * more comes, the oldest of the uid that has most of them is dropped, once it has had 100 ms.
 * Returns 0, -ETIMEDOUT, -EINTR, or
 *   -EMFILE, -ENFILE, -ENOMEM, -ENOSPC, -ENOBUFS  a client had to be dropped for lack of that
 *   -ENOSYS  the kernel refuses to let it sleep
 */
int shmring_link_accept(shmring_listener *listener, shmring_link *ret_link, int64_t deadline);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: MIT */
/* The handshakes that come in through a listener's socket: all of them get on, none holds up
 * others. */
#define _GNU_SOURCE /* accept4, O_PATH */
#include "link_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    ACCEPTS_PER_STEP = 16, /* so that those under way get on while others flood in */
    EVENTS_PER_STEP = SHMRING_LINK_PENDING + 2,
};
/* Nobody has to make room for others sooner: a client that is one of many on a busy machine must
 * get the processor in that time, to answer. Those who come meanwhile stay in the queue of the
 * socket. */
static const int64_t GRACE_NS = 100000000, REST_NS = 1000000;
/* Which events of the epoll are the socket's, and that of the end of a rest; the others are places
 * in pending. */
static const uint32_t NEW_CLIENT = SHMRING_LINK_PENDING, RESTED = SHMRING_LINK_PENDING + 1;

static int watch_for(int epoll, int operation, int fd, uint32_t which, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.u32 = which}};

    return epoll_ctl(epoll, operation, fd, &event) != 0 ? -errno : 0;
}

/* One that shakes hands is told of once, and then again after each step: if a child keeps a copy of
 * its socket, closing ours does not end the watch. */
static int watch(const shmring_listener *listener, int operation, int fd, uint32_t which)
{
    return watch_for(listener->epoll, operation, fd, which, EPOLLIN | EPOLLONESHOT);
}

int link_watch_socket(const shmring_listener *listener)
{
    int error = watch_for(listener->epoll, EPOLL_CTL_ADD, listener->socket, NEW_CLIENT, EPOLLIN);

    return error != 0 ? error
                      : watch_for(listener->epoll, EPOLL_CTL_ADD, listener->timer, RESTED, EPOLLIN);
}

/* There is no place for who waits, or no descriptor, until then or until a handshake ends: the
 * socket stays readable, and to be told of that all the time would help nobody. 0 or -errno. */
static int rest_until(shmring_listener *listener, int64_t then)
{
    const int64_t ns_per_s = 1000000000;
    const struct itimerspec end = {
        .it_value = {.tv_sec = (time_t)(then / ns_per_s), .tv_nsec = (long)(then % ns_per_s)}};

    timerfd_settime(listener->timer, TFD_TIMER_ABSTIME, &end, NULL);
    listener->rests = true;
    return watch_for(listener->epoll, EPOLL_CTL_MOD, listener->socket, NEW_CLIENT, 0);
}

static int end_rest(shmring_listener *listener)
{
    const struct itimerspec never = {.it_value = {0}};

    if (!listener->rests)
        return 0;
    int error = watch_for(listener->epoll, EPOLL_CTL_MOD, listener->socket, NEW_CLIENT, EPOLLIN);

    if (error != 0) /* we are told again by the timer */
        return error;
    timerfd_settime(listener->timer, 0, &never, NULL);
    listener->rests = false;
    return 0;
}

/* The place for one more: a free one, or that of the oldest of the uid that takes most. */
static shmring_handshake *next_place(shmring_listener *listener)
{
    shmring_handshake *const pending = listener->pending, *worst = pending;
    uint32_t most = 0;

    for (uint32_t i = 0; i < SHMRING_LINK_PENDING; i++) {
        uint32_t same = 0;

        if (pending[i].state == LINK_OVER)
            return &pending[i];
        for (uint32_t j = 0; j < SHMRING_LINK_PENDING; j++)
            same += pending[j].state != LINK_OVER && pending[j].peer.uid == pending[i].peer.uid;
        if (same > most || (same == most && pending[i].deadline < worst->deadline)) {
            most = same;
            worst = &pending[i];
        }
    }
    return worst;
}

static int64_t grace_end(const shmring_listener *listener, const shmring_handshake *place)
{
    return place->deadline - listener->options.timeout_ns + GRACE_NS;
}

/* All places are taken: till the next one has to go, or the time of any is over. */
static int rest_while_full(shmring_listener *listener)
{
    int64_t end = grace_end(listener, next_place(listener));

    for (uint32_t i = 0; i < SHMRING_LINK_PENDING; i++)
        if (listener->pending[i].deadline < end)
            end = listener->pending[i].deadline;
    return rest_until(listener, end);
}

/* There is one while there are descriptors at all. */
static void keep_spare(shmring_listener *listener)
{
    if (listener->spare < 0)
        listener->spare = open("/", O_PATH | O_CLOEXEC);
}

/* There is no descriptor to accept with: one is given up for the client that waits, which would
 * keep the socket readable for ever. If somebody else is faster, it comes back later. */
static void drop_client(shmring_listener *listener)
{
    if (listener->spare >= 0)
        close(listener->spare);
    listener->spare = -1;
    int fd = accept4(listener->socket, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0)
        close(fd);
    keep_spare(listener);
}

static bool is_lack(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -ENOSPC ||
           error == -ENOBUFS;
}

/* One client. 0; -EAGAIN: there is none; -EBUSY: no place; or why it had to be dropped. */
static int accept_one(shmring_listener *listener)
{
    shmring_handshake *place = next_place(listener);

    if (place->state != LINK_OVER && shmring_clock() < grace_end(listener, place))
        return -EBUSY;
    keep_spare(listener);
    int fd = accept4(listener->socket, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0) {
        int error = -errno;

        if (error == -EMFILE || error == -ENFILE)
            drop_client(listener);
        return error == -ECONNABORTED || error == -EINTR ? 0 : error;
    }
    shmring_handshake handshake;
    int error = link_begin(&handshake, SHMRING_LINK_SERVER, fd, &listener->options);

    if (error != 0) { /* not welcome, or nobody can tell */
        close(fd);
        return is_lack(error) ? error : 0;
    }
    shmring_handshake_cancel(place);
    *place = handshake;
    error = watch(listener, EPOLL_CTL_ADD, fd, (uint32_t)(place - listener->pending));
    if (error != 0)
        shmring_handshake_cancel(place);
    return error;
}

/* -EAGAIN, or why it was dropped: what is not watched would never get on. */
static int watch_again(shmring_listener *listener, uint32_t which)
{
    shmring_handshake *handshake = &listener->pending[which];
    int error = watch(listener, EPOLL_CTL_MOD, handshake->socket, which);

    if (error == 0)
        return -EAGAIN;
    shmring_handshake_cancel(handshake);
    return error;
}

/* One of those under way has something to say. 0 with a link, -EAGAIN, or why it was dropped. */
static int step_one(shmring_listener *listener, uint32_t which, shmring_link *ret_link)
{
    shmring_handshake *handshake = &listener->pending[which];
    int error = shmring_handshake_step(handshake, ret_link);

    if (error == 0) /* its socket is no longer ours to watch */
        epoll_ctl(listener->epoll, EPOLL_CTL_DEL, ret_link->socket, NULL);
    if (error == -EAGAIN)
        return watch_again(listener, which);
    /* What it kept may be what others wait for. If this fails, the rest ends by itself. */
    (void)end_rest(listener);
    return error;
}

/* These were told of, and not looked at. */
static void tell_again(shmring_listener *listener, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++)
        if (events[i].data.u32 < SHMRING_LINK_PENDING &&
            listener->pending[events[i].data.u32].state != LINK_OVER)
            watch_again(listener, events[i].data.u32);
}

/* As many as wait, but not for ever. 0, or a lack. */
static int accept_some(shmring_listener *listener)
{
    int error = 0;

    for (int i = 0; error == 0 && i < ACCEPTS_PER_STEP; i++)
        error = accept_one(listener);
    if (error == -EBUSY)
        return rest_while_full(listener);
    if (is_lack(error))
        rest_until(listener, shmring_clock() + REST_NS);
    return is_lack(error) ? error : 0;
}

/* The socket is readable, or a rest has ended. 0, or a lack. */
static int take_clients(shmring_listener *listener, uint32_t which)
{
    int error = which == RESTED ? end_rest(listener) : 0;

    return error != 0 ? error : accept_some(listener);
}

static void drop_late(shmring_listener *listener, int64_t now)
{
    for (uint32_t i = 0; i < SHMRING_LINK_PENDING; i++)
        if (listener->pending[i].state != LINK_OVER && now >= listener->pending[i].deadline) {
            shmring_handshake_cancel(&listener->pending[i]);
            (void)end_rest(listener);
        }
}

/* All that can be done now. 0 with a link, -EAGAIN, or a lack. */
static int step(shmring_listener *listener, shmring_link *ret_link)
{
    struct epoll_event events[EVENTS_PER_STEP];
    int count = epoll_wait(listener->epoll, events, EVENTS_PER_STEP, 0), lack = 0;
    int64_t now = shmring_clock();

    for (int i = 0; i < count; i++) {
        int error = events[i].data.u32 >= SHMRING_LINK_PENDING
                        ? -EAGAIN
                        : step_one(listener, events[i].data.u32, ret_link);

        if (error == 0) {
            tell_again(listener, events + i + 1, count - i - 1);
            return 0;
        }
        lack = is_lack(error) ? error : lack;
    }
    drop_late(listener, now);
    for (int i = 0; i < count && lack == 0; i++)
        if (events[i].data.u32 >= SHMRING_LINK_PENDING)
            lack = take_clients(listener, events[i].data.u32);
    return lack != 0 ? lack : -EAGAIN;
}

int shmring_link_accept(shmring_listener *listener, shmring_link *ret_link, int64_t deadline)
{
    const int64_t ns_per_ms = 1000000;

    for (;;) {
        struct pollfd one = {.fd = listener->epoll, .events = POLLIN};
        int error = step(listener, ret_link);

        if (error != -EAGAIN)
            return error;
        int64_t left = deadline <= SHMRING_NOW ? 0 : deadline - shmring_clock();

        if (left <= 0)
            return -ETIMEDOUT;
        /* At most the cap, for the sake of handshakes whose time runs out. */
        left = left < SHMRING_WAIT_CAP_NS ? left : SHMRING_WAIT_CAP_NS;
        if (poll(&one, 1, (int)((left + ns_per_ms - 1) / ns_per_ms)) < 0)
            return errno == EINTR || errno == ENOMEM ? -errno : -ENOSYS;
    }
}

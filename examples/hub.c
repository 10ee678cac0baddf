/* SPDX-License-Identifier: MIT */
/* A server in an event loop: a hub beside a timer, one thread. What a client sends goes to all
 * clients; the server ends when the last one has left. Without clients it waits for the first. */
#define _GNU_SOURCE /* CLOCK_MONOTONIC */
#include <errno.h>
#include <shmring/error.h>
#include <shmring/hub.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int clients, joined;

static void handle(shmring_hub *hub, const shmring_hub_event *event, void *argument)
{
    (void)argument;
    switch (event->kind) {
    case SHMRING_HUB_JOINED:
        clients++, joined++;
        break;
    case SHMRING_HUB_MESSAGE:
        shmring_hub_send_all(hub, event->message, event->length, event->type, NULL, NULL, NULL);
        break;
    default: /* left, died, broke the rules, was evicted */
        clients--;
    }
}

static void report(shmring_hub *hub, int timer)
{
    shmring_hub_stats stats;
    uint64_t times;

    if (read(timer, &times, sizeof times) > 0 && shmring_hub_get_stats(hub, &stats) == 0)
        fprintf(stderr, "hub: %u clients, %llu messages in\n", stats.channels,
                (unsigned long long)stats.counts.received);
}

static void serve(shmring_hub *hub)
{
    const struct itimerspec second = {.it_interval.tv_sec = 1, .it_value.tv_sec = 1};
    struct epoll_event event = {.events = EPOLLIN};
    int poll = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

    event.data.fd = timer;
    timerfd_settime(timer, 0, &second, NULL);
    epoll_ctl(poll, EPOLL_CTL_ADD, timer, &event);
    event.data.fd = shmring_hub_fd(hub);
    epoll_ctl(poll, EPOLL_CTL_ADD, shmring_hub_fd(hub), &event);
    while (joined == 0 || clients > 0) {
        if (epoll_wait(poll, &event, 1, -1) == 1 && event.data.fd == timer)
            report(hub, timer);
        else
            shmring_hub_dispatch(hub, handle, NULL, SHMRING_NOW);
    }
    close(timer);
    close(poll);
}

int main(int argc, char **argv)
{
    /* Whoever does not read for a second while there is more to send, goes. */
    shmring_hub_options options = {.size = sizeof options, .limits.full_ns = 1000000000};
    shmring_hub *hub;
    int error = shmring_hub_open(&hub, argc > 1 ? argv[1] : "example", &options);

    if (error != 0)
        return fprintf(stderr, "hub: %s\n", shmring_error_text(error)), 1;
    serve(hub);
    printf("clients: %d\n", joined);
    return shmring_hub_close(hub) != 0;
}

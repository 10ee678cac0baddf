/* SPDX-License-Identifier: MIT */
/* A ring in an event loop beside other descriptors: a child sends numbers, the parent waits by
 * epoll for them and for the child's output on a pipe. */
#define _GNU_SOURCE /* dprintf */
#include <errno.h>
#include <shmring/shmring.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

static int child(const shmring_channel_fds *fds, int out)
{
    shmring_sender tx = {0};
    int error = shmring_sender_open_fds(&tx, fds, NULL);

    for (int i = 1; i <= 3 && error == 0; i++)
        error = shmring_sender_send(&tx, &i, sizeof i, 0, SHMRING_NEVER);
    dprintf(out, "the child has sent 3 numbers\n");
    shmring_sender_close(&tx);
    return error != 0;
}

/* All that is there: 0 when the sender has ended, else -ETIMEDOUT or what is wrong. */
static int drain(shmring_receiver *rx)
{
    int number, error;

    while ((error = shmring_receiver_recv(rx, &number, sizeof number, NULL, NULL, SHMRING_NOW)) ==
           0)
        printf("number %d\n", number);
    return error == -EPIPE ? 0 : error;
}

static int parent(shmring_receiver *rx, int in)
{
    int poll = epoll_create1(EPOLL_CLOEXEC), open = 2;
    struct epoll_event ring = {.events = EPOLLIN, .data.u32 = 1}, pipe = {.events = EPOLLIN};
    char text[80];

    epoll_ctl(poll, EPOLL_CTL_ADD, shmring_receiver_fd(rx), &ring);
    epoll_ctl(poll, EPOLL_CTL_ADD, in, &pipe);
    while (open > 0) {
        struct epoll_event event;

        /* With a timeout: a sender that dies says nothing. */
        if (epoll_wait(poll, &event, 1, 1000) != 1 || event.data.u32 == 1) {
            int error = drain(rx);

            if (error != 0 && error != -ETIMEDOUT)
                return fprintf(stderr, "epoll: %s\n", shmring_error_text(error)), 1;
            if (error == 0)
                open--, epoll_ctl(poll, EPOLL_CTL_DEL, shmring_receiver_fd(rx), NULL);
            continue;
        }
        ssize_t size = read(in, text, sizeof text);

        if (size > 0)
            printf("pipe: %.*s", (int)size, text);
        else
            open--, epoll_ctl(poll, EPOLL_CTL_DEL, in, NULL);
    }
    close(poll);
    return 0;
}

int main(void)
{
    shmring_channel_options options = {.size = sizeof options, .backend = SHMRING_BACKEND_EVENTFD};
    shmring_channel_fds fds;
    shmring_receiver rx = {0};
    int pipe_fds[2];

    if (pipe(pipe_fds) != 0 || shmring_channel_create_fds(&fds, &options) != 0 ||
        shmring_receiver_open_fds(&rx, &fds, &options) != 0)
        return perror("epoll"), 1;
    fflush(stdout);
    if (fork() == 0)
        _exit(child(&fds, pipe_fds[1]));
    close(pipe_fds[1]);
    int status = parent(&rx, pipe_fds[0]);

    shmring_receiver_close(&rx);
    shmring_channel_close_fds(&fds);
    wait(NULL);
    return status;
}

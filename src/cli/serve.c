/* SPDX-License-Identifier: MIT */
/* serve: what the clients send, a batch of whole messages from each in turn. */
#include "link.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is polled before the clients. */
enum { NEWCOMERS, OUTPUT, FIXED };

/* Who spins asks the kernel each so often, and looks at the clock after so many looks in vain. */
static const int64_t LOOK_NS = 1000000;
enum { LOOKS = 64 };

struct client {
    shmring_link link;
    uint64_t written; /* messages */
    bool is_ready;    /* there may be a message or an end; else it is armed to tell */
};

struct serve {
    const struct cli_options *options;
    const char *path;
    bool is_over;
    int status;
    uint64_t written; /* messages */
    uint32_t count;
    uint32_t room;
    struct client *clients;
    struct pollfd *fds;
    shmring_spin spin;
    int64_t window; /* adaptive: see spin.h */
    struct cli_batch batch;
    shmring_listener listener;
};

static void end(struct serve *serve, int status)
{
    serve->is_over = true;
    serve->status = status;
}

static bool make_room(struct serve *serve)
{
    uint32_t room = serve->room == 0 ? 16 : 2 * serve->room;

    if (serve->count < serve->room)
        return true;
    struct client *clients = realloc(serve->clients, room * sizeof *clients);
    if (clients != NULL)
        serve->clients = clients;
    struct pollfd *fds = realloc(serve->fds, (room + FIXED) * sizeof *fds);
    if (fds != NULL)
        serve->fds = fds;
    if (clients == NULL || fds == NULL)
        return false;
    serve->room = room;
    return true;
}

/* One newcomer, if there is one: the next is still there the next time. */
static void welcome(struct serve *serve)
{
    if (!make_room(serve)) {
        end(serve, cli_say(CLI_FAILED, "out of memory"));
        return;
    }
    struct client *client = &serve->clients[serve->count];
    int error = shmring_link_accept(&serve->listener, &client->link, SHMRING_NOW);

    if (error != 0) {
        if (error != -ETIMEDOUT && error != -EINTR)
            cli_say(CLI_FAILED, "%s: a client was turned away: %s", serve->path, strerror(-error));
        return;
    }
    client->written = 0;
    client->is_ready = true;
    /* For a client that would receive, too. */
    shmring_sender_close(&client->link.sender);
    if (serve->options->wait != SHMRING_WAIT_SPIN)
        shmring_receiver_fd(&client->link.receiver);
    serve->count++;
}

/* One that dies before its first message was perhaps none: who only looks (info --link) leaves like
 * that. */
static void part(struct serve *serve, struct client *client, int error)
{
    const shmring_link_peer *peer = &client->link.peer;
    int status = CLI_OK;

    if (error != -EPIPE && client->written != 0)
        status = cli_say(CLI_BROKEN, "%s: a client %s, process %ld of user %lu", serve->path,
                         error == -EOWNERDEAD ? "died" : "broke the rules of the ring",
                         (long)peer->pid, (unsigned long)peer->uid);
    if (serve->options->once && (error == -EPIPE || client->written != 0))
        end(serve, status);
    shmring_link_close(&client->link);
    *client = serve->clients[--serve->count];
}

static void output_failed(struct serve *serve, int error)
{
    if (error == -EINTR)
        end(serve, CLI_SIGNAL + (int)cli_signal);
    else
        end(serve, error == -EPIPE /* the reader has had enough, and knows it */
                       ? CLI_FAILED
                       : cli_say(CLI_FAILED, "standard output: %s", strerror(-error)));
}

/* True: it had something. */
static bool take_from(struct serve *serve, struct client *client)
{
    const struct cli_options *options = serve->options;
    shmring_receiver *receiver = &client->link.receiver;
    uint64_t limit = options->limit != 0 ? options->limit - serve->written : UINT64_MAX;
    int done, error = cli_gather(receiver, options, limit, SHMRING_NOW, &serve->batch);

    if (error == -ETIMEDOUT) {
        client->is_ready = false;
        return false;
    }
    if (error != 0) {
        part(serve, client, error);
        return true;
    }
    error = cli_batch_write(&serve->batch, STDOUT_FILENO, &done);
    if (error != 0) {
        output_failed(serve, error);
        return true;
    }
    /* Now it is ours, and the client may go. */
    shmring_receiver_release(receiver);
    shmring_receiver_flush(receiver);
    client->written += (uint64_t)done;
    serve->written += (uint64_t)done;
    if ((uint64_t)done == limit)
        end(serve, CLI_OK);
    return true;
}

static bool take_from_all(struct serve *serve)
{
    bool any = false;

    for (uint32_t i = serve->count; i-- > 0 && !serve->is_over;)
        if (serve->clients[i].is_ready)
            any |= take_from(serve, &serve->clients[i]);
    return any;
}

/* Without the kernel, and without arming. */
static bool look(struct serve *serve)
{
    bool any = false;

    for (uint32_t i = 0; i < serve->count; i++) {
        struct client *client = &serve->clients[i];
        shmring_spsc_consumer *consumer = &client->link.receiver.consumer;

        client->is_ready = shmring_spsc_has_record(consumer) ||
                           shmring_spsc_error(&consumer->side) != 0 ||
                           shmring_spsc_peer_left(&consumer->side);
        any |= client->is_ready;
    }
    return any;
}

/* True: there is something. */
static bool spin(struct serve *serve, int64_t until)
{
    while (!cli_signal && shmring_clock() < until) {
        for (int i = 0; i < LOOKS; i++) {
            if (look(serve)) {
                shmring_spin_hit(&serve->spin);
                return true;
            }
            shmring_spin_miss(&serve->spin, serve->written);
        }
    }
    return false;
}

static int to_ms(int64_t deadline)
{
    const int64_t ns_per_ms = 1000000;
    int64_t left = deadline <= SHMRING_NOW ? 0 : deadline - shmring_clock();

    if (deadline == SHMRING_NEVER || left > (int64_t)INT_MAX * ns_per_ms)
        return -1;
    return left <= 0 ? 0 : (int)((left + ns_per_ms - 1) / ns_per_ms);
}

static void poll_all(struct serve *serve, int64_t deadline)
{
    struct pollfd *fds = serve->fds;

    fds[NEWCOMERS] = (struct pollfd){shmring_listener_fd(&serve->listener), POLLIN, 0};
    fds[OUTPUT] = (struct pollfd){STDOUT_FILENO, 0, 0};
    for (uint32_t i = 0; i < serve->count; i++)
        fds[FIXED + i] = (struct pollfd){shmring_link_fd(&serve->clients[i].link), POLLIN, 0};
    if (poll(fds, FIXED + serve->count, to_ms(deadline)) <= 0)
        return;
    for (uint32_t i = 0; i < serve->count; i++)
        serve->clients[i].is_ready = fds[FIXED + i].revents != 0;
    /* Nobody reads what we would write. */
    if ((fds[OUTPUT].revents & POLLERR) != 0)
        output_failed(serve, -EPIPE);
}

/* All were looked at in vain, and armed. */
static void await_news(struct serve *serve, int64_t deadline)
{
    enum shmring_wait_policy policy = serve->options->wait;
    int64_t now = shmring_clock();
    int64_t spins = policy == SHMRING_WAIT_BLOCK  ? 0
                    : policy == SHMRING_WAIT_SPIN ? LOOK_NS
                                                  : serve->window;

    if (now >= deadline)
        end(serve, cli_link_fail(serve->path, -ETIMEDOUT, NULL));
    else if (!spin(serve, now + spins))
        poll_all(serve, policy == SHMRING_WAIT_SPIN ? SHMRING_NOW : deadline);
    if (policy == SHMRING_WAIT_ADAPTIVE)
        serve->window = shmring_spin_window(serve->window, shmring_clock() - now);
}

static void run(struct serve *serve)
{
    int64_t timeout = serve->options->timeout, deadline = cli_deadline(timeout);

    while (!serve->is_over) {
        if (cli_signal) {
            end(serve, CLI_SIGNAL + (int)cli_signal);
            return;
        }
        welcome(serve);
        if (take_from_all(serve))
            deadline = cli_deadline(timeout);
        else if (!serve->is_over)
            await_news(serve, deadline);
    }
}

int cli_serve(const struct cli_options *options)
{
    static struct serve serve; /* large */
    shmring_link_options link = cli_link_options(options);
    int status = cli_check_serve(options);

    if (status != CLI_OK || options->sends)
        return status != CLI_OK ? status : cli_serve_send(options);
    serve.options = options;
    serve.path = options->arguments[0];
    link.pollable = options->wait != SHMRING_WAIT_SPIN;
    int error = shmring_link_listen(&serve.listener, serve.path, &link);
    if (error != 0)
        return cli_listen_fail(serve.path, error);
    run(&serve);
    shmring_listener_close(&serve.listener);
    while (serve.count > 0)
        shmring_link_close(&serve.clients[--serve.count].link);
    free(serve.clients);
    free(serve.fds);
    return serve.status;
}

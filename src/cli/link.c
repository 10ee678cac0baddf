/* SPDX-License-Identifier: MIT */
/* Between the options of the command and the library's links; and what to say of their errors. */
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

enum { ALL_MODE = 0666 };

struct sentence {
    int error;
    enum cli_status status;
    const char *text;
};

int cli_check_serve(const struct cli_options *options)
{
    const char *wrong = strpbrk(options->given, options->sends ? "1C" : "My");

    if (wrong != NULL)
        return cli_say(CLI_USAGE, "serve: --%s is %s --send", cli_option_name(*wrong),
                       options->sends ? "not for" : "only for");
    return CLI_OK;
}

int cli_check_link(const char *command, const struct cli_options *options)
{
    const char *wrong = strpbrk(options->given, options->link ? "nmoYXxp" : "ugOD");

    if (wrong != NULL)
        return cli_say(CLI_USAGE, "%s: --%s is %s --link", command, cli_option_name(*wrong),
                       options->link ? "not for" : "only for");
    if (options->link && options->capacity > SHMRING_LINK_CAPACITY_MAX)
        return cli_say(CLI_USAGE, "%s: the rings of a link have at most 1G", command);
    return CLI_OK;
}

/* An abstract name has no permissions: all who come are judged, as ever. */
static bool is_listed_one(void *argument, const shmring_link_peer *peer, bool is_listed, int pidfd)
{
    (void)argument;
    (void)peer;
    (void)pidfd;
    return is_listed;
}

shmring_link_options cli_link_options(const struct cli_options *options)
{
    const bool names_others = options->uid_count != 0 || options->gid_count != 0;

    return (shmring_link_options){
        .size = sizeof(shmring_link_options),
        .capacity = options->capacity,
        .wait = options->wait,
        .client_owned = options->client_owned,
        .uids = options->uids,
        .gids = options->gids,
        .uid_count = options->uid_count,
        .gid_count = options->gid_count,
        .is_welcome = *options->arguments[0] == '@' ? is_listed_one : NULL,
        .mode = options->mode != 0 ? options->mode
                : names_others     ? ALL_MODE
                                   : 0,
    };
}

int cli_link_connect(const struct cli_options *options, int64_t patience, shmring_link *ret_link)
{
    shmring_link_options link = cli_link_options(options);
    int64_t timeout = options->timeout, end = cli_deadline(timeout < 0 ? patience : timeout);

    /* 0 means not to wait for a server or messages; but a handshake takes its time. */
    link.timeout_ns = timeout > 0 ? timeout : 0;
    for (;;) {
        int error = shmring_link_connect(ret_link, options->arguments[0], &link, SHMRING_NEVER);

        if (error != -ENOENT && error != -ECONNREFUSED && !cli_goes_on(error))
            return error;
        if (cli_signal)
            return -EINTR;
        if (shmring_clock() >= end)
            return error;
        cli_pause();
    }
}

int cli_link_end(const shmring_spsc_side *side, int socket)
{
    struct pollfd one = {.fd = socket, .events = POLLRDHUP};
    uint32_t session;
    /* First: who closes in good order ends its session before that. */
    bool hung_up = poll(&one, 1, 0) == 1;
    int end = shmring_spsc_peer(side, &session);

    if (end == -EPIPE || end == -EOWNERDEAD)
        return end;
    return hung_up ? -EOWNERDEAD : 0;
}

int cli_link_drain(const shmring_sender *sender, int socket, int64_t timeout)
{
    const shmring_spsc_side *side = &sender->producer.side;
    const int longest_ms = 64;
    int64_t deadline = cli_deadline(timeout);
    uint64_t used, before = UINT64_MAX;
    struct pollfd one = {.fd = socket, .events = POLLRDHUP};

    for (int ms = 1;; ms = ms < longest_ms ? 2 * ms : ms) {
        int end = cli_link_end(side, socket); /* before the look: it may have taken all, and gone */

        used = shmring_spsc_used_guess(side);
        if (used == 0 || end != 0)
            return used == 0 ? 0 : end;
        if (used != before)
            deadline = cli_deadline(timeout);
        if (cli_signal)
            return -EINTR;
        if (shmring_clock() >= deadline)
            return -ETIMEDOUT;
        before = used;
        poll(&one, 1, ms);
    }
}

static int say(const struct sentence *sentences, size_t count, const char *path, int error)
{
    for (size_t i = 0; i < count; i++)
        if (sentences[i].error == error)
            return cli_say(sentences[i].status, "%.200s: %s", path, sentences[i].text);
    return cli_fail(path, error, NULL);
}

static bool is_no_socket(const char *path)
{
    struct stat status;

    return strchr(path, '/') != NULL && stat(path, &status) == 0 && !S_ISSOCK(status.st_mode);
}

int cli_link_fail(const char *path, int error, const char *peer)
{
    static const struct sentence sentences[] = {
        {-EINVAL, CLI_USAGE, "not the path of a socket, nor a name for one"},
        {-ENAMETOOLONG, CLI_USAGE, "the path is longer than 100 bytes"},
        {-ENOENT, CLI_MISSING, "nobody listens there (see shmring serve)"},
        {-ECONNREFUSED, CLI_MISSING, "no server of links listens there any more"},
        {-ETIMEDOUT, CLI_TIMEOUT, "timed out"},
        {-EPERM, CLI_PERMISSION, "not allowed: the server is another user's (see --allow-uid)"},
        {-EPROTO, CLI_PERMISSION,
         "it hung up: it does not want this user, or is no server of links"},
        {-EBADMSG, CLI_BROKEN, "what it hands over is not what a link is made of"},
        {-EPROTONOSUPPORT, CLI_LAYOUT, "it speaks a version that this one does not know"},
        {-EMSGSIZE, CLI_FAILED, "its rings are larger than --capacity permits"},
        {-EOPNOTSUPP, CLI_FAILED,
         "this kernel cannot, or the server does not permit --client-owned"},
        {-ENOSPC, CLI_FAILED, "no room in memory"},
    };

    if (peer != NULL && error == -EOWNERDEAD)
        return cli_say(CLI_BROKEN, "%.200s: the %s died", path, peer);
    if (peer != NULL && error == -EPIPE)
        return cli_say(CLI_BROKEN, "%.200s: the %s does not receive, or no longer", path, peer);
    if (peer != NULL && error == -EBADMSG)
        return cli_say(CLI_BROKEN, "%.200s: the %s broke the rules of the ring", path, peer);
    if (error == -ECONNREFUSED && is_no_socket(path))
        return cli_say(CLI_LAYOUT, "%.200s: not a socket", path);
    return say(sentences, sizeof sentences / sizeof *sentences, path, error);
}

int cli_listen_fail(const char *path, int error)
{
    static const struct sentence sentences[] = {
        {-EINVAL, CLI_USAGE, "not a path for a socket, nor a name for one"},
        {-ENAMETOOLONG, CLI_USAGE, "the path is longer than 100 bytes"},
        {-EADDRINUSE, CLI_FAILED, "another server listens there"},
        {-EEXIST, CLI_FAILED, "there is something else than a socket"},
        {-ENOENT, CLI_FAILED, "there is no such directory"},
        {-EPERM, CLI_PERMISSION,
         "not allowed: its directory or PATH.lock is another user's, or others may write there"},
        {-EOPNOTSUPP, CLI_FAILED, "this kernel cannot seal memory as links need it"},
    };

    return say(sentences, sizeof sentences / sizeof *sentences, path, error);
}

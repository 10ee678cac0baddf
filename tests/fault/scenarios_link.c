/* SPDX-License-Identifier: MIT */
/*
 * Links: listening, connecting, each step of both halves of the handshake, and closing. Server and
 * client are one thread, and take turns; the calls of one of them fail.
 */
#include "../check.h"

#include "link_pair.h"

#include <dirent.h>
#include <shmring/link.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

static const int listen_errors[] = {
    EINVAL,  ENAMETOOLONG, EADDRINUSE, EEXIST, EPERM,  EOPNOTSUPP, ENOENT,     EACCES,
    ENOTDIR, EROFS,        ENOSPC,     EMFILE, ENFILE, ENOMEM,     ELOOP,      EDQUOT,
    EMLINK,  ENOBUFS,      EBUSY,      EISDIR, ENXIO,  ENOLCK,     EOPNOTSUPP, 0};
static const int connect_errors[] = {
    EINVAL, ENAMETOOLONG, ENOENT,          ECONNREFUSED, EACCES,     EPERM,  ETIMEDOUT, EINTR,
    EPROTO, EBADMSG,      EPROTONOSUPPORT, EMSGSIZE,     EOPNOTSUPP, EMFILE, ENFILE,    ENOMEM,
    ENOSPC, ENOBUFS,      ETOOMANYREFS,    ENOTDIR,      ELOOP,      EFBIG,  0};
/* Also what a handshake that was begun without a path says. */
static const int accept_errors[] = {ETIMEDOUT, EINTR,   EMFILE, ENFILE, ENOMEM,
                                    ENOSPC,    ENOBUFS, ENOSYS, 0};
static const int begin_errors[] = {EINVAL, EBADF,      ENOTSOCK, ENOTCONN, EPERM,
                                   EPROTO, EOPNOTSUPP, ENOBUFS,  ENOMEM,   ETOOMANYREFS,
                                   EMFILE, ENFILE,     0};
static const int no_errors[] = {0};

enum { IDLE_MAX = 16, REST_US = 2000 /* a listener that lacked something rests for less */ };
enum { AT_PATH, RELATIVE, NAMED, ABSTRACT };
static const int64_t MOMENT_NS = 2000000;

static char directory[64], path[128];
static shmring_listener listener;
static shmring_handshake connecting;
shmring_link link_server, link_client;
static bool has_server, has_client;
static int sockets[2];

static bool is_nobody_welcome(void *argument, const shmring_link_peer *peer, bool is_listed,
                              int pidfd)
{
    (void)argument, (void)peer, (void)pidfd, (void)is_listed;
    return false;
}

static bool is_welcome(void *argument, const shmring_link_peer *peer, bool is_listed, int pidfd)
{
    (void)argument, (void)peer, (void)pidfd;
    return is_listed;
}

static shmring_link_options options_of(const struct scenario *scenario)
{
    return (shmring_link_options){
        .size = sizeof(shmring_link_options),
        .capacity = 4096,
        .timeout_ns = HANG_NS,
        .pollable = scenario->variant == POLLABLE,
        .client_owned = scenario->variant == OWNED,
        .is_welcome = scenario->variant == ASKED ? is_welcome : NULL,
    };
}

static int listen_at(const struct scenario *scenario)
{
    shmring_link_options options = options_of(scenario);
    const char *at = path;

    if (scenario->variant == RELATIVE)
        at = "./shmring-link.sock";
    if (scenario->variant == NAMED)
        at = "shmring-link";
    if (scenario->variant == ABSTRACT)
        at = "@shmring-link";
    options.is_welcome = is_welcome;
    fault_arm();
    int error = shmring_link_listen(&listener, at, &options);

    fault_disarm();
    return error;
}

void link_pair_start(const struct scenario *scenario)
{
    shmring_link_options options = options_of(scenario);

    has_server = has_client = false;
    CHECK_EQ(shmring_link_listen(&listener, path, &options), 0);
}

void link_pair_stop(const struct scenario *scenario)
{
    (void)scenario;
    if (has_client)
        shmring_link_close(&link_client);
    if (has_server)
        shmring_link_close(&link_server);
    has_server = has_client = false;
    shmring_handshake_cancel(&connecting);
    shmring_listener_close(&listener);
}

static int close_listener(const struct scenario *scenario)
{
    (void)scenario;
    errno = ERANGE;
    fault_arm();
    shmring_listener_close(&listener);
    fault_disarm();
    CHECK_EQ(errno, ERANGE);
    return 0;
}

/* One turn of the client: 0 when it has its link. */
static int client_turn(bool armed)
{
    shmring_link made;

    if (has_client)
        return 0;
    scenario_mark(&made, sizeof made);
    if (armed)
        fault_arm();
    int error = shmring_handshake_step(&connecting, &made);

    fault_disarm();
    has_client = error == 0;
    if (has_client)
        link_client = made;
    else
        scenario_check_marked(&made, sizeof made);
    return error;
}

static int server_turn(bool armed, int64_t deadline)
{
    shmring_link made;

    if (has_server)
        return 0;
    scenario_mark(&made, sizeof made);
    if (armed)
        fault_arm();
    int error = shmring_link_accept(&listener, &made, deadline);

    fault_disarm();
    has_server = error == 0;
    if (has_server)
        link_server = made;
    else
        scenario_check_marked(&made, sizeof made);
    return error;
}

static int begin(const struct scenario *scenario, bool armed)
{
    shmring_link_options options = options_of(scenario);

    options.is_welcome = NULL;
    scenario_mark(&connecting, sizeof connecting);
    if (armed)
        fault_arm();
    int error = shmring_handshake_connect(&connecting, path, &options);

    fault_disarm();
    if (error != 0) /* not promised untouched */
        memset(&connecting, 0, sizeof connecting);
    return error;
}

/* One turn of each. All that one says is there when the other looks: nothing comes later. */
static bool both_wait(int client_error, int server_error)
{
    return client_error == -EAGAIN && server_error != 0;
}

/* The client's calls fail. */
static int shake_as_client(const struct scenario *scenario)
{
    int error = begin(scenario, true), served = 0;

    if (error == -EAGAIN)
        return -ETIMEDOUT;
    for (int idle = 0; idle < IDLE_MAX && (error == 0 || error == -EAGAIN);) {
        if (has_client && has_server)
            return 0;
        served = server_turn(false, SHMRING_NOW);
        error = client_turn(true);
        idle = both_wait(error, served) ? idle + 1 : 0;
    }
    CHECK(error != 0 && error != -EAGAIN);
    /* The server learns of it, and lets go. */
    for (int i = 0; i < IDLE_MAX; i++)
        server_turn(false, SHMRING_NOW);
    CHECK(listener.pending[0].state == 0);
    return error;
}

/* The server's calls fail. What accept says about it is checked. Unless they go on to fail, the
 * client is served, or dropped. */
static int shake_as_server(const struct scenario *scenario)
{
    int first = 0, error = -EAGAIN, idle = 0;

    CHECK_EQ(begin(scenario, false), 0);
    while (idle < IDLE_MAX && (error == -EAGAIN || (error == 0 && !has_server))) {
        int served = server_turn(true, scenario->is_queue ? shmring_deadline(1000) : SHMRING_NOW);

        if (served != 0 && served != -ETIMEDOUT && first == 0)
            first = served;
        error = client_turn(false);
        idle = both_wait(error, served) ? idle + 1 : 0;
        if (idle == IDLE_MAX / 2)
            usleep(REST_US);
    }
    CHECK(fault_injected() != 0 || (has_client && has_server));
    if (fault_injected() <= 1 && idle >= IDLE_MAX)
        scenario_failed("the client is neither served nor dropped");
    return first;
}

/* A link that both have works in both directions. Then all is closed. */
void link_pair_use(const struct scenario *scenario)
{
    const char message[] = "one";
    char got[sizeof message];

    if (has_client && has_server && link_client.mine.base != NULL) {
        int64_t deadline = shmring_deadline(HANG_NS);

        CHECK_EQ(shmring_sender_send(&link_client.sender, message, sizeof message, 0, deadline), 0);
        CHECK_EQ(
            shmring_receiver_recv(&link_server.receiver, got, sizeof got, NULL, NULL, deadline), 0);
        CHECK_EQ(shmring_sender_send(&link_server.sender, message, sizeof message, 0, deadline), 0);
        CHECK_EQ(
            shmring_receiver_recv(&link_client.receiver, got, sizeof got, NULL, NULL, deadline), 0);
    }
    link_pair_stop(scenario);
}

void link_pair_connect(const struct scenario *scenario)
{
    link_pair_start(scenario);
    CHECK_EQ(shake_as_client(scenario), 0);
}

static int wait_in_vain(const struct scenario *scenario)
{
    (void)scenario;
    return server_turn(true, shmring_deadline(MOMENT_NS));
}

/* A client that is not welcome. */
static void start_unfriendly(const struct scenario *scenario)
{
    shmring_link_options options = options_of(scenario);

    options.is_welcome = is_nobody_welcome;
    CHECK_EQ(shmring_link_listen(&listener, path, &options), 0);
    CHECK_EQ(begin(scenario, false), 0);
}

/* To a server that does not answer. */
static int connect_in_vain(const struct scenario *scenario)
{
    shmring_link_options options = options_of(scenario);
    shmring_link made;

    scenario_mark(&made, sizeof made);
    fault_arm();
    int error = shmring_link_connect(&made, path, &options, shmring_deadline(MOMENT_NS));

    fault_disarm();
    CHECK(error != 0);
    scenario_check_marked(&made, sizeof made);
    return error;
}

static void pair(const struct scenario *scenario)
{
    (void)scenario;
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets) == 0);
}

static int begin_on_pair(const struct scenario *scenario)
{
    shmring_link_options options = options_of(scenario);

    scenario_mark(&connecting, sizeof connecting);
    fault_arm();
    int error = shmring_handshake_begin(&connecting, SHMRING_LINK_CLIENT, sockets[0], &options);

    fault_disarm();
    if (error != 0) {
        scenario_check_marked(&connecting, sizeof connecting);
        memset(&connecting, 0, sizeof connecting);
    } else {
        sockets[0] = -1;
    }
    return error;
}

static void close_pair(const struct scenario *scenario)
{
    (void)scenario;
    shmring_handshake_cancel(&connecting);
    for (int i = 0; i < 2; i++)
        if (sockets[i] >= 0)
            close(sockets[i]);
}

static void try_link(int how)
{
    struct scenario of = {
        .prepare = link_pair_start, .clean = link_pair_use, .variant = how, .keeps = true};

    of.name = "handshake of the client", of.act = shake_as_client, of.errors = connect_errors;
    scenario_try(&of);
    of.name = "handshake of the server", of.act = shake_as_server, of.errors = accept_errors;
    scenario_try(&of);
    of.is_queue = true; /* waiting */
    scenario_try(&of);
    of.is_queue = false;
}

void scenarios_link(void)
{
    char made[96];

    snprintf(directory, sizeof directory, "/tmp/shmring-link-XXXXXX");
    CHECK(mkdtemp(directory) != NULL && chdir(directory) == 0);
    CHECK(setenv("XDG_RUNTIME_DIR", directory, 1) == 0);
    snprintf(path, sizeof path, "%s/shmring-link.sock", directory);
    snprintf(made, sizeof made, "%s/shmring", directory);
    CHECK(mkdir(made, 0700) == 0);
    for (int where = AT_PATH; where <= ABSTRACT; where++) {
        leaks_look_for("shmring-link", where == NAMED ? made : directory);
        scenario_try(&(struct scenario){.name = "listen",
                                        .act = listen_at,
                                        .clean = link_pair_stop,
                                        .errors = listen_errors,
                                        .variant = where});
    }
    scenario_try(&(struct scenario){.name = "close listener",
                                    .act = close_listener,
                                    .prepare = link_pair_start,
                                    .clean = link_pair_stop,
                                    .errors = no_errors});
    scenario_try(&(struct scenario){.name = "connect in vain",
                                    .act = connect_in_vain,
                                    .prepare = link_pair_start,
                                    .clean = link_pair_stop,
                                    .errors = connect_errors});
    for (int how = PLAIN; how < HOW_MANY; how++) {
        try_link(how);
        scenarios_link_use(how);
    }
    scenario_try(&(struct scenario){.name = "accept nobody",
                                    .act = wait_in_vain,
                                    .prepare = link_pair_start,
                                    .clean = link_pair_stop,
                                    .errors = accept_errors});
    scenario_try(&(struct scenario){.name = "unwelcome",
                                    .act = wait_in_vain,
                                    .prepare = start_unfriendly,
                                    .clean = link_pair_stop,
                                    .errors = accept_errors});
    scenario_try(&(struct scenario){.name = "begin",
                                    .act = begin_on_pair,
                                    .prepare = pair,
                                    .clean = close_pair,
                                    .errors = begin_errors});
    CHECK(chdir("/") == 0 && rmdir(made) == 0 && rmdir(directory) == 0);
}

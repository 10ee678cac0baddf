/* SPDX-License-Identifier: MIT */
/* Claim: serve and those who connect end at once when they are told to, leave nothing behind, and
 * answer whatever stands in their way with the documented exit status and a sentence. */
#include "cli_serve.h"

#include <sys/socket.h>
#include <sys/un.h>

static void interrupted(void)
{
    static const struct {
        const char *options, *input;
        int number;
    } cases[] = {
        {"", NULL, SIGINT},     {"--wait spin", NULL, SIGINT}, {"--wait adaptive", NULL, SIGTERM},
        {"--send", "", SIGINT}, {"--send", "a\n", SIGTERM},
    };

    printf(
        "SIGINT and SIGTERM end a server, idle or not: 130, 143, nothing said, no socket left\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int pipes[2] = {-1, -1};

        if (cases[i].input != NULL) {
            CHECK(pipe2(pipes, O_CLOEXEC) == 0);
            CHECK(write(pipes[1], cases[i].input, strlen(cases[i].input)) >= 0);
        }
        serve_end(serve_start(cases[i].options, pipes[0]), cases[i].number, NULL);
        close(pipes[0]);
        close(pipes[1]);
    }

    printf("with clients: what a sender had not handed over is not lost in silence: 5\n");
    int input;
    pid_t server = serve_start("", CLI_SAME);
    pid_t sender = serve_start_fed("exec $S send --link $T/s 2> $T/err", "a\n", &input);
    cli_await("test \"$(cat $T/out)\" = a");
    serve_end(server, SIGINT, NULL);
    CHECK_EQ(check_wait(sender), 5);
    close(input);
    cli_expect(0, "does not receive, or no longer", "cat $T/err >&2");

    printf("a client that is told to: 130 and 143; for the server that is an end like others\n");
    server = serve_start("", CLI_SAME);
    sender = serve_start_fed("exec $S send --link $T/s", "a\n", &input);
    cli_await("test \"$(cat $T/out)\" = a");
    kill(sender, SIGINT);
    CHECK_EQ(check_wait(sender), 130);
    close(input);
    serve_end(server, SIGTERM, NULL);
}

/* What the lines are in, the server has not taken: also what fits into the ring is not done. */
static void stopped_server(int lines)
{
    static const char text[] = "a line of some sixty bytes, or so, to fill what is 4 KiB\n";
    int input;

    pid_t server = serve_start("--capacity 4K", CLI_SAME);
    pid_t sender =
        serve_start_fed("exec $S send --link --timeout 300ms $T/s 2> $T/err", "a\n", &input);
    cli_await("test \"$(cat $T/out)\" = a");
    kill(server, SIGSTOP);
    for (int i = 0; i < lines; i++)
        CHECK_EQ(write(input, text, sizeof text - 1), sizeof text - 1);
    close(input);
    CHECK_EQ(check_wait(sender), 4);
    kill(server, SIGKILL);
    CHECK_EQ(check_wait(server), -SIGKILL);
    cli_expect(0, "timed out", "cat $T/err >&2; rm $T/s $T/s.lock");
}

static void timeouts(void)
{
    printf("--timeout: 4, of a server, and of clients of one that does nothing\n");
    cli_expect(4, "timed out", "$S serve --timeout 20ms $T/s");
    cli_expect(4, "timed out", "$S serve --send --timeout 20ms $T/s < /dev/null");
    stopped_server(100);
    stopped_server(1);
}

static void places_to_listen(void)
{
    printf("a path that cannot be had: 1; a directory for others: 6; no path: 2\n");
    cli_expect(1, "something else than a socket", ": > $T/file; $S serve $T/file");
    cli_expect(1, "something else than a socket", "mkdir $T/dir; $S serve $T/dir");
    cli_expect(0, NULL, "test -f $T/file && rm $T/file && rmdir $T/dir");
    cli_expect(1, "no such directory", "$S serve $T/none/s");
    cli_expect(2, "longer than 100 bytes", "$S serve $T/$(printf %0100d 0)");
    cli_expect(2, "not a path", "$S serve ''");
    cli_expect(2, "not a path", "$S serve $T/x.lock");
    cli_expect(6, "others may write there", "mkdir -m 777 $T/w; $S serve $T/w/s");
    cli_expect(4, "timed out", "chmod 1777 $T/w; $S serve --timeout 10ms $T/w/s");
    cli_expect(0, NULL, "rmdir $T/w");

    pid_t server = serve_start("", CLI_SAME);
    cli_expect(1, "another server listens there", "$S serve $T/s");
    cli_expect(1, "another server listens there", "$S serve --send $T/s < /dev/null");
    cli_expect(0, NULL, "echo a | $S send --link $T/s");
    serve_end(server, SIGTERM, NULL);

    printf("a name without a slash is one in a directory of one's own\n");
    cli_expect(0, NULL,
               "export XDG_RUNTIME_DIR=$T; $S serve --once name > $T/out & p=$!\n"
               "echo a | $S send --link name && wait $p && echo a | cmp - $T/out &&\n"
               "rmdir $T/shmring");
}

static int listen_raw(int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%.90s/raw", getenv("T"));
    CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 8) == 0);
    return fd;
}

static void places_to_connect(void)
{
    static const char *const commands[] = {"send --link", "recv --link", "info --link"};
    static const struct {
        int status;
        const char *text, *rest, *before;
    } cases[] = {
        {3, "nobody listens there", "", ""},
        {7, "not a socket", "/file", ": > $T/file;"},
        {2, "longer than 100", "/$(printf %0100d 0)", ""},
    };
    char line[256];

    printf("nobody there: 3; no socket: 7; a path that cannot be: 2; for send, recv and info\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int j = 0; j < 3; j++) {
            snprintf(line, sizeof line, "%s $S %s $T%s < /dev/null", cases[i].before, commands[j],
                     *cases[i].rest != '\0' ? cases[i].rest : "/s");
            cli_expect(cases[i].status, cases[i].text, line);
        }

    printf("a server of something else: 3; one that says nothing: 4; one that is dead: 3\n");
    int fd = listen_raw(SOCK_STREAM);
    cli_expect(3, "no server of links", "$S info $T/raw");
    cli_expect(0, NULL, "rm $T/raw");
    close(fd);
    fd = listen_raw(SOCK_SEQPACKET);
    cli_expect(4, "timed out", "$S info $T/raw");
    cli_expect(4, "timed out", "$S recv --link --timeout 50ms $T/raw");
    cli_expect(4, "timed out", "echo a | $S send --link --timeout 50ms $T/raw");
    close(fd);
    cli_expect(3, "listens there any more", "$S info $T/raw");
    cli_expect(0, NULL, "rm $T/raw $T/file");
}

static void other_users(void)
{
    const char *as = "setpriv --reuid 12345 --regid 12345 --clear-groups";
    char line[512];

    setenv("AS", as, 1);
    if (geteuid() != 0 || cli_sh("chmod 755 $T; $AS $S --version > $T/no 2>&1") != 0) {
        printf("not tried: other users (needs root, setpriv, and a command that all can run)\n");
        return;
    }
    printf("another user: 6 by the mode of the socket, 6 by the server; 0 if he is named\n");
    pid_t server = serve_start("", CLI_SAME);
    cli_expect(6, "permission denied", "$AS $S send --link --allow-uid 0 $T/s < /dev/null");
    serve_end(server, SIGTERM, NULL);
    server = serve_start("--mode 0666 --allow-uid 12346 --allow-gid 12346", CLI_SAME);
    cli_expect(6, "does not want this user", "$AS $S send --link --allow-uid 0 $T/s < /dev/null");
    cli_expect(6, "the server is another user's", "$AS $S send --link $T/s < /dev/null");
    serve_end(server, SIGTERM, NULL);
    for (int i = 0; i < 2; i++) {
        server = serve_start(i == 0 ? "--allow-uid 12345" : "--allow-gid 12345", CLI_SAME);
        snprintf(line, sizeof line, "echo a | $AS $S send --link --allow-%s 0 $T/s",
                 i == 0 ? "uid" : "gid");
        cli_expect(0, NULL, line);
        serve_end(server, SIGTERM, NULL);
        cli_expect(0, NULL, "echo a | cmp - $T/out");
    }
}

static void output_that_fails(void)
{
    printf("an output that cannot be written: 1, and the sender is told\n");
    pid_t server = cli_start("exec $S serve $T/s > /dev/full 2> $T/said", CLI_SAME, CLI_SAME);
    cli_await("test -S $T/s");
    cli_expect(5, "does not receive, or no longer", "echo a | $S send --link $T/s");
    serve_ends(server, 1, "standard output: No space left");
    server = serve_start("", CLI_SAME);
    cli_expect(1, "No space left", "$S info $T/s > /dev/full");
    serve_end(server, SIGTERM, NULL);

    printf("a reader that has gone ends a server at once, in silence, with 1\n");
    int pipes[2];
    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    server = cli_start("exec $S serve $T/s 2> $T/said", CLI_SAME, pipes[1]);
    close(pipes[1]);
    cli_await("test -S $T/s");
    close(pipes[0]);
    serve_ends(server, 1, NULL);
}

static void fill(int fd)
{
    static const char page[4096];

    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    for (size_t size = sizeof page; size > 0; size /= 2)
        while (write(fd, page, size) > 0)
            continue;
    CHECK(fcntl(fd, F_SETFL, 0) == 0);
}

static void output_that_stands_still(void)
{
    int input, pipes[2];
    char byte;

    printf("what was not written was not taken: a sender waits for that, and learns of its end\n");
    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    pid_t server = cli_start("exec $S serve $T/s 2> $T/said", CLI_SAME, pipes[1]);
    cli_await("test -S $T/s");
    pid_t sender = serve_start_fed("exec $S send --link $T/s 2> $T/err", "a\n", &input);
    CHECK(read(pipes[0], &byte, 1) == 1);
    fill(pipes[1]);
    CHECK_EQ(write(input, "b\n", 2), 2);
    close(input);
    cli_sh("sleep 0.2"); /* else it would have less to wait for */
    serve_end(server, SIGTERM, NULL);
    CHECK_EQ(check_wait(sender), 5);
    cli_expect(0, "does not receive, or no longer", "cat $T/err >&2");
    close(pipes[0]);
    close(pipes[1]);
}

static void info_tells(void)
{
    char line[512];

    printf("info: what the link is, and whose the server\n");
    pid_t server = serve_start("--capacity 8K --client-owned", CLI_SAME);
    snprintf(
        line, sizeof line,
        "$S info $T/s | tr -s ' ' > $T/info; for l in 'kind link' 'peer pid %d' 'peer uid %u'\\\n"
        "  'capacity 8192' 'max message 4088' 'seals shrink,grow,future-write,seal'\\\n"
        "  'client owned no' 'protocol 1'; do grep -qx \"$l\" $T/info || exit 1; done",
        (int)server, getuid());
    cli_expect(0, NULL, line);
    cli_expect(0, NULL, "$S info --client-owned $T/s | grep -qx 'client owned *yes'");
    cli_expect(0, NULL,
               "$S info --json --link $T/s | tr -d ' \\n' |\n"
               "grep -q '\"schema\":\"shmring.link/1\",\"links\":.*\"capacity\":8192,'");
    serve_end(server, SIGTERM, NULL);
    server = serve_start("", CLI_SAME);
    cli_expect(1, "does not permit --client-owned", "$S info --client-owned --link $T/s");
    cli_expect(1, "larger than --capacity", "$S recv --link --capacity 32K $T/s");
    serve_end(server, SIGTERM, NULL);
}

static void test(void)
{
    interrupted();
    timeouts();
    places_to_listen();
    places_to_connect();
    other_users();
    output_that_fails();
    output_that_stands_still();
    info_tells();
}

int main(void)
{
    return cli_main(test);
}

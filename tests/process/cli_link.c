/* SPDX-License-Identifier: MIT */
/* Claim: what clients of serve send comes out whole and in order, and what serve --send gets comes
 * out at its client; each side learns how the other one ended, and says so once. */
#include "cli_serve.h"

static const char *const policies[] = {"block", "spin", "adaptive"};

enum { POLICIES = 3 };

static void streams_arrive(void)
{
    char line[512];

    printf("lines, each way, with each policy: whole, whoever is there first\n");
    cli_expect(0, NULL, "seq 20000 > $T/in");
    for (int i = 0; i < POLICIES; i++) {
        snprintf(line, sizeof line,
                 "cd $T; w=%s; $S serve --once --wait $w $T/s > out &\n"
                 "$S send --link --wait $w $T/s in || exit 9\n"
                 "wait $! && cmp in out && test ! -e s || exit 8\n"
                 "{ sleep 0.1; exec $S serve --send --wait $w $T/s < in; } &\n"
                 "$S recv --link --wait $w $T/s > out || exit 7\n"
                 "wait $! && cmp in out && test ! -e s",
                 policies[i]);
        cli_expect(0, NULL, line);
    }

    printf("raw and len32, rings of 4K, messages of one byte, rings of the client's own\n");
    cli_expect(0, NULL,
               "cd $T; head -c 300000 /dev/urandom > in\n"
               "$S serve --once --framing raw --capacity 4K --client-owned $T/s > out &\n"
               "$S send --link --framing raw --client-owned $T/s in && wait $! && cmp in out");
    cli_expect(0, NULL,
               "cd $T; seq 500 > in; $S serve --once --framing len32 $T/s > framed &\n"
               "$S send --link $T/s in && wait $! || exit 9\n"
               "$S serve --send --framing len32 $T/s < framed &\n"
               "$S recv --link $T/s > out && wait $! && cmp in out");
    cli_expect(
        0, NULL,
        "cd $T; $S serve --send --framing raw --max-message 1 $T/s < in &\n"
        "$S recv --link $T/s > out && wait $! && test $(wc -c < out) = $(($(wc -c < in) * 2))");
}

static void many_clients(void)
{
    printf("8 clients at once: each one's lines are whole and in their order\n");
    cli_expect(
        0, NULL,
        "cd $T; $S serve --count 8000 $T/s > out & s=$!\n"
        "for c in 1 2 3 4 5 6 7 8; do\n"
        "  seq -f \"client-$c-%05g\" 1000 | $S send --link $T/s & p=\"$p $!\"; done\n"
        "for c in $p $s; do wait $c || exit 9; done\n"
        "for c in 1 2 3 4 5 6 7 8; do\n"
        "  seq -f \"client-$c-%05g\" 1000 > in; grep \"^client-$c-\" out | cmp - in || exit 8\n"
        "done; test $(wc -l < out) = 8000");
}

static void count_and_once(void)
{
    printf("--count: the rest is not taken, and its sender is told; --once: who only looks, with\n"
           "info, is no client\n");
    pid_t server = serve_start("--count 3", CLI_SAME);
    cli_expect(5, "does not receive, or no longer", "seq 5 | $S send --link $T/s");
    serve_ends(server, 0, NULL);
    cli_expect(0, NULL, "seq 3 | cmp - $T/out");

    server = serve_start("--once", CLI_SAME);
    cli_expect(0, NULL, "$S info --link $T/s > $T/info && $S info $T/s | cmp - $T/info");
    cli_expect(0, NULL, "echo a | $S send --link $T/s");
    serve_ends(server, 0, NULL);
    cli_expect(0, NULL, "echo a | cmp - $T/out");

    printf("a client that sends nothing at all is one, too\n");
    server = serve_start("--once", CLI_SAME);
    cli_expect(0, NULL, "$S send --link $T/s < /dev/null");
    serve_ends(server, 0, NULL);
}

static void the_wrong_way_round(void)
{
    int input;

    printf("recv from who receives: 1; send to who sends: 5; neither ends the server\n");
    pid_t server = serve_start("", CLI_SAME);
    pid_t receiver =
        cli_start("exec $S recv --link --timeout 10s $T/s 2> $T/err", CLI_SAME, CLI_SAME);
    CHECK_EQ(check_wait(receiver), 1);
    cli_expect(1, "it receives (see serve --send)", "cat $T/err >&2; exit 1");
    cli_expect(0, NULL, "echo a | $S send --link $T/s");
    serve_end(server, SIGTERM, NULL);
    cli_expect(0, NULL, "echo a | cmp - $T/out");

    server = serve_start_fed("exec $S serve --send $T/s 2> $T/said", "a\n", &input);
    cli_await("test -S $T/s");
    cli_expect(5, "does not receive", "echo b | $S send --link $T/s");
    cli_await("test -S $T/s"); /* for the next one */
    close(input);
    cli_expect(0, NULL, "$S recv --link $T/s > $T/out && echo a | cmp - $T/out");
    serve_ends(server, 0, NULL);
}

static void one_receiver(void)
{
    int input;

    printf(
        "serve --send has one client, others are refused; one that leaves early is told of: 5\n");
    pid_t server = serve_start_fed("exec $S serve --send $T/s 2> $T/said", "a\nb\n", &input);
    pid_t receiver = cli_start("exec $S recv --link --count 3 $T/s > $T/out", CLI_SAME, CLI_SAME);
    cli_await("test \"$(wc -l < $T/out)\" = 2");
    cli_expect(3, "nobody listens there", "$S recv --link --timeout 20ms $T/s");
    CHECK_EQ(write(input, "c\n", 2), 2);
    CHECK_EQ(check_wait(receiver), 0);
    serve_ends(server, 5, "the client does not receive, or no longer");
    close(input);
    cli_expect(0, NULL, "printf 'a\\nb\\nc\\n' | cmp - $T/out");
}

static void killed_servers(void)
{
    int input, server_input;

    printf("a server that is killed: its clients end with 5, also those that wait for input\n");
    pid_t server = serve_start("", CLI_SAME);
    pid_t sender = serve_start_fed("exec $S send --link $T/s 2> $T/err", "a\n", &input);
    cli_await("test \"$(cat $T/out)\" = a");
    kill(server, SIGKILL);
    CHECK_EQ(check_wait(server), -SIGKILL);
    CHECK_EQ(check_wait(sender), 5);
    close(input);
    cli_expect(0, "the server died", "cat $T/err >&2");

    printf("and the socket that it left is replaced by the next one\n");
    cli_expect(3, "listens there any more", "$S send --link $T/s < /dev/null");
    server = serve_start_fed("exec $S serve --send $T/s 2> $T/said", "a\nb\n", &server_input);
    pid_t receiver = cli_start("exec $S recv --link $T/s > $T/out 2> $T/err", CLI_SAME, CLI_SAME);
    cli_await("test \"$(wc -l < $T/out)\" = 2");
    kill(server, SIGKILL);
    CHECK_EQ(check_wait(server), -SIGKILL);
    CHECK_EQ(check_wait(receiver), 5);
    close(server_input);
    cli_expect(0, "the server died", "cat $T/err >&2; printf 'a\\nb\\n' | cmp - $T/out");
    cli_expect(0, NULL, "rm -f $T/s $T/s.lock");
}

/* It has sent the line a, which is out, and would send more. */
static pid_t dying_client(int *ret_input)
{
    pid_t client = serve_start_fed("exec $S send --link $T/s", "a\ncut", ret_input);

    cli_await("test \"$(tail -n 1 $T/out)\" = a");
    kill(client, SIGKILL);
    CHECK_EQ(check_wait(client), -SIGKILL);
    close(*ret_input);
    return client;
}

static void killed_clients(void)
{
    char text[128];
    int input;

    printf("a client that is killed: the server tells whose it was, and goes on; with --once, 5\n");
    pid_t server = serve_start("", CLI_SAME);
    pid_t client = dying_client(&input);
    snprintf(text, sizeof text, "a client died, process %d of user %u", (int)client, getuid());
    cli_await("test -s $T/said");
    cli_expect(0, NULL, "echo b | $S send --link $T/s");
    serve_end(server, SIGTERM, text);
    cli_expect(0, NULL, "printf 'a\\nb\\n' | cmp - $T/out");

    server = serve_start("--once", CLI_SAME);
    client = dying_client(&input);
    snprintf(text, sizeof text, "a client died, process %d of user %u", (int)client, getuid());
    serve_ends(server, 5, text);

    printf("one that was sent to: serve --send ends with 5, though it waits for input\n");
    server = serve_start_fed("exec $S serve --send $T/s 2> $T/said", "a\n", &input);
    client = cli_start("exec $S recv --link $T/s > $T/out", CLI_SAME, CLI_SAME);
    cli_await("test \"$(cat $T/out)\" = a");
    /* Who has the second has given the first back: it is the one that is sent to. */
    CHECK_EQ(write(input, "b\n", 2), 2);
    cli_await("test \"$(tail -n 1 $T/out)\" = b");
    kill(client, SIGKILL);
    CHECK_EQ(check_wait(client), -SIGKILL);
    serve_ends(server, 5, "the client died");
    close(input);
}

static void test(void)
{
    streams_arrive();
    many_clients();
    count_and_once();
    the_wrong_way_round();
    one_receiver();
    killed_servers();
    killed_clients();
}

int main(void)
{
    return cli_main(test);
}

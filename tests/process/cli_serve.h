/* SPDX-License-Identifier: MIT */
/* A server of the command in the background, at $T/s: its messages in $T/out, what it says in
 * $T/said. */
#ifndef SHMRING_TESTS_CLI_SERVE_H
#define SHMRING_TESTS_CLI_SERVE_H

#include "cli_run.h"

/* Returns when it listens. input: its standard input, or CLI_SAME. */
static inline pid_t serve_start(const char *options, int input)
{
    char line[512];

    snprintf(line, sizeof line, "exec $S serve %s $T/s > $T/out 2> $T/said", options);
    pid_t pid = cli_start(line, input, CLI_SAME);
    cli_await("test -S $T/s");
    return pid;
}

/* It ends by itself with that status, has said that and nothing else, or with NULL nothing at all,
 * and has removed its socket. */
static inline void serve_ends(pid_t pid, int status, const char *text)
{
    int got = check_wait(pid);

    if (got != status)
        cli_sh("cat $T/said >&2");
    CHECK_EQ(got, status);
    cli_expect(0, text, "cat $T/said >&2; test ! -e $T/s && test ! -e $T/s.lock");
}

/* As after Ctrl-C, or what the number means. */
static inline void serve_end(pid_t pid, int number, const char *text)
{
    CHECK(kill(pid, number) == 0);
    serve_ends(pid, 128 + number, text);
}

/* A command whose input never ends, after the given text. */
static inline pid_t serve_start_fed(const char *line, const char *text, int *ret_input)
{
    int pipes[2];

    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    CHECK_EQ(write(pipes[1], text, strlen(text)), (ssize_t)strlen(text));
    pid_t pid = cli_start(line, pipes[0], CLI_SAME);
    close(pipes[0]);
    *ret_input = pipes[1];
    return pid;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the command share: shell lines with the command as $S, a ring name of this
 * test as $N (and $N.anything) and a directory as $T, which are removed when it ends, well or not.
 */
#ifndef SHMRING_TESTS_CLI_RUN_H
#define SHMRING_TESTS_CLI_RUN_H

#include "check.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#ifndef SHMRING_COMMAND
#define SHMRING_COMMAND ""
#endif

enum { CLI_SAME = -1 };

/* A shell line in the background, as a process group of its own; -1 leaves a stream as it is. */
static inline pid_t cli_start(const char *line, int input, int output)
{
    pid_t pid = check_fork();

    if (pid == 0) {
        CHECK(input < 0 || dup2(input, STDIN_FILENO) >= 0);
        CHECK(output < 0 || dup2(output, STDOUT_FILENO) >= 0);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* Its exit status. */
static inline int cli_sh(const char *line)
{
    return check_wait(cli_start(line, CLI_SAME, CLI_SAME));
}

/* Until it succeeds; a test that hangs here has failed. */
static inline void cli_await(const char *line)
{
    struct timespec pause = {.tv_nsec = 5000000};

    for (int i = 0; i < 2000; i++) {
        if (cli_sh(line) == 0)
            return;
        nanosleep(&pause, NULL);
    }
    check_failed(__FILE__, __LINE__, line);
}

static inline char *cli_read_file(const char *path)
{
    static char text[65536];
    FILE *file = fopen(path, "r");

    CHECK(file != NULL);
    size_t size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

/* The line exits with that status; standard error is lines of "shmring: ..." with that text in
 * them, or, with NULL, empty. */
static inline void cli_expect(int status, const char *text, const char *line)
{
    char path[256], script[2048];

    snprintf(path, sizeof path, "%s/stderr", getenv("T"));
    snprintf(script, sizeof script, "{ %s\n} 2> %s", line, path);
    int got = cli_sh(script);
    const char *said = cli_read_file(path);
    bool right = text == NULL ? *said == '\0' : strstr(said, text) != NULL;

    for (const char *at = said; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n')
        right = right && strncmp(at, "shmring: ", 9) == 0;
    if (got != status || !right)
        fprintf(stderr, "%s\n  exit %d, want %d; want on stderr: %s; got:\n%s\n", line, got, status,
                text == NULL ? "nothing" : text, said);
    CHECK_EQ(got, status);
    CHECK(right);
}

/* Runs the test and cleans up after it. */
static inline int cli_main(void (*test)(void))
{
    char name[64], directory[] = "/tmp/shmring-test-XXXXXX";

    if (*SHMRING_COMMAND == '\0')
        SKIP("the command is not built");
    snprintf(name, sizeof name, "cli-test-%ld", (long)getpid());
    CHECK(mkdtemp(directory) != NULL);
    setenv("S", SHMRING_COMMAND, 1);
    setenv("N", name, 1);
    setenv("T", directory, 1);
    pid_t pid = check_fork();
    if (pid == 0) {
        test();
        fflush(NULL);
        _exit(0);
    }
    int status = check_wait(pid);
    cli_sh("test ! -e /dev/shm/\"$N\" || $S rm --force \"$N\" 2> \"$T\"/no # and System V sets\n"
           "rm -rf \"$T\" /dev/shm/\"$N\" /dev/shm/\"$N\".* /dev/shm/sem.\"$N\".*");
    return status < 0 ? 1 : status;
}

#endif

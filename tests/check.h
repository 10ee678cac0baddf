/* SPDX-License-Identifier: MIT */
/*
 * What a plain main() test needs. Include it first: it asks libc for everything.
 *
 * A test returns 0 from main(). CHECK and SKIP end the process they stand in at once, so
 * they work in a forked child too: its parent sees the exit status (check_wait).
 * SHMRING_COMMAND is the path of the shmring command, in tests/process; not defined where the
 * command is not built.
 */
#ifndef SHMRING_TESTS_CHECK_H
#define SHMRING_TESTS_CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition) \
    ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

/* Equal integers; prints both when they are not. */
#define CHECK_EQ(is, want) \
    check_equal(__FILE__, __LINE__, #is, (long long)(is), (long long)(want))

#define SKIP(reason) check_skip(__FILE__, __LINE__, reason)

static inline _Noreturn void check_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: CHECK failed: %s (errno %d)\n", file, line, what, errno);
    fflush(NULL);
    _exit(1);
}

static inline void check_equal(const char *file, int line, const char *what, long long is,
                               long long want)
{
    if (is == want)
        return;
    fprintf(stderr, "%s:%d: CHECK failed: %s is %lld, not %lld\n", file, line, what, is, want);
    fflush(NULL);
    _exit(1);
}

static inline _Noreturn void check_skip(const char *file, int line, const char *reason)
{
    printf("%s:%d: skipped: %s\n", file, line, reason);
    fflush(NULL);
    _exit(77);
}

/* fork(), with a child that cannot outlive the test. The child ends with _exit(). */
static inline pid_t check_fork(void)
{
    pid_t parent = getpid();

    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
        if (getppid() != parent)
            _exit(1);
    }
    return pid;
}

/* Wait for a child: its exit status, or minus the signal that killed it. */
static inline int check_wait(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        CHECK(errno == EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#endif

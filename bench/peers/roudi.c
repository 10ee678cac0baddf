/* SPDX-License-Identifier: MIT */
#include "roudi.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t daemon_pid; /* 0: none of ours */
static pid_t owner;

static void kill_daemon(void)
{
    kill(daemon_pid, SIGKILL);
    while (waitpid(daemon_pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    daemon_pid = 0;
}

/* By force, and its files with it: asked to end, it sends signals to all processes that it knows,
 * and aborts if one of them has died. */
static void end_daemon(void)
{
    static const char *const files[] = {"/dev/shm/iceoryx_mgmt", "/dev/shm/root", "/tmp/roudi",
                                        "/tmp/roudi.lock", "/tmp/iox-unique-roudi.lock"};

    if (getpid() != owner || daemon_pid == 0)
        return;
    kill_daemon();
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        unlink(files[i]);
}

/* In the child. Out of the terminal's way: an interrupt is for the benchmark, which then ends it.
 */
static _Noreturn void run_daemon(int output, pid_t parent)
{
    if (setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent &&
        dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0)
        execl(SHMRING_BENCH_ROUDI, "iox-roudi", (char *)NULL);
    _exit(1);
}

/* Reads what it says. Returns 0, or -EBUSY: it has ended, because another one runs. The stream
 * stays open: writing to nobody would end it. What it says later is not read, and it does not wait
 * for room. */
static int await_ready(int output)
{
    FILE *said = fdopen(output, "r");
    char line[512];

    if (said == NULL)
        return -errno;
    for (;;) {
        if (fgets(line, sizeof line, said) == NULL) {
            if (feof(said) || errno != EINTR)
                return -EIO;
            clearerr(said);
        } else if (strstr(line, "ready for clients") != NULL) {
            return 0;
        } else if (strstr(line, "still running") != NULL) {
            return -EBUSY;
        }
    }
}

/* Returns 0 or -errno. */
static int start(void)
{
    int ends[2], error;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -errno;
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    daemon_pid = fork();
    if (daemon_pid == 0)
        run_daemon(ends[1], owner);
    close(ends[1]);
    if (daemon_pid < 0) {
        daemon_pid = 0;
        return -EAGAIN;
    }
    error = await_ready(ends[0]);
    if (error == 0)
        return atexit(end_daemon) == 0 ? 0 : -ENOMEM;
    kill_daemon();
    return error == -EBUSY ? 0 : error;
}

int roudi_start(void)
{
    static int result;

    if (owner == 0) {
        owner = getpid();
        result = start();
    }
    return result;
}

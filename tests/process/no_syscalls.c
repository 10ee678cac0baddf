/* SPDX-License-Identifier: MIT */
/*
 * Claim: no system call on the hot path, of a channel or of a queue. Two processes pass ten million
 * messages, spinning; a tracer counts what they call. What is left is a look at the locks of the
 * other side for every 10 ms that one waits in vain, which depends on time and not on messages.
 */
#include "../messages.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

enum {
    MESSAGES = 10000000,
    CALLS_MAX = MESSAGES / 1000,
};

/* From here on every system call stops the process for its tracer. */
static void trace_system_calls(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};

    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        SKIP("may not be traced");
    raise(SIGSTOP); /* the tracer sets its options */
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        SKIP("no seccomp filters");
}

static _Noreturn void produce(const char *name, const shmring_channel_options *options)
{
    shmring_sender tx;

    CHECK_EQ(shmring_sender_open(&tx, name, options), 0);
    trace_system_calls();
    for (uint64_t number = 0; number < MESSAGES; number++)
        if (shmring_sender_send(&tx, &number, sizeof number, 0, SHMRING_NEVER) != 0)
            _exit(1);
    _exit(0);
}

static _Noreturn void consume(const char *name, const shmring_channel_options *options)
{
    shmring_receiver rx;

    CHECK_EQ(shmring_receiver_open(&rx, name, options), 0);
    trace_system_calls();
    for (uint64_t number = 0; number < MESSAGES; number++) {
        uint64_t got;

        if (shmring_receiver_recv(&rx, &got, sizeof got, NULL, NULL, SHMRING_NEVER) != 0 ||
            got != number)
            _exit(1);
    }
    _exit(0);
}

static _Noreturn void produce_many(const char *name, const shmring_channel_options *options)
{
    shmring_queue_sender tx;

    CHECK_EQ(shmring_queue_sender_open(&tx, name, options), 0);
    trace_system_calls();
    for (uint64_t number = 0; number < MESSAGES; number++)
        if (shmring_queue_send(&tx, &number, sizeof number, 0, SHMRING_NEVER) != 0)
            _exit(1);
    _exit(0);
}

static _Noreturn void consume_many(const char *name, const shmring_channel_options *options)
{
    shmring_queue_receiver rx;
    shmring_mpmc_slot slot;

    CHECK_EQ(shmring_queue_receiver_open(&rx, name, options), 0);
    trace_system_calls();
    for (uint64_t number = 0; number < MESSAGES; number++) {
        uint64_t got;

        if (shmring_queue_recv(&rx, &got, sizeof got, &slot, SHMRING_NEVER) != 0 || got != number)
            _exit(1);
    }
    _exit(0);
}

/* Runs the two to their end. Returns how many system calls they made; *ret_status: the worst. */
static int count_calls(int *ret_status)
{
    int calls = 0, status;
    pid_t pid;

    *ret_status = 0;
    while ((pid = waitpid(-1, &status, 0)) > 0) {
        if (!WIFSTOPPED(status)) {
            if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
            continue;
        }
        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
            calls++;
        else
            CHECK(ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACESECCOMP) == 0);
        CHECK(ptrace(PTRACE_CONT, pid, NULL, NULL) == 0);
    }
    return calls;
}

static void run(bool many)
{
    shmring_channel_options options = {.size = sizeof options, .wait = SHMRING_WAIT_SPIN};
    char name[64];
    int status;

    snprintf(name, sizeof name, "shmring-test-syscalls-%d", (int)getpid());
    CHECK_EQ(many ? shmring_queue_create(name, &options) : shmring_channel_create(name, &options),
             0);
    if (check_fork() == 0)
        (many ? produce_many : produce)(name, &options);
    if (check_fork() == 0)
        (many ? consume_many : consume)(name, &options);
    int calls = count_calls(&status);

    shmring_channel_unlink(name, NULL);
    if (status == 77)
        exit(77);
    CHECK_EQ(status, 0);
    printf("%s: %d messages, %d system calls\n", many ? "queue" : "channel", MESSAGES, calls);
    CHECK(calls >= 2); /* both exits: the tracer sees */
    CHECK(calls <= CALLS_MAX);
}

int main(void)
{
    run(false);
    run(true);
    return 0;
}

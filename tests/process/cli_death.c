/* SPDX-License-Identifier: MIT */
/* Claim: a side that is killed is reported with exit status 5, once, after all that it had sent;
 * a side that is interrupted leaves as if it were done; the ring serves whoever comes next. */
#include "cli_run.h"

static void await_role(const char *role, const char *state)
{
    char line[128];

    snprintf(line, sizeof line, "$S info $N 2> $T/no | grep -q '^%s state  *%s$'", role, state);
    cli_await(line);
}

/* A command whose input never ends, after the given text. */
static pid_t start_sender(const char *line, const char *text, int *ret_input)
{
    int pipes[2];

    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    CHECK_EQ(write(pipes[1], text, strlen(text)), (ssize_t)strlen(text));
    pid_t pid = cli_start(line, pipes[0], CLI_SAME);
    close(pipes[0]);
    *ret_input = pipes[1];
    return pid;
}

static void killed_sender(void)
{
    int input;

    printf("a sender that is killed: recv writes what it sent, and exits with 5\n");
    pid_t sender = start_sender("exec $S send $N", "a\nb\ncut", &input);
    cli_await("$S info $N 2> $T/no | grep -q '^tail  *32$'");
    kill(sender, SIGKILL);
    CHECK_EQ(check_wait(sender), -SIGKILL);
    close(input);
    await_role("sender", "dead");
    cli_expect(0, NULL, "$S ls | grep \"^$N .* sender-dead$\" > $T/ls");
    cli_expect(5, "the sender died", "$S recv $N > $T/out");
    cli_expect(0, NULL, "printf 'a\\nb\\n' | cmp - $T/out");
    cli_expect(0, NULL, "echo c | $S send $N && test $($S recv $N) = c && $S rm $N");
}

static void killed_at_any_moment(void)
{
    struct timespec pause = {0};

    printf("20 senders of 64 MiB, killed at some moment: what came is what was sent until then\n");
    cli_expect(0, NULL, "head -c 64M /dev/urandom > $T/in");
    for (int round = 0; round < 20; round++) {
        pid_t sender = cli_start("exec $S send --framing raw $N $T/in", CLI_SAME, CLI_SAME);
        pid_t receiver = cli_start("$S recv --framing raw --timeout 1s $N > $T/out 2> $T/err",
                                   CLI_SAME, CLI_SAME);

        pause.tv_nsec = 1500000L * round;
        nanosleep(&pause, NULL);
        kill(sender, SIGKILL);
        int end = check_wait(sender), status = check_wait(receiver);
        CHECK(end == 0 || end == -SIGKILL);
        /* Killed before it had made the ring: 3; or taken its role: 4; after it had left it: 0. */
        CHECK(end != 0 ? status == 5 || status == 3 || status == 4 || status == 0 : status == 0);
        cli_expect(0, NULL,
                   "cd $T; cmp -n $(stat -c %s out) out in; s=$?\n"
                   "$S rm $N 2> no; exit $s");
    }
}

static void killed_receiver(void)
{
    static const char *const policies[] = {"block", "spin"};
    char line[128];

    printf("a receiver that is killed: send fills the ring, and exits with 5\n");
    printf("and the next receiver gets what is in it\n");
    cli_expect(0, NULL, "seq 1000 > $T/lines");
    for (int i = 0; i < 2; i++) {
        cli_expect(0, NULL, "$S create --capacity 4K $N");
        pid_t receiver = cli_start("exec $S recv $N > $T/out", CLI_SAME, CLI_SAME);
        await_role("receiver", "attached");
        kill(receiver, SIGKILL);
        CHECK_EQ(check_wait(receiver), -SIGKILL);
        snprintf(line, sizeof line, "$S send --wait %s $N $T/lines", policies[i]);
        cli_expect(5, "the receiver died", line);
        cli_expect(0, NULL,
                   "cd $T; $S recv $N > out; test -s out &&\n"
                   "cmp -n $(stat -c %s out) out lines && $S rm $N");
    }
}

static void taken_roles(void)
{
    int input;

    printf("a second sender or receiver is refused with 1 and spoils nothing\n");
    pid_t sender = start_sender("exec $S send $N", "a\n", &input);
    cli_await("$S info $N 2> $T/no | grep -q '^tail  *16$'");
    cli_expect(1, "another sender is attached", "echo b | $S send $N");
    pid_t receiver = cli_start("exec $S recv $N > $T/out", CLI_SAME, CLI_SAME);
    await_role("receiver", "attached");
    cli_expect(1, "another receiver is attached", "$S recv $N");
    cli_expect(0, NULL, "$S ls | grep \"^$N .* active$\" > $T/ls");
    CHECK_EQ(write(input, "c\n", 2), 2);
    close(input);
    CHECK_EQ(check_wait(sender), 0);
    CHECK_EQ(check_wait(receiver), 0);
    cli_expect(0, NULL, "printf 'a\\nc\\n' | cmp - $T/out && $S rm $N");
}

static void interrupted(void)
{
    static const struct {
        int number, status;
        const char *policy;
    } cases[] = {{SIGINT, 130, "block"}, {SIGTERM, 143, "block"}, {SIGINT, 130, "spin"}};
    char line[128];
    int input;

    printf("SIGINT and SIGTERM: 130 and 143, roles given back, ring kept, nothing said\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cli_expect(0, NULL, "$S create --capacity 4K $N");
        snprintf(line, sizeof line, "exec $S recv --wait %s $N > $T/out", cases[i].policy);
        pid_t pid = cli_start(line, CLI_SAME, CLI_SAME);
        await_role("receiver", "attached");
        kill(pid, cases[i].number);
        CHECK_EQ(check_wait(pid), cases[i].status);
        await_role("receiver", "free");

        snprintf(line, sizeof line, "exec $S send --wait %s $N", cases[i].policy);
        pid = start_sender(line, "a\n", &input); /* sleeps in read */
        cli_await("$S info $N | grep -q '^tail  *16$'");
        kill(pid, cases[i].number);
        CHECK_EQ(check_wait(pid), cases[i].status);
        close(input);

        snprintf(line, sizeof line, "exec $S send --wait %s $N $T/in", cases[i].policy);
        pid = cli_start(line, CLI_SAME, CLI_SAME); /* sleeps for room: $T/in is 64 MiB of data */
        await_role("sender", "attached");
        kill(pid, cases[i].number);
        CHECK_EQ(check_wait(pid), cases[i].status);
        await_role("sender", "free");
        cli_expect(0, NULL, "test \"$($S recv $N | head -n 1)\" = a; $S rm $N");
    }
    pid_t pid = cli_start("exec $S recv --timeout 60s $N", CLI_SAME, CLI_SAME);
    cli_await("sleep 0.05"); /* waits for a ring; if it is not there yet, it is not caught */
    kill(pid, SIGINT);
    int status = check_wait(pid);
    CHECK(status == 130 || status == -SIGINT);
}

static void interrupted_on_the_way(void)
{
    struct timespec pause = {0};
    int status = 130;

    printf("receivers that are interrupted one after the other write one whole stream\n");
    cli_sh(": > $T/out");
    pid_t sender = cli_start("exec $S send --framing raw $N $T/in", CLI_SAME, CLI_SAME);
    cli_await("$S info $N > $T/no 2>&1");
    for (int round = 0; round < 10 && status != 0; round++) {
        pid_t pid = cli_start("exec $S recv --framing raw $N >> $T/out", CLI_SAME, CLI_SAME);

        pause.tv_nsec = 5000000 + 1000000L * round;
        nanosleep(&pause, NULL);
        kill(pid, SIGINT);
        status = check_wait(pid);
        CHECK(status == 130 || status == 0 || status == -SIGINT);
    }
    if (status != 0)
        cli_expect(0, NULL, "$S recv --framing raw $N >> $T/out");
    CHECK_EQ(check_wait(sender), 0);
    cli_expect(0, NULL, "cmp $T/out $T/in && $S rm $N");
}

static void test(void)
{
    killed_sender();
    killed_at_any_moment();
    killed_receiver();
    taken_roles();
    interrupted();
    interrupted_on_the_way();
}

int main(void)
{
    return cli_main(test);
}

/* SPDX-License-Identifier: MIT */
/* Claim: any number of sends and recvs share a ring of kind mpmc; what one sent, one gets; who is
 * killed, stopped or interrupted harms nobody else, and is reported. */
#include "cli_run.h"

static void many_to_many(void)
{
    static const char *const policies[] = {"block", "spin"};
    char line[1024];

    /* Receivers go when no sender is there any more: all wait for one another. */
    setenv("READY",
           "until test $($S info $N | tr -s ' ' | grep -c '^senders 3$\\|^receivers 2$') = 2\n"
           "do sleep 0.01; done; : > go; wait; rm go",
           1);
    setenv("GO", "until test -e go; do sleep 0.01; done", 1);
    printf("3 senders and 2 receivers at once: each line arrives exactly once\n");
    cli_expect(0, NULL, "cd $T; for i in 1 2 3; do seq -f \"$i-%g\" 4000 > in$i; done");
    cli_expect(0, NULL, "cd $T; sort in1 in2 in3 > in; test $(wc -l < in) = 12000");
    for (int i = 0; i < 2; i++) {
        snprintf(line, sizeof line,
                 "cd $T; w=%s; $S create $N --kind mpmc --slots 64 --slot-size 16\n"
                 "for i in 1 2; do $S recv $N --wait $w > out$i || echo $? > bad & done\n"
                 "for i in 1 2 3; do\n"
                 "{ cat in$i; eval \"$GO\"; } | $S send $N --wait $w || echo $? > bad & done\n"
                 "eval \"$READY\"; test ! -e bad && sort out1 out2 | cmp - in && $S rm $N",
                 policies[i]);
        cli_expect(0, NULL, line);
    }
    printf("the smallest ring does the same\n");
    cli_expect(0, NULL,
               "cd $T; $S create $N --kind mpmc --slots 2 --slot-size 8\n"
               "for i in 1 2; do $S recv $N > out$i || echo $? > bad & done\n"
               "for i in 1 2 3; do\n"
               "{ head -n 1000 in$i; eval \"$GO\"; } | $S send $N || echo $? > bad & done\n"
               "eval \"$READY\"; head -qn 1000 in1 in2 in3 | sort > part; test ! -e bad\n"
               "sort out1 out2 | cmp - part && $S rm $N");
}

static void framings(void)
{
    printf("framings: raw is cut into slots, len32 comes back, a line must fit\n");
    cli_expect(0, NULL,
               "cd $T; head -c 1M /dev/urandom > raw\n"
               "$S create $N --kind mpmc --slots 128 --slot-size 1000\n"
               "$S send --framing raw $N raw & $S recv --framing raw $N | cmp - raw");
    cli_expect(0, NULL,
               "cd $T; head -c 3500 raw | $S send --framing raw $N\n"
               "$S info $N | grep -q '^used  *4$' && $S recv --framing raw $N > out\n"
               "head -c 3500 raw | cmp - out");
    cli_expect(0, NULL,
               "cd $T; seq 5000 > lines; $S send $N lines & $S recv --framing len32 $N > framed\n"
               "$S send --framing len32 $N framed & $S recv $N | cmp - lines");
    cli_expect(1, "line 2 is longer than a message may be, 1000 bytes",
               "{ seq -s '' 300; seq -s '' 500; } | $S send $N");
    cli_expect(0, NULL, "test \"$($S recv $N)\" = $(seq -s '' 300)");
    cli_expect(1, "message 1 is longer", "printf '\\377\\377\\0\\0' | $S send --framing len32 $N");
    cli_expect(1, "at most 1000", "$S send $N --max-message 1001 < /dev/null");
    cli_expect(1, "line 1 is longer", "echo abcdef | $S send $N --max-message 5");
    cli_expect(0, NULL,
               "cd $T; $S rm $N; $S create $N --kind mpmc --slots 4 --slot-size 1M\n"
               "{ echo a; head -c 900000 raw | tr -d '\\n'; echo; } > lines; $S send $N lines\n"
               "$S recv --framing len32 $N > framed; $S send --framing len32 $N framed\n"
               "$S recv $N | cmp - lines");
    cli_expect(0, NULL, "$S rm $N");
}

static void types(void)
{
    printf("types: one, all but one, up to one, by priority; spsc refuses with 2\n");
    cli_expect(0, NULL,
               "$S create $N --kind mpmc\n"
               "for i in 5 1 3 4294967295 1; do echo $i-a | $S send $N --type $i; done");
    cli_expect(0, NULL, "test \"$($S recv $N --type 1 | tr '\\n' ' ')\" = '1-a 1-a '");
    cli_expect(0, NULL, "test \"$($S recv $N --type 1 | wc -c)\" = 0");
    cli_expect(0, NULL, "test \"$($S recv $N --type-max 5 | tr '\\n' ' ')\" = '3-a 5-a '");
    cli_expect(0, NULL,
               "for i in 5 1 9 0; do echo $i-b | $S send $N --type $i; done\n"
               "test \"$($S recv $N --type-except 4294967295 --count 2 | tr '\\n' ' ')\" = "
               "'5-b 1-b '");
    cli_expect(0, NULL,
               "test \"$($S recv $N --by-priority | tr '\\n' ' ')\" = '4294967295-a 9-b 0-b '");
    cli_expect(0, NULL, "$S rm $N && echo a | $S send $N");
    cli_expect(2, "make it with create --kind mpmc", "$S recv $N --type 0");
    cli_expect(2, "make it with create --kind mpmc", "$S recv $N --by-priority");
    cli_expect(0, NULL, "test $($S recv $N) = a && $S rm $N");
}

static void ends(void)
{
    printf("recv waits for the first sender, ends with the last, or after --count, or never\n");
    cli_expect(0, NULL, "$S create $N --kind mpmc --slots 16 --slot-size 64");
    cli_expect(4, "timed out", "$S recv $N --timeout 20ms");
    cli_expect(4, "timed out", "$S recv $N --timeout 20ms --wait spin");
    cli_expect(4, "timed out", "seq 17 | $S send $N --timeout 20ms");
    cli_expect(4, "timed out",
               "$S recv $N --follow --timeout 20ms > $T/out; s=$?\n"
               "seq 16 | cmp - $T/out && exit $s");
    cli_expect(0, NULL,
               "$S recv $N --timeout 5s --count 3 > $T/out & seq 7 | $S send $N && wait $!");
    cli_expect(0, NULL, "seq 3 | cmp - $T/out && $S recv $N > $T/out && seq 4 7 | cmp - $T/out");
    cli_expect(0, NULL,
               "$S recv $N --timeout 5s > $T/out & sleep 0.05; seq 2 | $S send $N\n"
               "wait $! && seq 2 | cmp - $T/out && $S rm $N");

    printf("--count and --follow of a ring of kind spsc\n");
    cli_expect(0, NULL, "seq 9 | $S send $N && $S recv $N --count 4 > $T/out");
    cli_expect(0, NULL, "seq 4 | cmp - $T/out && seq 10 12 | $S send $N");
    cli_expect(4, "timed out",
               "$S recv $N --follow --timeout 20ms > $T/out; s=$?\n"
               "seq 5 12 | cmp - $T/out && exit $s");
    cli_expect(0, NULL, "$S rm $N");
}

/* A receiver whose output nobody reads: it holds what it could not write. */
static pid_t start_stuck(const char *options, int *ret_output)
{
    char line[128];
    int pipes[2];

    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    snprintf(line, sizeof line, "exec $S recv $N %s", options);
    pid_t pid = cli_start(line, CLI_SAME, pipes[1]);
    close(pipes[1]);
    cli_await("$S who $N | tr -s ' ' | grep -q ' consumer alive 0 [1-9]'");
    *ret_output = pipes[0];
    return pid;
}

static void killed_receiver(void)
{
    int output;

    printf("a receiver is killed with messages in hand: with --redeliver another one gets them\n");
    cli_expect(0, NULL,
               "$S create $N --kind mpmc --slots 256 --slot-size 2000 --redeliver\n"
               "seq 200 | sed 's/.*/& & &/; s/$/ '$(printf %01900d 0)/ > $T/in\n"
               "$S send $N $T/in");
    pid_t pid = start_stuck("", &output);
    kill(pid, SIGKILL);
    CHECK_EQ(check_wait(pid), -SIGKILL);
    cli_expect(0, NULL, "$S ls | grep -q \"^$N .* receiver-dead\"");
    pid_t saver = cli_start("cat > $T/first", output, CLI_SAME);
    close(output);
    CHECK_EQ(check_wait(saver), 0);
    cli_expect(0, NULL, "$S recv $N > $T/second");
    cli_expect(0, NULL, "$S info $N | grep -q '^redelivered  *[1-9]'");
    cli_expect(0, NULL,
               "cd $T; test $(wc -l < second) -lt 200; sort second | uniq -d > dup; test ! -s dup");
    cli_expect(0, NULL,
               "cd $T; sed -i '$d' first; cat first second | sort -u > all\n"
               "sort in | cmp - all && $S rm $N");

    printf("without, they are dropped and counted, and the others go on\n");
    cli_expect(0, NULL,
               "$S create $N --kind mpmc --slots 256 --slot-size 2000 && $S send $N $T/in");
    pid = start_stuck("", &output);
    kill(pid, SIGKILL);
    CHECK_EQ(check_wait(pid), -SIGKILL);
    close(output);
    cli_expect(0, NULL, "$S recv $N > $T/second; test $(sort -u $T/second | wc -l) -lt 200");
    cli_expect(0, NULL, "$S info $N | grep -q '^dropped  *[1-9]' && $S rm $N");

    printf("all receivers are killed: send fills the ring and exits with 5\n");
    cli_expect(0, NULL, "$S create $N --kind mpmc --slots 16 --slot-size 2000");
    pid = cli_start("exec $S recv $N > $T/no", CLI_SAME, CLI_SAME);
    cli_await("$S who $N | grep -q ' consumer '");
    kill(pid, SIGKILL);
    CHECK_EQ(check_wait(pid), -SIGKILL);
    cli_expect(5, "the receiver died", "$S send $N $T/in");
    cli_expect(0, NULL, "head -n 16 $T/in > $T/out; $S recv $N | cmp - $T/out && $S rm $N");
}

/* A command whose input goes on. */
static pid_t start_sender(const char *text, int *ret_input)
{
    int pipes[2];

    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    CHECK_EQ(write(pipes[1], text, strlen(text)), (ssize_t)strlen(text));
    pid_t pid = cli_start("exec $S send $N", pipes[0], CLI_SAME);
    close(pipes[0]);
    *ret_input = pipes[1];
    return pid;
}

static void killed_sender(void)
{
    int inputs[2];

    printf("a sender is killed: recv ends with 5 once all have gone, and names it\n");
    cli_expect(0, NULL, "$S create $N --kind mpmc");
    pid_t killed = start_sender("a\nb\ncut", &inputs[0]);
    pid_t other = start_sender("c\n", &inputs[1]);
    cli_await("$S info $N | grep -q '^used  *3$'");
    pid_t first = cli_start("$S recv $N > $T/out1 2> $T/err1", CLI_SAME, CLI_SAME);
    pid_t second = cli_start("$S recv $N > $T/out2 2> $T/err2", CLI_SAME, CLI_SAME);
    cli_await("$S info $N | grep -q '^receivers  *2$'");
    cli_await("$S info $N | grep -q '^used  *0$'");
    kill(killed, SIGKILL);
    CHECK_EQ(check_wait(killed), -SIGKILL);
    cli_await("grep -q 'a sender died' $T/err1 && grep -q 'a sender died' $T/err2");
    CHECK_EQ(write(inputs[1], "d\n", 2), 2);
    close(inputs[1]);
    CHECK_EQ(check_wait(other), 0);
    CHECK_EQ(check_wait(first), 5);
    CHECK_EQ(check_wait(second), 5);
    close(inputs[0]);
    cli_expect(0, NULL, "cd $T; test \"$(sort out1 out2 | tr -d '\\n')\" = abcd");
    cli_expect(0, NULL, "cd $T; test $(wc -l < err1) = 1 && test $(wc -l < err2) = 1");

    printf("it was told: the next recv waits; one that was killed before recv came is told too\n");
    cli_expect(4, "timed out", "$S recv $N --timeout 20ms");
    killed = start_sender("e\n", &inputs[0]);
    cli_await("$S info $N | grep -q '^used  *1$'");
    kill(killed, SIGKILL);
    CHECK_EQ(check_wait(killed), -SIGKILL);
    close(inputs[0]);
    cli_expect(5, "a sender died, process",
               "$S recv $N > $T/out; s=$?; test $(cat $T/out) = e; exit $s");
    killed = start_sender("f\n", &inputs[0]);
    cli_await("$S info $N | grep -q '^used  *1$'");
    kill(killed, SIGKILL);
    CHECK_EQ(check_wait(killed), -SIGKILL);
    close(inputs[0]);
    cli_expect(0, "a sender died, process", "test $($S recv $N --count 1) = f && $S rm $N");
}

static void dead_sender_with_a_successor(void)
{
    char line[128];
    int inputs[2];

    printf(
        "a sender is killed, and another one has its place before recv looks: it is named too\n");
    cli_expect(0, NULL, "$S create $N --kind mpmc");
    pid_t killed = start_sender("a\n", &inputs[0]);
    cli_await("$S info $N | grep -q '^used  *1$'");
    pid_t receiver = cli_start("exec $S recv $N > $T/out 2> $T/err", CLI_SAME, CLI_SAME);
    cli_await("$S info $N | grep -q '^used  *0$'");
    kill(receiver, SIGSTOP);
    cli_await("$S who $N | grep -q ' consumer  *stopped '");
    kill(killed, SIGKILL);
    CHECK_EQ(check_wait(killed), -SIGKILL);
    pid_t other = start_sender("b\n", &inputs[1]);
    cli_await("$S info $N | grep -q '^used  *1$'");
    cli_expect(0, NULL, "$S who $N | grep -q '^ *1 .* producer  *alive '"); /* in its place */
    kill(receiver, SIGCONT);
    cli_await("$S info $N | grep -q '^used  *0$'");
    close(inputs[0]);
    close(inputs[1]);
    CHECK_EQ(check_wait(other), 0);
    CHECK_EQ(check_wait(receiver), 5);
    snprintf(line, sizeof line,
             "test \"$(cat $T/err)\" = \"shmring: $N: a sender died, process %ld\"", (long)killed);
    cli_expect(0, NULL, line);
    cli_expect(0, NULL, "test \"$(tr -d '\\n' < $T/out)\" = ab && $S rm $N");
}

static void await_nobody(void)
{
    cli_await("$S info $N | grep -q '^members  *0$'");
}

static void interrupted(void)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    int output;

    printf("SIGINT and SIGTERM: 130 and 143, and nobody is left\n");
    cli_expect(0, NULL, "$S create $N --kind mpmc --slots 64 --slot-size 2000 --redeliver");
    for (int i = 0; i < 2; i++) {
        pid_t pid = cli_start("exec $S recv $N > $T/no", CLI_SAME, CLI_SAME);
        cli_await("$S who $N | grep -q ' consumer '");
        kill(pid, numbers[i]);
        CHECK_EQ(check_wait(pid), 128 + numbers[i]);
        await_nobody();
        pid = cli_start("exec $S send $N $T/in", CLI_SAME, CLI_SAME); /* 200 into 64 slots */
        cli_await("$S info $N | grep -q '^used  *64$'");
        kill(pid, numbers[i]);
        CHECK_EQ(check_wait(pid), 128 + numbers[i]);
        await_nobody();

        pid = start_stuck("", &output); /* in the middle of a write */
        kill(pid, numbers[i]);
        CHECK_EQ(check_wait(pid), 128 + numbers[i]);
        close(output);
        await_nobody();
        cli_expect(0, NULL, "$S recv $N | grep -c '^64 64 64 ' | grep -q '^1$'");
    }
    cli_expect(0, NULL, "$S rm $N");
}

static void nothing_is_lost_unsaid(void)
{
    printf("what could not be written stays with --redeliver, and is counted without\n");
    cli_expect(0, NULL, "$S create $N --kind mpmc --redeliver && seq 100 | $S send $N");
    cli_expect(1, "No space left", "$S recv $N > /dev/full");
    cli_expect(0, NULL, "$S recv $N | sort -n > $T/out; seq 100 | cmp - $T/out && $S rm $N");
    cli_expect(0, NULL, "$S create $N --kind mpmc && seq 100 | $S send $N");
    cli_expect(1, "lost 64 messages", "$S recv $N > /dev/full");
    cli_expect(0, NULL, "test $($S recv $N | wc -l) = 36");
    cli_expect(0, NULL, "$S info $N | grep -q '^dropped  *64$' && $S rm $N");
}

static void unlinked(void)
{
    int input;

    printf("a ring that is removed serves those who have it open\n");
    cli_expect(0, NULL, "$S create $N --kind mpmc");
    pid_t sender = start_sender("a\n", &input);
    pid_t receiver = cli_start("exec $S recv $N > $T/out", CLI_SAME, CLI_SAME);
    cli_await("$S who $N | grep -q ' consumer '");
    cli_expect(0, NULL, "$S rm $N");
    cli_expect(3, "no such ring", "$S who $N");
    CHECK_EQ(write(input, "b\n", 2), 2);
    close(input);
    CHECK_EQ(check_wait(sender), 0);
    CHECK_EQ(check_wait(receiver), 0);
    cli_expect(0, NULL, "printf 'a\\nb\\n' | cmp - $T/out");
}

static void test(void)
{
    many_to_many();
    framings();
    types();
    ends();
    killed_receiver();
    killed_sender();
    dead_sender_with_a_successor();
    interrupted();
    nothing_is_lost_unsaid();
    unlinked();
}

int main(void)
{
    return cli_main(test);
}

/* SPDX-License-Identifier: MIT */
/* Claim: who, ls and info tell who is in a ring, who of them lives, is stopped or died, what they
 * hold and for how long it has been in the way; and looking changes nothing. */
#include "cli_run.h"

#include "shmring/shmring.h"

/* A member of its own, with three slots claimed and one message sent. */
static pid_t start_holder(void)
{
    pid_t pid = check_fork();

    if (pid == 0) {
        shmring_mpmc_producer producer;
        shmring_mpmc_slot slots[4];
        shmring_geometry geometry;
        shmring_segment segment;

        CHECK_EQ(shmring_segment_open(&segment, getenv("N"), NULL, &geometry), 0);
        CHECK_EQ(shmring_mpmc_attach_producer(&producer, segment.base, &geometry, segment.fd), 0);
        CHECK_EQ(shmring_mpmc_claim_many(&producer, slots, 4), 4);
        CHECK_EQ(shmring_mpmc_commit(&producer, &slots[0], 0, 7), 0);
        for (;;)
            pause();
    }
    return pid;
}

/* Somebody of that process id is there, and the rest of the line is that. */
static void await_member(pid_t pid, const char *rest)
{
    char line[256];

    snprintf(line, sizeof line, "$S who $N | tr -s ' ' | sed 's/^ //' | grep -q '^[0-9]* %ld %s$'",
             (long)pid, rest);
    cli_await(line);
}

static void ring_of_many(void)
{
    printf("a ring of many: alive, stopped, dead; slots; time since they were in the way\n");
    cli_expect(0, NULL, "$S create $N --kind mpmc --slots 8 --slot-size 64");
    cli_expect(0, NULL, "test $($S who $N | wc -l) = 0");
    pid_t holder = start_holder();
    await_member(holder, "producer alive 3 0 -");
    pid_t other = cli_start("exec $S recv $N --follow > $T/out 2> $T/err", CLI_SAME, CLI_SAME);
    await_member(other, "consumer alive 0 0 -");
    cli_expect(0, NULL,
               "$S who $N | head -n 1 | tr -s ' ' |\n"
               "grep -q '^ *ID PID ROLE STATE WRITING READING HELD$'");
    kill(holder, SIGSTOP);
    await_member(holder, "producer stopped 3 0 -");
    cli_expect(0, NULL, "seq 20 | $S send $N");
    await_member(holder, "producer stopped 3 0 [0-9]*\\.[0-9]s");
    kill(holder, SIGCONT);
    await_member(holder, "producer alive 3 0 [0-9]*\\.[0-9]s");
    kill(other, SIGSTOP); /* or it would bury the dead */
    await_member(other, "consumer stopped 0 0 -");
    kill(holder, SIGKILL);
    CHECK_EQ(check_wait(holder), -SIGKILL);
    await_member(holder, "producer dead 3 0 [0-9]*\\.[0-9]s");
    cli_expect(0, NULL, "$S ls | tr -s ' ' | grep -q \"^$N mpmc:64 8 0 - [0-9]* .* sender-dead$\"");
    kill(other, SIGCONT);
    cli_await("test $($S who $N | wc -l) = 2");
    kill(other, SIGINT);
    CHECK_EQ(check_wait(other), 130);
    cli_expect(0, NULL, "test $(wc -l < $T/out) = 21 && grep -q 'a sender died' $T/err");
    cli_expect(0, NULL, "$S rm $N");
}

static void what_a_receiver_holds(void)
{
    int pipes[2];

    printf("a receiver that cannot write holds what it took\n");
    cli_expect(0, NULL,
               "$S create $N --kind mpmc --slots 64 --slot-size 2000 --redeliver\n"
               "seq 64 | sed s/$/$(printf %01900d 0)/ > $T/in; $S send $N $T/in");
    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    pid_t pid = cli_start("exec $S recv $N --follow", CLI_SAME, pipes[1]);
    await_member(pid, "consumer alive 0 [1-9][0-9]* -");
    cli_expect(0, NULL, "$S recv $N --count 9 > $T/no");
    cli_expect(4, "timed out", "$S send $N $T/in --timeout 50ms");
    await_member(pid, "consumer alive 0 [1-9][0-9]* [0-9]*\\.[0-9]s");
    kill(pid, SIGKILL);
    CHECK_EQ(check_wait(pid), -SIGKILL);
    await_member(pid, "consumer dead 0 [1-9][0-9]* [0-9]*\\.[0-9]s");
    close(pipes[0]);
    close(pipes[1]);
    cli_expect(0, NULL, "$S recv $N > $T/no && $S rm $N");
}

static void json(void)
{
    printf("JSON: a schema, numbers, and null for what is not known\n");
    cli_expect(0, NULL, "$S create $N --kind mpmc --slots 8 --slot-size 64 --redeliver");
    cli_expect(0, NULL,
               "$S who --json $N | tr -d ' \\n' |\n"
               "grep -q '^{\"schema\":\"shmring.who/1\",\"members\":\\[\\]}$'");
    pid_t holder = start_holder();
    await_member(holder, "producer alive 3 0 -");
    cli_expect(0, NULL,
               "$S who --json $N | tr -d ' \\n' | grep -q '^{\"schema\":\"shmring.who/1\","
               "\"members\":\\[{\"id\":1,\"pid\":[0-9]*,\"role\":\"producer\",\"state\":\"alive\","
               "\"writing\":3,\"reading\":0,\"held_ns\":null}\\]}$'");
    cli_expect(0, NULL,
               "$S info --json $N | tr -d ' \\n' | grep -q '\"tail\":null,.*\"slots\":8,"
               "\"slot_size\":64,\"redeliver\":true,\"senders\":1,\"receivers\":0,\"members\":1,"
               "\"dead\":0,\"dropped\":0,\"redelivered\":0,'");
    cli_expect(0, NULL,
               "$S ls --json | tr -d ' \\n' | grep -q \"\\\"name\\\":\\\"$N\\\",\\\"kind\\\":"
               "\\\"mpmc:64\\\",\\\"capacity\\\":8,\\\"used\\\":1,\\\"sender\\\":[0-9]*,\"");
    printf("looking changes nothing\n");
    kill(holder, SIGKILL);
    CHECK_EQ(check_wait(holder), -SIGKILL);
    cli_expect(0, NULL,
               "cat /dev/shm/$N > $T/before; $S who $N > $T/no; $S info $N > $T/no\n"
               "$S ls > $T/no; cmp /dev/shm/$N $T/before && $S rm $N");
}

static void another_process_of_that_id(void)
{
    char path[256];
    shmring_geometry geometry;
    shmring_segment segment;

    printf("a stopped process that has only the id of a member, of another namespace, is not it\n");
    cli_expect(0, NULL, "$S create $N --kind mpmc --slots 8 --slot-size 64");
    pid_t holder = start_holder(), stranger = cli_start("exec sleep 60", CLI_SAME, CLI_SAME);
    await_member(holder, "producer alive 3 0 -");
    CHECK_EQ(shmring_segment_open(&segment, getenv("N"), NULL, &geometry), 0);
    struct shmring_member_record *records =
        (void *)((char *)segment.base + geometry.members_offset);
    shmring_store32_relaxed(&records[1].pid, (uint32_t)stranger);
    kill(stranger, SIGSTOP);
    snprintf(path, sizeof path, "grep -q ') T' /proc/%ld/stat", (long)stranger);
    cli_await(path);
    snprintf(path, sizeof path, "$S who $N | grep -q ' %ld  *producer  *alive '", (long)stranger);
    cli_expect(0, NULL, path);
    shmring_segment_close(&segment);
    kill(holder, SIGKILL);
    kill(stranger, SIGKILL);
    CHECK_EQ(check_wait(holder), -SIGKILL);
    CHECK_EQ(check_wait(stranger), -SIGKILL);
    cli_expect(0, NULL, "$S rm $N");
}

static void crowd(void)
{
    pid_t holders[3];

    printf("several senders are counted by ls\n");
    cli_expect(0, NULL, "$S create $N --kind mpmc --slots 16 --slot-size 64");
    for (int i = 0; i < 3; i++)
        holders[i] = start_holder();
    cli_await("$S ls | tr -s ' ' | grep -q \"^$N mpmc:64 16 3 (3) - .* active$\"");
    cli_expect(0, NULL, "$S info $N | grep -q '^senders  *3$'");
    cli_expect(0, NULL, "$S ls --json | tr -d ' \\n' | grep -q '\"used\":3,\"sender\":null,'");
    for (int i = 0; i < 3; i++) {
        kill(holders[i], SIGKILL);
        CHECK_EQ(check_wait(holders[i]), -SIGKILL);
    }
    cli_expect(0, NULL, "test $($S who $N | grep -c ' dead ') = 3 && $S rm $N");
}

static void ring_of_two(void)
{
    printf("a ring of two: the same of its two roles\n");
    cli_expect(0, NULL, "$S create $N --capacity 4K && test $($S who $N | wc -l) = 0");
    pid_t pid = cli_start("exec $S recv $N > $T/out", CLI_SAME, CLI_SAME);
    await_member(pid, "consumer alive - - -");
    kill(pid, SIGSTOP);
    await_member(pid, "consumer stopped - - -");
    kill(pid, SIGKILL);
    CHECK_EQ(check_wait(pid), -SIGKILL);
    await_member(pid, "consumer dead - - -");
    cli_expect(0, NULL, "$S rm $N");
}

static void what_is_no_ring(void)
{
    printf("what is no ring is refused as elsewhere: 3, 5, 7\n");
    cli_expect(3, "no such ring", "$S who $N");
    cli_expect(7, "not a ring", "seq 10000 > /dev/shm/$N; $S who $N");
    cli_expect(0, NULL, "$S rm --force $N && $S create $N --kind mpmc");
    cli_expect(5, "damaged", "truncate -s 8K /dev/shm/$N; $S who $N");
    cli_expect(0, NULL, "$S ls | grep -q \"^$N .* damaged$\" && $S rm --force $N");
}

static void test(void)
{
    ring_of_many();
    what_a_receiver_holds();
    json();
    another_process_of_that_id();
    crowd();
    ring_of_two();
    what_is_no_ring();
}

int main(void)
{
    return cli_main(test);
}

/* SPDX-License-Identifier: MIT */
/*
 * Claim: a member of a claim ring counts as alive as long as it lives, also when it is stopped, in
 * another namespace, or has a forked child that lives on; and as dead as soon as it was killed, has
 * become another program, or has lost its descriptor, after which it can commit nothing. Whoever
 * passes a descriptor of the ring on does not pass life on.
 */
#include "members.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>

static void a_stopped_member_is_alive_and_a_killed_one_dead(void)
{
    shmring_mpmc_producer producer;
    shmring_mpmc_slot slot;
    int status;

    begin();
    pid_t pid = check_fork();

    if (pid == 0) {
        join(&producer, &slot);
        shmring_store32_release(&meeting->ready, 1);
        pause_for_ever();
    }
    wait_for(&meeting->ready, 1);
    CHECK_EQ(recover(), 0);
    CHECK(kill(pid, SIGSTOP) == 0);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    CHECK_EQ(recover(), 0);
    kill_and_wait(pid);
    CHECK_EQ(recover(), 1);
    end();
}

/* Becomes another program; the reader of the pipe sees when. */
static void become_another(void)
{
    execlp("sleep", "sleep", "100", (char *)NULL);
    _exit(1);
}

static void await_exec(int ends[2])
{
    char byte;

    close(ends[1]);
    CHECK(read(ends[0], &byte, 1) == 0);
    close(ends[0]);
}

static void a_member_that_becomes_another_program_is_dead(void)
{
    shmring_mpmc_producer producer;
    shmring_mpmc_slot slot;
    int ends[2];

    begin();
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    pid_t pid = check_fork();

    if (pid == 0) {
        join(&producer, &slot);
        become_another();
    }
    await_exec(ends);
    CHECK_EQ(recover_soon(), 1);
    CHECK(waitpid(pid, NULL, WNOHANG) == 0); /* while it lives */
    kill_and_wait(pid);
    end();
}

/* The member's child, which outlives it. */
static void outlive(bool exec)
{
    shmring_store32_release(&meeting->ready, 1);
    if (!exec)
        pause_for_ever();
    wait_for(&meeting->go, 1);
    become_another();
}

static void a_forked_child_keeps_a_dead_member_alive(bool until_exec)
{
    shmring_mpmc_producer producer;
    shmring_mpmc_slot slot;
    int ends[2];

    begin();
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    pid_t pid = check_fork();

    if (pid == 0) {
        join(&producer, &slot);
        pid_t child = fork();

        CHECK(child >= 0);
        if (child == 0) {
            alarm(100); /* should the test fail before it is killed */
            outlive(until_exec);
        }
        shmring_store32_release(&meeting->pid, (uint32_t)child);
        pause_for_ever();
    }
    wait_for(&meeting->ready, 1);
    wait_for(&meeting->pid, 1);
    pid_t child = (pid_t)shmring_load32_acquire(&meeting->pid);

    kill_and_wait(pid);
    CHECK_EQ(recover(), 0); /* the safe side */
    if (until_exec) {
        shmring_store32_release(&meeting->go, 1);
        await_exec(ends);
        CHECK_EQ(recover_soon(), 1);
    }
    kill_and_wait(child); /* it was orphaned and is ours */
    if (!until_exec) {
        CHECK_EQ(recover(), 1);
        close(ends[0]);
        close(ends[1]);
    }
    end();
}

/* A program that closes all its descriptors goes on with its slot. */
static _Noreturn void lose_descriptor(bool all)
{
    shmring_mpmc_producer producer;
    shmring_mpmc_slot slot;

    join(&producer, &slot);
    if (all)
        CHECK(close_range(3, ~0U, 0) == 0);
    else
        CHECK(close(producer.side.member.fd) == 0);
    memset(slot.data, 0xee, 8);
    shmring_store32_release(&meeting->ready, 1);
    wait_for(&meeting->go, 1);
    CHECK_EQ(shmring_mpmc_commit(&producer, &slot, 8, 7), -ESTALE);
    CHECK_EQ(shmring_mpmc_abort(&producer, &slot), -ESTALE);
    shmring_mpmc_detach_producer(&producer);
    _exit(0);
}

static void who_lost_its_descriptor_commits_nothing(bool all, bool successor_holds)
{
    shmring_mpmc_producer successor;
    shmring_mpmc_slot slots[2];

    begin();
    pid_t pid = check_fork();

    if (pid == 0)
        lose_descriptor(all);
    wait_for(&meeting->ready, 1);
    CHECK_EQ(recover(), 1);
    CHECK_EQ(shmring_mpmc_attach_producer(&successor, segment.base, &geometry, segment.fd), 0);
    CHECK_EQ(successor.side.member.id, 2); /* its id, so that only the session tells them apart */
    for (int i = 0; i < 2 && successor_holds; i++)
        CHECK(shmring_mpmc_claim(&successor, &slots[i]));
    shmring_store32_release(&meeting->go, 1);
    CHECK_EQ(check_wait(pid), 0);
    CHECK_EQ(shmring_mpmc_used_guess(&observer.side), 0);
    for (uint32_t i = 0; i < 2 && successor_holds; i++) {
        memcpy(slots[i].data, "ours", 4);
        CHECK_EQ(shmring_mpmc_commit(&successor, &slots[i], 4, i), 0);
    }
    for (uint32_t i = 0; i < 2 && successor_holds; i++) {
        CHECK(shmring_mpmc_take(&observer, &slots[i]));
        CHECK_EQ(slots[i].type, i);
        CHECK(slots[i].length == 4 && memcmp(slots[i].data, "ours", 4) == 0);
        CHECK_EQ(shmring_mpmc_release(&observer, &slots[i]), 0);
    }
    shmring_mpmc_detach_producer(&successor);
    end();
}

static void a_descriptor_that_is_passed_on_does_not_carry_life(void)
{
    int sockets[2];

    begin();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
    pid_t pid = check_fork();

    if (pid == 0) {
        shmring_mpmc_producer producer;
        shmring_mpmc_slot slot;

        shmring_segment_close(&segment); /* all it has is what it is sent */
        int fd = pass_descriptor(sockets[1], -1);
        void *memory = mmap(NULL, geometry.total_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        CHECK(memory != MAP_FAILED);
        CHECK_EQ(shmring_mpmc_attach_producer(&producer, memory, &geometry, fd), 0);
        CHECK(shmring_mpmc_claim(&producer, &slot));
        pass_descriptor(sockets[1], fd); /* back, and it stays in the queue */
        shmring_store32_release(&meeting->ready, 1);
        pause_for_ever();
    }
    pass_descriptor(sockets[0], segment.fd);
    wait_for(&meeting->ready, 1);
    CHECK_EQ(recover(), 0);
    kill_and_wait(pid);
    CHECK_EQ(recover(), 1);
    close(sockets[0]);
    close(sockets[1]);
    end();
}

/* A member in a namespace of that kind. Its maker exits with 77 if it may not make one. */
static void in_a_namespace(const char *kind, int flag)
{
    begin();
    pid_t maker = check_fork();

    if (maker == 0) {
        if (unshare(flag) != 0 && unshare(flag | CLONE_NEWUSER) != 0)
            _exit(77);
        pid_t pid = fork(); /* the first process of a new pid namespace */

        CHECK(pid >= 0);
        if (pid == 0) {
            shmring_mpmc_producer producer;
            shmring_mpmc_slot slot;

            alarm(100);
            join(&producer, &slot);
            CHECK_EQ(shmring_mpmc_recover(&producer.side), 0); /* sees that the observer lives */
            shmring_store32_release(&meeting->ready, 1);
            pause_for_ever();
        }
        shmring_store32_release(&meeting->pid, (uint32_t)pid);
        _exit(check_wait(pid) == -SIGKILL ? 0 : 1);
    }
    int status = 0;
    pid_t ended = 0;

    while (ended == 0 && shmring_load32_acquire(&meeting->ready) == 0) {
        ended = waitpid(maker, &status, WNOHANG);
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    if (ended != 0) {
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 77);
        printf("not tested: a member in a new %s namespace, which may not be made here\n", kind);
    } else {
        CHECK_EQ(recover(), 0);
        wait_for(&meeting->pid, 1);
        CHECK(kill((pid_t)shmring_load32_acquire(&meeting->pid), SIGKILL) == 0);
        CHECK_EQ(check_wait(maker), 0);
        CHECK_EQ(recover(), 1);
    }
    end();
}

/* The table is full of the living; then they die. */
static void the_table_is_full_until_they_die(void)
{
    enum { OTHERS = SHMRING_MEMBER_MAX - 1 };
    struct rlimit limit;
    shmring_member member;
    shmring_mpmc_producer producer;

    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_max < OTHERS + 100) {
        printf("not tested: a full table, for want of descriptors (ulimit -n)\n");
        return;
    }
    begin();
    pid_t pid = check_fork();

    if (pid == 0) {
        limit.rlim_cur = limit.rlim_max;
        CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        /* Not by attach, which looks for the dead among all others each time. */
        for (uint32_t i = 0; i < OTHERS; i++)
            CHECK_EQ(shmring_member_enroll(&member, segment.fd, observer.side.records,
                                           SHMRING_ROLE_PRODUCER), 0);
        CHECK_EQ(member.id, SHMRING_MEMBER_MAX);
        shmring_store32_release(&meeting->ready, 1);
        pause_for_ever();
    }
    wait_for(&meeting->ready, 1);
    CHECK_EQ(shmring_mpmc_attach_producer(&producer, segment.base, &geometry, segment.fd), -EUSERS);
    CHECK_EQ(recover(), 0);
    kill_and_wait(pid);
    CHECK_EQ(recover(), OTHERS);
    end();
}

int main(void)
{
    meeting = mmap(NULL, sizeof *meeting, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                   0);
    CHECK(meeting != MAP_FAILED);
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
    a_stopped_member_is_alive_and_a_killed_one_dead();
    a_member_that_becomes_another_program_is_dead();
    a_forked_child_keeps_a_dead_member_alive(false);
    a_forked_child_keeps_a_dead_member_alive(true);
    who_lost_its_descriptor_commits_nothing(false, false);
    who_lost_its_descriptor_commits_nothing(false, true);
    who_lost_its_descriptor_commits_nothing(true, true);
    a_descriptor_that_is_passed_on_does_not_carry_life();
    in_a_namespace("pid", CLONE_NEWPID);
    in_a_namespace("mount", CLONE_NEWNS);
    in_a_namespace("ipc", CLONE_NEWIPC);
    in_a_namespace("user", CLONE_NEWUSER);
    the_table_is_full_until_they_die();
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* The victim of kill_step: a process that joins the ring and does one thing there. */
#ifndef SHMRING_TESTS_KILL_STEP_VICTIM_H
#define SHMRING_TESTS_KILL_STEP_VICTIM_H

#include "kill_step_ring.h"

#include <sys/ptrace.h>

enum operation {
    CLAIM,
    COMMIT,
    ABORT,
    SEND,
    LEAVE_WRITING,
    TAKE,
    RELEASE,
    EQUAL,
    HIGHEST,
    RECV,
    LEAVE,
    LEAVE_READING,
    JOIN,
    RECOVER,
    OPERATIONS
};

static const char *const operation_names[OPERATIONS] = {
    "claim",   "write, commit",   "abort", "send",  "leave (holds WRITING)", "take",
    "release", "take EQUAL",      "take HIGHEST",   "recv",
    "leave",   "leave (holds READING)", "join",     "recover"};

enum {
    NOT_APPLICABLE = 3, /* exit status: the ring has no slot or message for it */
    NOT_TRACEABLE = 77,
};

/* In memory that the parent sees: what it did, as far as it came. */
struct victim {
    enum operation operation;
    bool bet; /* with a handle that has learned where the frontier is */
    shmring_mpmc_producer producer;
    shmring_mpmc_consumer consumer;
    shmring_mpmc_slot slot;
    uint8_t buffer[SMALL_MAX];
    bool had;         /* took a message before the operation began */
    bool had_again;
    uint64_t had_what;
    bool done;        /* it got a slot */
    int error;        /* what the call returned */
    bool finished;    /* stopped, continued, and all was well */
    bool third_took;
    bool third_again;
    uint64_t third_what;
};

static struct victim *victim_places; /* shared */
static struct victim *victim;        /* one of them */

static bool is_producers(enum operation operation)
{
    return operation <= LEAVE_WRITING;
}

static bool takes(enum operation operation)
{
    return operation == TAKE || operation == EQUAL || operation == HIGHEST || operation == RECV;
}

static bool changes_locks(enum operation operation)
{
    return operation == LEAVE_WRITING || operation >= LEAVE;
}

/* The one call that is stepped through. */
static __attribute__((noinline)) void operate(struct victim *v)
{
    switch (v->operation) {
    case CLAIM:
        v->done = shmring_mpmc_claim(&v->producer, &v->slot);
        break;
    case COMMIT:
        small_write(v->slot.data, FROM_VICTIM);
        v->error = shmring_mpmc_commit(&v->producer, &v->slot, small_length(FROM_VICTIM),
                                       small_type(FROM_VICTIM));
        break;
    case ABORT:
        v->error = shmring_mpmc_abort(&v->producer, &v->slot);
        break;
    case SEND:
        v->error = shmring_mpmc_send(&v->producer, v->buffer, small_length(FROM_VICTIM),
                                     small_type(FROM_VICTIM));
        break;
    case TAKE:
        v->done = shmring_mpmc_take(&v->consumer, &v->slot);
        break;
    case RELEASE:
        v->error = shmring_mpmc_release(&v->consumer, &v->slot);
        break;
    case EQUAL:
        v->done = shmring_mpmc_take_by(&v->consumer, SHMRING_TAKE_EQUAL, 2, &v->slot);
        break;
    case HIGHEST:
        v->done = shmring_mpmc_take_by(&v->consumer, SHMRING_TAKE_HIGHEST, 1, &v->slot);
        break;
    case RECV:
        v->error = shmring_mpmc_recv(&v->consumer, v->buffer, sizeof v->buffer, &v->slot);
        break;
    case LEAVE_WRITING:
        shmring_mpmc_detach_producer(&v->producer);
        break;
    case LEAVE:
    case LEAVE_READING:
        shmring_mpmc_detach_consumer(&v->consumer);
        break;
    case JOIN:
        v->error = shmring_mpmc_attach_consumer(&v->consumer, segment.base, &geometry, segment.fd);
        break;
    default:
        v->error = shmring_mpmc_recover(&v->consumer.side);
    }
}

/* Reached when it is over. */
static __attribute__((noinline)) void operated(void)
{
    __asm__ volatile("" ::: "memory");
}

/* Joins, and has what the operation needs. */
static void prepare(struct victim *v)
{
    bool producer = is_producers(v->operation);

    v->error = -1;
    small_write(v->buffer, FROM_VICTIM);
    if (v->operation == JOIN)
        return;
    CHECK_EQ(producer ? shmring_mpmc_attach_producer(&v->producer, segment.base, &geometry,
                                                     segment.fd)
                      : shmring_mpmc_attach_consumer(&v->consumer, segment.base, &geometry,
                                                     segment.fd), 0);
    if (v->operation == COMMIT || v->operation == ABORT || v->operation == LEAVE_WRITING)
        if (!shmring_mpmc_claim(&v->producer, &v->slot))
            _exit(NOT_APPLICABLE);
    if (v->operation == RELEASE || v->operation == LEAVE_READING) {
        if (!shmring_mpmc_take(&v->consumer, &v->slot))
            _exit(NOT_APPLICABLE);
        v->had_what = small_number(v->slot.data);
        v->had_again = v->slot.redelivered;
        v->had = true;
    }
    /* What the survivor knows of the frontier is true for all; a victim that has used the ring for
     * a while knows as much. */
    if (v->bet && producer) {
        v->producer.tail_pos = world.producer.tail_pos;
        v->producer.claimed =
            shmring_mpmc_word_at(&v->producer.side, v->producer.tail_pos, SHMRING_WORD_CLAIMED);
        shmring_store32_relaxed(v->producer.side.member.here, SHMRING_MEMBER_BETS);
    } else if (v->bet && world.consumer.open_count == 0) {
        v->consumer.head_pos = world.consumer.head_pos;
        v->consumer.taken =
            shmring_mpmc_word_at(&v->consumer.side, v->consumer.head_pos, SHMRING_WORD_TAKEN);
        shmring_store32_relaxed(v->consumer.side.member.here, SHMRING_MEMBER_BETS);
    }
}

/* What the call returned is right for one whom nobody took for dead. */
static bool went_well(const struct victim *v)
{
    switch (v->operation) {
    case COMMIT:
    case ABORT:
    case RELEASE:
    case JOIN:
        return v->error == 0;
    case SEND:
    case RECV:
        return v->error == 0 || v->error == -EAGAIN;
    case RECOVER:
        return v->error >= 0;
    case LEAVE:
    case LEAVE_WRITING:
    case LEAVE_READING:
        return true;
    default:
        return v->error == (v->done ? 0 : -1);
    }
}

/* Goes on after the operation as if nothing had been. */
static void finish(struct victim *v)
{
    if (v->operation == CLAIM && v->done) {
        small_write(v->slot.data, FROM_VICTIM);
        v->error = shmring_mpmc_commit(&v->producer, &v->slot, small_length(FROM_VICTIM),
                                       small_type(FROM_VICTIM));
    } else if (takes(v->operation) && v->done) {
        small_read(v->slot.data, v->slot.length, v->slot.type);
        memcpy(v->buffer, v->slot.data, v->slot.length);
        v->error = shmring_mpmc_release(&v->consumer, &v->slot);
    }
    CHECK(went_well(v));
    if (v->operation < LEAVE_WRITING)
        CHECK_EQ(shmring_mpmc_error(&v->producer.side), 0);
    if (takes(v->operation) || v->operation == RELEASE || v->operation >= JOIN)
        CHECK_EQ(shmring_mpmc_error(&v->consumer.side), 0);
    shmring_mpmc_detach_producer(&v->producer);
    shmring_mpmc_detach_consumer(&v->consumer);
    v->finished = true;
}

static _Noreturn void be_victim(void)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(NOT_TRACEABLE);
    prepare(victim);
    raise(SIGSTOP);
    operate(victim);
    operated();
    finish(victim);
    _exit(0);
}

/* Starts the victim; it has stopped where the steps begin. Returns 0 if there is nothing for it to
 * do in this ring. */
static pid_t start_alone(enum operation operation, bool bet)
{
    memset(victim, 0, sizeof *victim);
    victim->operation = operation;
    victim->bet = bet;
    pid_t pid = check_fork();
    int status;

    if (pid == 0)
        be_victim();
    CHECK(waitpid(pid, &status, 0) == pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_APPLICABLE)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_TRACEABLE)
        SKIP("may not be traced");
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    if (victim->had)
        note_got(victim->had_what, victim->had_again);
    return pid;
}

#endif

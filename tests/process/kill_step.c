/* SPDX-License-Identifier: MIT */
/*
 * Claim: a process that is killed, or stopped, between any two instructions of a call on a claim
 * ring stops nobody. Before anything is recovered the others send and receive; after it every
 * message whose commit returned has been delivered, once, or again and marked so; each slot and
 * the place of the dead are there again. One that was stopped is taken for dead by nobody, and
 * goes on. Each operation, in each state of the ring, at each boundary, with a real SIGKILL.
 *
 * usage: kill_step [SEED] [--scale ROUNDS]
 */
#include "kill_step_check.h"
#include "kill_step_rounds.h"

/* A third, which dies holding a slot of each kind, where there are such. */
static void kill_third(void)
{
    victim->third_took = false;
    pid_t pid = check_fork();

    if (pid == 0) {
        shmring_mpmc_producer producer;
        shmring_mpmc_consumer consumer;
        shmring_mpmc_slot slot;

        CHECK_EQ(shmring_mpmc_attach_producer(&producer, segment.base, &geometry, segment.fd), 0);
        CHECK_EQ(shmring_mpmc_attach_consumer(&consumer, segment.base, &geometry, segment.fd), 0);
        if (shmring_mpmc_take(&consumer, &slot)) {
            victim->third_what = small_number(slot.data);
            victim->third_again = slot.redelivered;
            victim->third_took = true;
        }
        if (shmring_mpmc_claim(&producer, &slot))
            small_write(slot.data, FROM_NOBODY);
        kill(getpid(), SIGKILL);
    }
    CHECK_EQ(check_wait(pid), -SIGKILL);
    if (victim->third_took)
        note_got(victim->third_what, victim->third_again);
}

/* Those who recover find the third dead. */
static pid_t start_victim(enum operation operation, bool bet)
{
    if (operation == JOIN)
        kill_third();
    pid_t pid = start_alone(operation, bet);

    if (operation == RECOVER)
        kill_third();
    return pid;
}

static void kill_there(enum operation operation, bool bet, const struct boundary *boundary)
{
    restore();
    pid_t pid = start_victim(operation, bet);

    CHECK(pid > 0);
    reach(pid, boundary);
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK_EQ(check_wait(pid), -SIGKILL);
    world.sent[FROM_VICTIM] = PERHAPS;
    note_done(boundary->last);
    struct forecast forecast = foresee();
    unsigned held_reading = takes(operation) ? forecast.reading : 0;

    CHECK(operation == JOIN || operation == RECOVER || operation >= LEAVE ||
          operation == LEAVE_WRITING || forecast.dead == 1);
    survivors_go_on();
    CHECK_EQ(shmring_mpmc_recover(&world.producer.side), forecast.dead);
    all_is_well(&forecast);
    nothing_else_is_missing(operation, boundary->last, held_reading);
}

/* While the victim is stopped, those who go on may not let it take a message before one that was
 * committed earlier. Returns the later one. */
static int64_t commit_held_then_send(void)
{
    let_go_writing();
    return send_one();
}

static void stop_there(enum operation operation, bool bet, const struct boundary *boundary,
                       bool overtake)
{
    int64_t later = -1;

    restore();
    pid_t pid = start_victim(operation, bet);

    CHECK(pid > 0);
    reach(pid, boundary);
    world.sent[FROM_VICTIM] = PERHAPS;
    int dead = count_dead(); /* the third only, if nobody is at it */
    uint32_t session = shmring_load32_acquire(&world.producer.side.records[5].session);

    if (overtake)
        later = commit_held_then_send();
    else
        survivors_go_on();
    CHECK_EQ(shmring_mpmc_recover(&world.consumer.side), dead);
    if (operation != JOIN) /* there it is the third's */
        CHECK_EQ(shmring_load32_acquire(&world.producer.side.records[5].session), session);
    CHECK(ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0);
    CHECK_EQ(check_wait(pid), 0);
    CHECK(victim->finished);
    note_done(true);
    if (later >= 0)
        CHECK(world.got[later] == 0 || world.got[FROM_HOLDER] != 0 || operation == EQUAL ||
              operation == HIGHEST);
    survivors_go_on();
    CHECK_EQ(count_dead(), 0);
    if (world.sent[FROM_VICTIM] == PERHAPS)
        world.sent[FROM_VICTIM] = NOT_SENT;
    struct forecast forecast = foresee();

    all_is_well(&forecast);
    bool drops = !redelivers() && operation == LEAVE_READING;

    CHECK(!drops || world.got[victim->had_what] == 1);
    CHECK_EQ(count_missing(), 0);
}

static void try(enum operation operation, enum state state, uint64_t random, struct count *count)
{
    bool bet = random % 2 != 0;

    build(state, random / 2 % 16, random / 32 % 2 != 0);
    save();
    pid_t pid = start_victim(operation, bet);

    if (pid > 0) {
        record(pid, changes_locks(operation));
        CHECK(kill(pid, SIGKILL) == 0);
        CHECK_EQ(check_wait(pid), -SIGKILL);
        for (unsigned i = 0; i < boundary_count; i++) {
            bool overtake = saved_world.held && takes(operation) && (random / 64 + i) % 2 != 0;

            kill_there(operation, bet, &boundaries[i]);
            stop_there(operation, bet, &boundaries[i], overtake);
        }
        count->kills += boundary_count;
        count->stops += boundary_count;
        count->cases++;
    }
    leave_all();
}

int main(int argc, char **argv)
{
    return run_rounds(argc, argv, try);
}

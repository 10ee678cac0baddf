/* SPDX-License-Identifier: MIT */
/*
 * Claim: it stops nobody, and loses nothing, that a process is killed between any two instructions
 * of a call on a claim ring, and the one that recovers what it left between any two of those. What
 * kill_step says of the others, of messages, slots and places holds after both deaths.
 *
 * usage: kill_pairs [SEED] [--scale ROUNDS]     without: of each case one first death; with it all
 * of them where there are few, else some
 */
#include "kill_step_check.h"
#include "kill_step_rounds.h"

enum {
    FEW = 160, /* optimized, that is all of write, commit, abort and release */
#ifdef __OPTIMIZE__
    ONE_FIRST_OF = 16,
#else
    ONE_FIRST_OF = 64, /* three times as many firsts, and as many seconds to each */
#endif
};

static struct boundary firsts[BOUNDARIES_MAX];
static unsigned first_count;

/* A process that has stopped before its call, and the struct that says how far it came. */
struct runner {
    struct victim *victim;
    pid_t pid;
};

/* The one who is to recover is there first: who joins later would recover by that. */
static bool start_both(struct runner *first, struct runner *second, enum operation operation,
                       bool bet)
{
    restore();
    victim = second->victim;
    second->pid = start_alone(RECOVER, bet);
    CHECK(second->pid > 0);
    victim = first->victim;
    first->pid = start_alone(operation, bet);
    return first->pid > 0;
}

static void end(const struct runner *runner)
{
    CHECK(kill(runner->pid, SIGKILL) == 0);
    CHECK_EQ(check_wait(runner->pid), -SIGKILL);
}

/* The first one dies there. Returns how many messages it had taken. */
static unsigned end_first(struct runner *first, enum operation operation,
                          const struct boundary *boundary)
{
    reach(first->pid, boundary);
    end(first);
    world.sent[FROM_VICTIM] = PERHAPS;
    victim = first->victim;
    note_done(boundary->last);
    return takes(operation) ? count_held(SHMRING_SLOT_READING, true) : 0;
}

static void kill_both(struct runner *first, struct runner *second, enum operation operation,
                      bool bet, const struct boundary boundary[2])
{
    CHECK(start_both(first, second, operation, bet));
    unsigned taken = end_first(first, operation, &boundary[0]);

    reach(second->pid, &boundary[1]);
    end(second);
    struct forecast forecast = foresee();

    survivors_go_on();
    CHECK_EQ(shmring_mpmc_recover(&world.producer.side), forecast.dead);
    all_is_well(&forecast);
    nothing_else_is_missing(operation, boundary[0].last, taken);
}

/* After that first death: one at each instruction of the recovery. */
static void try_seconds(struct runner *first, struct runner *second, enum operation operation,
                        bool bet, const struct boundary *boundary, struct count *count)
{
    CHECK(start_both(first, second, operation, bet));
    end_first(first, operation, boundary);
    record(second->pid, changes_locks(RECOVER));
    end(second);
    for (unsigned i = 0; i < boundary_count; i++) {
        const struct boundary both[2] = {*boundary, boundaries[i]};

        kill_both(first, second, operation, bet, both);
    }
    count->kills += boundary_count;
}

static bool records_firsts(struct runner *first, struct runner *second, enum operation operation,
                           bool bet)
{
    bool is_possible = start_both(first, second, operation, bet);

    if (is_possible) {
        record(first->pid, changes_locks(operation));
        end(first);
        memcpy(firsts, boundaries, sizeof firsts);
        first_count = boundary_count;
    }
    end(second);
    return is_possible;
}

static bool is_chosen(unsigned i, uint64_t random)
{
    unsigned one_of = first_count;

    if (is_thorough)
        one_of = first_count <= FEW ? 1 : ONE_FIRST_OF;
    return i % one_of == random % one_of;
}

static void try(enum operation operation, enum state state, uint64_t random, struct count *count)
{
    struct runner first = {.victim = victim_places}, second = {.victim = victim_places + 1};
    bool bet = random % 2 != 0;

    if (operation == JOIN || operation == RECOVER)
        return;
    build(state, random / 2 % 16, random / 32 % 2 != 0);
    save();
    if (records_firsts(&first, &second, operation, bet)) {
        for (unsigned i = 0; i < first_count; i++)
            if (is_chosen(i, random / 64))
                try_seconds(&first, &second, operation, bet, &firsts[i], count);
        count->cases++;
    }
    leave_all();
}

int main(int argc, char **argv)
{
    return run_rounds(argc, argv, try);
}

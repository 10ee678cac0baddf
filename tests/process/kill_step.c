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
#include "kill_step_trace.h"

#include <sched.h>

enum {
    WORKERS = 2, /* processes that share the cases, each on a processor of its own */
};

struct count {
    unsigned long kills, stops, cases, steps, drifted;
};

/* What the ring itself says of each message at the moment of death, to be compared with what comes
 * of it. */
struct forecast {
    uint8_t got[NUMBERS];
    uint8_t more[NUMBERS]; /* deliveries to come */
    unsigned reading;      /* slots in which the dead left a message they had taken */
    int dead;
    uint64_t dropped;
};

static struct forecast foresee(void)
{
    struct forecast forecast = {
        .reading = count_held(SHMRING_SLOT_READING, true),
        .dead = count_dead(),
        .dropped = shmring_mpmc_dropped_guess(&world.producer.side),
    };

    memcpy(forecast.got, world.got, sizeof world.got);
    for (uint64_t idx = 0; idx < geometry.capacity; idx++) {
        enum shmring_slot_state state = state_at(idx);
        uint32_t owner = shmring_slot_owner(word_at(idx));
        uint64_t number = number_at(idx);

        if (state == SHMRING_SLOT_READY || state == SHMRING_SLOT_ORPHAN ||
            (state == SHMRING_SLOT_READING && redelivers() && is_dead(owner))) {
            CHECK(number < NUMBERS);
            forecast.more[number]++;
        }
    }
    return forecast;
}

static void came_true(const struct forecast *forecast)
{
    for (unsigned number = 0; number < NUMBERS; number++)
        if (forecast->got[number] + forecast->more[number] != 0)
            CHECK_EQ(world.got[number], forecast->got[number] + forecast->more[number]);
    CHECK_EQ(shmring_mpmc_dropped_guess(&world.producer.side) - forecast->dropped,
             redelivers() ? 0 : forecast->reading);
}

/* Committed messages that were never delivered. */
static unsigned count_missing(void)
{
    unsigned missing = 0;

    for (unsigned number = 0; number < NUMBERS; number++)
        missing += world.sent[number] == SURELY && world.got[number] == 0;
    return missing;
}

/* What the victim had done for certain, when it came to the end of the operation. */
static void note_done(bool complete)
{
    bool sends = victim->operation == COMMIT || victim->operation == SEND ||
                 (victim->operation == CLAIM && victim->finished);

    if (complete && sends)
        world.sent[FROM_VICTIM] = victim->error == 0 ? SURELY : NOT_SENT;
    if (complete && ((takes(victim->operation) && victim->finished && victim->done) ||
                     victim->operation == RECV) && victim->error == 0)
        note_got(small_number(victim->buffer), victim->slot.redelivered);
}

/* Afterwards: what the living held is theirs, the dead one's place is free, all slots are there. */
static void all_is_well(const struct forecast *forecast)
{
    shmring_mpmc_consumer next;

    take_all();
    if (world.held) {
        if (world.sent[FROM_HOLDER] != SURELY)
            let_go_writing();
        let_go_reading();
    }
    take_all();
    came_true(forecast);
    all_slots_are_there();
    CHECK_EQ(shmring_mpmc_attach_consumer(&next, segment.base, &geometry, segment.fd), 0);
    CHECK_EQ(next.side.member.id, 5);
    shmring_mpmc_detach_consumer(&next);
    CHECK_EQ(count_dead(), 0);
    CHECK_EQ(shmring_mpmc_recover(&world.consumer.side), 0);
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
    /* Only what the dead one took is missing: dropped, or received between taking and telling. */
    if (held_reading != 0)
        CHECK_EQ(count_missing(), redelivers() ? 0 : 1);
    else
        CHECK(count_missing() <= (operation == RECV && !boundary->last));
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

/* One operation in one state of the ring. */
static void try(enum operation operation, enum state state, uint64_t random, struct count *count)
{
    bool bet = random % 2 != 0;
    bool may_lock = operation == JOIN || operation == RECOVER || operation == LEAVE ||
                    operation == LEAVE_WRITING || operation == LEAVE_READING;

    build(state, random / 2 % 16, random / 32 % 2 != 0);
    save();
    pid_t pid = start_victim(operation, bet);

    if (pid > 0) {
        record(pid, may_lock);
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

/* The size of the ring and its option for each operation and state: all six in six rounds. */
static void one_round(uint64_t seed, unsigned round, unsigned worker, struct count *counts)
{
    shmring_segment segments[6];
    shmring_geometry geometries[6];

    for (unsigned i = 0; i < 6; i++) {
        CHECK_EQ(shmring_layout_plan(SHMRING_KIND_MPMC, SMALL_MAX, UINT64_C(2) << i / 2,
                                     &geometries[i]), 0);
        CHECK(geometries[i].slot_stride <= STRIDE_MAX);
        geometries[i].options = i % 2 != 0 ? SHMRING_OPTION_REDELIVER : 0;
        CHECK_EQ(shmring_segment_create(&segments[i], NULL, &geometries[i], NULL), 0);
    }
    for (unsigned i = worker; i < OPERATIONS * STATES; i += WORKERS) {
        uint64_t mixed = message_hash(seed + i), random = seed + round * 1000 + i;
        unsigned which = (unsigned)((mixed + round) % 6);

        if (i % STATES == ORPHAN)
            which |= 1;
        segment = segments[which];
        geometry = geometries[which];
        try(i / STATES, i % STATES, test_random(&random), &counts[i / STATES]);
    }
    for (unsigned i = 0; i < 6; i++)
        shmring_segment_close(&segments[i]);
}

/* Two processes that take turns are faster on one processor. */
static void stay_on_one_processor(unsigned worker)
{
    cpu_set_t all, one;
    size_t at = 0;

    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    for (unsigned left = worker % (unsigned)CPU_COUNT(&all) + 1; at < CPU_SETSIZE; at++)
        if (CPU_ISSET(at, &all) && --left == 0)
            break;
    CPU_ZERO(&one);
    CPU_SET(at, &one);
    sched_setaffinity(0, sizeof one, &one);
}

static _Noreturn void work(uint64_t seed, unsigned rounds, unsigned worker, struct count *counts)
{
    victim = mmap(NULL, sizeof *victim, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(victim != MAP_FAILED);
    stay_on_one_processor(worker);
    for (unsigned round = 0; round < rounds; round++)
        one_round(seed, round, worker, counts);
    counts[0].steps = steps_made;
    counts[0].drifted = drifted;
    fflush(NULL);
    _exit(0);
}

int main(int argc, char **argv)
{
    bool scale = argc > 2 && strcmp(argv[argc - 2], "--scale") == 0;
    unsigned rounds = scale ? (unsigned)atoi(argv[argc - 1]) : 1;
    uint64_t seed = test_seed(scale ? argc - 2 : argc, argv);
    struct count(*counts)[OPERATIONS] = mmap(NULL, WORKERS * sizeof *counts,
                                             PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                                             -1, 0);
    struct count sum = {0};
    pid_t workers[WORKERS];

    CHECK(counts != MAP_FAILED);
    for (unsigned i = 0; i < WORKERS; i++)
        if ((workers[i] = check_fork()) == 0)
            work(seed, rounds, i, counts[i]);
    for (unsigned i = 0; i < WORKERS; i++) {
        int status = check_wait(workers[i]);

        if (status != 0)
            return status < 0 ? 1 : status;
    }
    for (unsigned operation = 0; operation < OPERATIONS; operation++) {
        struct count before = sum;

        for (unsigned i = 0; i < WORKERS; i++) {
            sum.kills += counts[i][operation].kills;
            sum.stops += counts[i][operation].stops;
            sum.cases += counts[i][operation].cases;
            sum.steps += counts[i][operation].steps;
            sum.drifted += counts[i][operation].drifted;
        }
        if (scale)
            printf("%-22s %8lu kills in %3lu cases\n", operation_names[operation],
                   sum.kills - before.kills, sum.cases - before.cases);
    }
    printf("%lu kills, %lu stops, in %lu cases; %lu steps; %lu were elsewhere than planned\n",
           sum.kills, sum.stops, sum.cases, sum.steps, sum.drifted);
    CHECK(sum.kills > 1000);
    return 0;
}

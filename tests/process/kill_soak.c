/* SPDX-License-Identifier: MIT */
/*
 * Claim: whenever members of a claim ring are killed, at random moments, many at once, in whatever
 * they do, every message whose commit returned is delivered once, or again and marked so; without
 * redelivery only what a killed consumer had taken may be missing. Messages are whole and in the
 * order of their producer, and each slot comes back.
 *
 * usage: kill_soak [SEED [KILLS | SECONDSs]]
 */
#include "kill_soak.h"

#include <time.h>

enum {
    RINGS = 6,
    KILLS_PER_CHECK = 4096,
};

struct tally {
    uint64_t kills, early, by_stage[STAGES], checks;
    uint64_t sent, perhaps, redelivered, missing, may_miss, dropped;
};

static struct {
    pid_t pid;
    bool waits; /* for the parent to kill it */
} members[SEATS];

static unsigned member_count;

static void sit_down(unsigned seat, uint64_t *seed)
{
    uint64_t own = test_random(seed), random = test_random(seed);
    /* All share the processors: the more there are, the less each does in a time. */
    long time = 1 + (long)(random / 4 % (100000 + 50000 * member_count));

    members[seat].waits = random % 4 == 0;
    shmring_store32_release(&seats[seat].stage, FORKED);
    shmring_store32_release(&seats[seat].taking, 0);
    members[seat].pid = check_fork();
    if (members[seat].pid == 0)
        live(seat, seat % 2 == 0, members[seat].waits ? 0 : time, own);
}

/* Once it is dead the ledger says what it was about. */
static void bury(unsigned seat, int status, struct tally *tally)
{
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); /* else it found something wrong */
    uint32_t stage = shmring_load32_acquire(&seats[seat].stage);

    tally->by_stage[stage]++;
    *(stage == FORKED ? &tally->early : &tally->kills) += 1;
    tally->may_miss += shmring_load32_acquire(&seats[seat].taking);
}

/* The next one that died, killed by its timer or by us. */
static unsigned await_death(struct tally *tally)
{
    unsigned seat = 0;
    int status;
    pid_t pid = waitpid(-1, &status, 0);

    CHECK(pid > 0);
    while (members[seat].pid != pid)
        CHECK(++seat < member_count);
    bury(seat, status, tally);
    return seat;
}

/* Kills one of those that wait for it, or will, while it does whatever it does. */
static void kill_one(uint64_t random)
{
    unsigned waiting = 0;

    for (unsigned seat = 0; seat < member_count; seat++)
        waiting += members[seat].waits;
    if (waiting == 0 || (waiting <= member_count / 2 && random % 4 != 0))
        return;
    unsigned seat = (unsigned)(random / 4 % member_count);

    while (!members[seat].waits)
        seat = (seat + 1) % member_count;
    for (uint64_t i = (random >> 8) % (UINT64_C(1) << (random >> 32) % 10); i != 0; i--)
        shmring_cpu_pause();
    members[seat].waits = false;
    CHECK(kill(members[seat].pid, SIGKILL) == 0);
}

/* All members are dead: what they left is received, and every slot is there. */
static void drain(struct tally *tally, uint64_t dropped_before)
{
    shmring_mpmc_producer producer;
    shmring_mpmc_consumer consumer;
    shmring_mpmc_slot slots[65];
    struct order order;
    uint64_t count = 0;

    memset(&order, 0xff, sizeof order);
    CHECK_EQ(shmring_mpmc_attach_producer(&producer, segment.base, &geometry, segment.fd), 0);
    CHECK_EQ(producer.side.member.id, 1);
    CHECK_EQ(shmring_mpmc_attach_consumer(&consumer, segment.base, &geometry, segment.fd), 0);
    CHECK_EQ(consumer.side.member.id, 2);
    while (shmring_mpmc_take(&consumer, slots)) {
        note_taken(slots, true, &order);
        CHECK_EQ(shmring_mpmc_release(&consumer, slots), 0);
        CHECK(++count <= geometry.capacity);
    }
    CHECK_EQ(shmring_mpmc_error(&consumer.side), 0);
    for (uint64_t i = 0; i < geometry.capacity; i++)
        CHECK(shmring_mpmc_claim(&producer, &slots[i]));
    CHECK(!shmring_mpmc_claim(&producer, &slots[geometry.capacity]));
    for (uint64_t i = 0; i < geometry.capacity; i++)
        CHECK_EQ(shmring_mpmc_abort(&producer, &slots[i]), 0);
    CHECK(!shmring_mpmc_take(&consumer, slots));
    CHECK_EQ(shmring_mpmc_error(&producer.side), 0);
    tally->dropped += shmring_mpmc_dropped_guess(&producer.side) - dropped_before;
    shmring_mpmc_detach_producer(&producer);
    shmring_mpmc_detach_consumer(&consumer);
}

/* Compares what was sent and what was received, and begins a new ledger. */
static void check_ledger(struct tally *tally)
{
    bool redeliver = (geometry.options & SHMRING_OPTION_REDELIVER) != 0;
    uint64_t missing = 0;

    for (unsigned seat = 0; seat < SEATS; seat++) {
        struct seat *s = &seats[seat];
        uint64_t used = shmring_load64_acquire(&s->next);

        for (uint64_t which = 0; which < used; which++) {
            uint32_t sent = shmring_load32_acquire(&s->sent[which]);
            uint32_t got = shmring_load32_acquire(&s->got[which]);

            CHECK(sent != NOT_SENT || got == 0);
            CHECK(got % FLAGGED <= 1);
            CHECK(redeliver || got < FLAGGED);
            tally->sent += sent == SURELY;
            tally->perhaps += sent == PERHAPS;
            tally->redelivered += got / FLAGGED;
            missing += sent == SURELY && got == 0;
        }
        memset(s->sent, 0, used * sizeof *s->sent);
        memset(s->got, 0, used * sizeof *s->got);
        shmring_store64_release(&s->next, 0);
    }
    CHECK(missing <= (redeliver ? 0 : tally->may_miss));
    tally->missing += missing;
    tally->may_miss = 0;
    tally->checks++;
}

static bool is_ledger_full(void)
{
    for (unsigned seat = 0; seat < member_count; seat++)
        if (shmring_load64_acquire(&seats[seat].next) > PER_SEAT - 16)
            return true;
    return false;
}

/* Lets members of one ring be killed, and checks. */
static void one_period(uint64_t *seed, struct tally *tally)
{
    const struct shmring_mpmc_control *control =
        (void *)((uint8_t *)segment.base + geometry.control_offset);
    /* relaxed: nobody is there. */
    uint64_t dropped = shmring_load64_relaxed(&control->dropped), until = tally->kills;

    member_count = 2 + (unsigned)(test_random(seed) % (SEATS - 1));
    for (unsigned seat = 0; seat < member_count; seat++)
        sit_down(seat, seed);
    for (until += KILLS_PER_CHECK; tally->kills < until && !is_ledger_full();) {
        kill_one(test_random(seed));
        sit_down(await_death(tally), seed);
    }
    for (unsigned seat = 0; seat < member_count; seat++)
        kill(members[seat].pid, SIGKILL); /* or its timer was faster */
    for (unsigned seat = 0; seat < member_count; seat++)
        await_death(tally);
    drain(tally, dropped);
    check_ledger(tally);
}

static void report(const struct tally *tally, double seconds)
{
    printf("%llu kills in %.1f s: %.0f/s; %llu attaching, %llu working, %llu holding, %llu leaving"
           " (and %llu before)\n",
           (unsigned long long)tally->kills, seconds, (double)tally->kills / seconds,
           (unsigned long long)tally->by_stage[ATTACHING],
           (unsigned long long)tally->by_stage[WORKING],
           (unsigned long long)tally->by_stage[HOLDING],
           (unsigned long long)tally->by_stage[LEAVING], (unsigned long long)tally->early);
    printf("%llu messages, %llu cut off at the commit, %llu redelivered, %llu dropped, %llu of "
           "them seen by nobody; %llu checks\n",
           (unsigned long long)tally->sent, (unsigned long long)tally->perhaps,
           (unsigned long long)tally->redelivered, (unsigned long long)tally->dropped,
           (unsigned long long)tally->missing, (unsigned long long)tally->checks);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    uint64_t seed = test_seed(argc, argv), amount = 10;
    bool by_time = argc <= 2 || argv[2][strlen(argv[2]) - 1] == 's';
    shmring_segment segments[RINGS];
    shmring_geometry geometries[RINGS];
    struct tally tally = {0};
    int64_t start = shmring_clock(), told = start;

    if (argc > 2)
        amount = strtoull(argv[2], NULL, 0);
    seats = mmap(NULL, SEATS * sizeof *seats, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                 -1, 0);
    CHECK(seats != MAP_FAILED);
    for (unsigned i = 0; i < RINGS; i++) {
        CHECK_EQ(shmring_layout_plan(SHMRING_KIND_MPMC, SMALL_MAX, UINT64_C(4) << i / 2 * 2,
                                     &geometries[i]), 0);
        geometries[i].options = i % 2 != 0 ? SHMRING_OPTION_REDELIVER : 0;
        CHECK_EQ(shmring_segment_create(&segments[i], NULL, &geometries[i], NULL), 0);
    }
    for (uint64_t done = 0; done < amount;) {
        uint64_t i = test_random(&seed) % RINGS;

        segment = segments[i];
        geometry = geometries[i];
        one_period(&seed, &tally);
        int64_t now = shmring_clock();

        done = by_time ? (uint64_t)(now - start) / 1000000000 : tally.kills;
        if (now - told > 60000000000) {
            report(&tally, (double)(now - start) / 1e9);
            told = now;
        }
    }
    report(&tally, (double)(shmring_clock() - start) / 1e9);
    CHECK(tally.kills > 100 && tally.sent > 1000);
    return 0;
}

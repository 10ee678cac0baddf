/* SPDX-License-Identifier: MIT */
/*
 * Claim: when either side is killed at a random moment, what arrived is a prefix of what was sent
 * and none of it is torn; everything that was committed arrives; the survivor is told; and a
 * successor carries on, on the same ring, 200 times.
 *
 * usage: spsc_kill [SEED [ROUNDS]]
 */
#include "../messages.h"

#include <sys/mman.h>
#include <time.h>

static const int64_t HANG_NS = 60000000000;

/* Outside the ring: what each side has done, as far as it got to note it. */
struct ledger {
    shmring_word64 committed; /* messages 0 to committed-1 were sent */
    shmring_word64 received;  /* messages 0 to received-1 were received */
    shmring_word64 told_at;   /* when the survivor got its error */
};

static struct ledger *ledger;
static char name[64];

static enum shmring_wait_policy policy_of(int round)
{
    return round % 4 < 2 ? SHMRING_WAIT_BLOCK : SHMRING_WAIT_SPIN;
}

/* Sends from the first number on, until count are sent or the receiver dies. */
static _Noreturn void run_sender(int round, uint64_t first, uint64_t count)
{
    shmring_channel_options options = {.size = sizeof options, .wait = policy_of(round)};
    shmring_sender tx;
    int error = 0;

    CHECK_EQ(shmring_sender_open(&tx, name, &options), 0);
    for (uint64_t number = first; number - first < count && error == 0; number++) {
        void *place;

        error = shmring_sender_reserve(&tx, MESSAGE_MAX, shmring_deadline(HANG_NS), &place);
        if (error != 0)
            break;
        message_write(place, number);
        CHECK(shmring_sender_commit(&tx, message_length(number), message_type(number)));
        shmring_store64_release(&ledger->committed, number + 1);
    }
    shmring_store64_release(&ledger->told_at, (uint64_t)shmring_clock());
    if (error == 0)
        shmring_sender_close(&tx);
    _exit(error == 0 ? 0 : error == -EOWNERDEAD ? 2 : 3);
}

/* Receives until the sender ends or dies. The first message may be one that was delivered before:
 * its receiver died before it gave it back. A successor may be told of the old sender's death. */
static _Noreturn void run_receiver(int round, bool is_successor)
{
    shmring_channel_options options = {.size = sizeof options, .wait = policy_of(round + 1)};
    uint64_t next = shmring_load64_acquire(&ledger->received);
    bool started = false;
    shmring_receiver rx;

    CHECK_EQ(shmring_receiver_open(&rx, name, &options), 0);
    for (;;) {
        const void *message;
        uint64_t length, number;
        uint32_t type;
        int error = shmring_receiver_peek(&rx, shmring_deadline(HANG_NS), &message, &length,
                                          &type);

        if (error == -EOWNERDEAD && is_successor) {
            is_successor = false;
            continue;
        }
        if (error != 0) {
            shmring_store64_release(&ledger->told_at, (uint64_t)shmring_clock());
            shmring_receiver_close(&rx);
            _exit(error == -EPIPE ? 0 : error == -EOWNERDEAD ? 2 : 3);
        }
        CHECK(length >= sizeof number);
        memcpy(&number, message, sizeof number);
        if (!started)
            CHECK(number <= next); /* again, but nothing is missing */
        else
            CHECK_EQ(number, next);
        started = true;
        CHECK(message_is(message, length, type, number));
        next = number + 1;
        if (next > shmring_load64_relaxed(&ledger->received))
            shmring_store64_release(&ledger->received, next);
        shmring_receiver_release(&rx);
    }
}

static void sleep_us(uint64_t us)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)us * 1000}, NULL);
}

/* One round: both run, one is killed; the survivor's delay is returned, in ns. */
static int64_t kill_one(int round, bool kill_sender, uint64_t *seed)
{
    uint64_t received = shmring_load64_acquire(&ledger->received);
    pid_t receiver, sender;

    shmring_store64_release(&ledger->committed, received);
    shmring_store64_release(&ledger->told_at, 0);
    sender = check_fork();
    if (sender == 0)
        run_sender(round, received, UINT64_MAX);
    receiver = check_fork();
    if (receiver == 0)
        run_receiver(round, false);
    while (shmring_load64_acquire(&ledger->received) == received)
        sleep_us(10);
    sleep_us(test_random(seed) % 3000);
    int64_t killed_at = shmring_clock();

    CHECK(kill(kill_sender ? sender : receiver, SIGKILL) == 0);
    CHECK_EQ(check_wait(kill_sender ? sender : receiver), -SIGKILL);
    CHECK_EQ(check_wait(kill_sender ? receiver : sender), 2);
    return (int64_t)shmring_load64_acquire(&ledger->told_at) - killed_at;
}

/* A successor of the dead one: receives all that is left, or sends something new and ends. */
static void carry_on(int round, bool sender_died)
{
    uint64_t committed = shmring_load64_acquire(&ledger->committed);
    uint64_t received = shmring_load64_acquire(&ledger->received);
    pid_t receiver, sender;

    if (sender_died) { /* the receiver has drained the ring; the ledger may lag by one */
        CHECK(received == committed || received == committed + 1);
        committed = received;
    }
    receiver = check_fork();
    if (receiver == 0)
        run_receiver(round, true);
    sender = check_fork();
    if (sender == 0)
        run_sender(round, committed, 1000);
    CHECK_EQ(check_wait(sender), 0);
    CHECK_EQ(check_wait(receiver), 0);
    CHECK_EQ(shmring_load64_acquire(&ledger->received), committed + 1000);
}

static void kill_many(uint64_t seed, int rounds)
{
    shmring_channel_options options = {.size = sizeof options, .capacity = 16384};
    int64_t worst = 0;
    int late = 0;

    ledger = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(ledger != MAP_FAILED);
    CHECK_EQ(shmring_channel_create(name, &options), 0);
    for (int round = 0; round < rounds; round++) {
        bool kill_sender = test_random(&seed) % 2 == 0;
        int64_t delay = kill_one(round, kill_sender, &seed);

        worst = delay > worst ? delay : worst;
        late += delay > 100000000;
        carry_on(round, kill_sender);
    }
    printf("%d kills, %llu messages; the survivor was told after %.1f ms at the latest, %d times "
           "after more than 100 ms\n",
           rounds, (unsigned long long)shmring_load64_acquire(&ledger->received),
           (double)worst / 1e6, late);
    CHECK(worst < HANG_NS); /* the rest depends on the load of the machine */
}

int main(int argc, char **argv)
{
    uint64_t seed = test_seed(argc, argv);

    snprintf(name, sizeof name, "shmring-test-kill-%d", (int)getpid());
    return test_and_remove(kill_many, seed, argc > 2 ? atoi(argv[2]) : 200, name);
}

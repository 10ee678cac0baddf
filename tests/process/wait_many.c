/* SPDX-License-Identifier: MIT */
/*
 * Claim: four senders and four receivers of one queue, all of which sleep for each other, lose and
 * double nothing, with each backend; and where some of them are killed while they sleep or work,
 * the others go on: what was sent arrives, and twice only if it is said to be redelivered.
 *
 * usage: wait_many [SEED]
 */
#include "../messages.h"

#include "../backends.h"
#include <sys/mman.h>
#include <time.h>

enum {
    SENDERS = 4,
    MEMBERS = 2 * SENDERS,
    NUMBERS = 1 << 18, /* of each sender */
    SLOTS = 8,
    MS = 1000, /* of each run, at most */
    KILLS = 60,
    PAUSE_US = 5000,
};

/* Beside the queue. Each word has one writer, or one at a time. */
static struct ledger {
    shmring_word32 is_over;
    shmring_word32 opened[MEMBERS];           /* the last process that has */
    shmring_word32 next[SENDERS];             /* the number that is about to be sent */
    shmring_word32 sent[SENDERS][NUMBERS];    /* 1: send has returned */
    shmring_word32 arrived[SENDERS][NUMBERS]; /* how often */
    shmring_word32 again[SENDERS][NUMBERS];   /* how often redelivered */
} *ledger;

static backend_ring ring;

static void count(shmring_word32 *word)
{
    shmring_store32_release(word, shmring_load32_acquire(word) + 1);
}

static bool is_over(void)
{
    return shmring_load32_acquire(&ledger->is_over) != 0;
}

/* Goes on where its predecessor was killed, which may have sent its last one, or not. */
static _Noreturn void send_all(uint32_t own)
{
    shmring_queue_sender tx;
    uint32_t number = shmring_load32_acquire(&ledger->next[own]);

    CHECK_EQ(backend_queue_sender_open(&tx, &ring, NULL), 0);
    shmring_store32_release(&ledger->opened[own], (uint32_t)getpid());
    for (number++; number < NUMBERS && !is_over(); number++) {
        shmring_store32_release(&ledger->next[own], number);
        CHECK_EQ(shmring_queue_send(&tx, &number, sizeof number, own, SHMRING_NEVER), 0);
        count(&ledger->sent[own][number]);
    }
    while (!is_over())
        usleep(PAUSE_US);
    shmring_queue_sender_close(&tx);
    _exit(0);
}

static void note(const shmring_mpmc_slot *slot, uint32_t last[SENDERS])
{
    uint32_t number, sender = slot->type;

    CHECK(sender < SENDERS && slot->length == sizeof number);
    memcpy(&number, slot->data, sizeof number);
    CHECK(number != 0 && number < NUMBERS);
    if (slot->redelivered) {
        count(&ledger->again[sender][number]);
    } else {
        CHECK(number > last[sender]); /* in order */
        last[sender] = number;
    }
    count(&ledger->arrived[sender][number]);
}

static _Noreturn void receive_all(uint32_t own)
{
    shmring_queue_receiver rx;
    shmring_mpmc_slot slot;
    uint32_t last[SENDERS] = {0};
    int error;

    CHECK_EQ(backend_queue_receiver_open(&rx, &ring, NULL), 0);
    shmring_store32_release(&ledger->opened[own], (uint32_t)getpid());
    for (;;) {
        error = shmring_queue_take(&rx, SHMRING_NEVER, &slot);
        if (error == 0) {
            note(&slot, last);
            CHECK_EQ(shmring_queue_release(&rx, &slot), 0);
            continue;
        }
        CHECK(error == -EPIPE || error == -EOWNERDEAD);
        if (is_over())
            break;
    }
    shmring_queue_receiver_close(&rx);
    _exit(0);
}

static pid_t begin_member(uint32_t i)
{
    pid_t pid = check_fork();

    if (pid != 0)
        return pid;
    alarm(100); /* it has hung */
    if (i < SENDERS)
        send_all(i);
    receive_all(i);
}

/* One of them after the other, at random; there is a new one at once. */
static void kill_some(pid_t pids[MEMBERS], uint64_t *seed)
{
    for (int i = 0; i < KILLS; i++) {
        uint32_t victim = (uint32_t)(test_random(seed) % MEMBERS);

        usleep((useconds_t)(test_random(seed) % (MS * 1000 / KILLS)));
        CHECK(kill(pids[victim], SIGKILL) == 0);
        int status = check_wait(pids[victim]);

        CHECK_EQ(status, -SIGKILL);
        pids[victim] = begin_member(victim);
    }
}

static void check_ledger(bool has_kills)
{
    uint32_t messages = 0, again = 0;

    for (uint32_t i = 0; i < SENDERS; i++)
        for (uint32_t number = 1; number < NUMBERS; number++) {
            uint32_t arrived = shmring_load32_acquire(&ledger->arrived[i][number]);
            uint32_t redelivered = shmring_load32_acquire(&ledger->again[i][number]);
            uint32_t sent = shmring_load32_acquire(&ledger->sent[i][number]);

            CHECK(arrived >= sent);
            CHECK(arrived <= 1 + redelivered);
            CHECK(has_kills || (redelivered == 0 && arrived == sent));
            messages += sent;
            again += redelivered;
        }
    printf("%s%s: %u messages, %u redelivered\n", backend_name(ring.backend),
           has_kills ? ", kills" : "", messages, again);
    CHECK(messages > 0);
}

static void run(enum shmring_backend backend, bool has_kills, uint64_t *seed)
{
    shmring_channel_options options = {.capacity = SLOTS, .slot_size = 8, .redeliver = true};
    shmring_queue_receiver observer; /* so that no sender finds that all receivers died */
    pid_t pids[MEMBERS];

    memset(ledger, 0, sizeof *ledger);
    CHECK_EQ(backend_ring_create(&ring, backend, true, options), 0);
    CHECK_EQ(backend_queue_receiver_open(&observer, &ring, NULL), 0);
    for (uint32_t i = 0; i < MEMBERS; i++)
        pids[i] = begin_member(i);
    if (has_kills)
        kill_some(pids, seed);
    else
        usleep(MS * 1000);
    for (uint32_t i = 0; i < MEMBERS; i++) /* who comes after the end is not told of it */
        while (shmring_load32_acquire(&ledger->opened[i]) != (uint32_t)pids[i])
            usleep(PAUSE_US);
    shmring_store32_release(&ledger->is_over, 1);
    for (uint32_t i = 0; i < MEMBERS; i++)
        CHECK_EQ(check_wait(pids[i]), 0);
    check_ledger(has_kills);
    shmring_queue_receiver_close(&observer);
    backend_ring_remove(&ring);
}

int main(int argc, char **argv)
{
    uint64_t seed = test_seed(argc, argv);
    pid_t child = check_fork();

    if (child == 0) {
        alarm(110);
        ledger = mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                      -1, 0);
        CHECK(ledger != MAP_FAILED);
        for (int i = 0; i < SHMRING_BACKENDS; i++) {
            run((enum shmring_backend)i, false, &seed);
            run((enum shmring_backend)i, true, &seed);
        }
        fflush(NULL);
        _exit(0);
    }
    int status = check_wait(child);

    backend_rings_remove_of(child);
    return status != 0;
}

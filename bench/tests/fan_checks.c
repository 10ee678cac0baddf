/* SPDX-License-Identifier: MIT */
/* Is it seen, in a fan, if a message is lost, comes twice, too early, or is not what was sent? */
#include "crowd/conduct.h"
#include "workloads/loops.h"

#include <setjmp.h>
#include <stdio.h>

enum { SIZE = 64, MESSAGES = 3, PRODUCERS = 2, ARRIVALS_MAX = 10 };

/* What arrives on one side, in this order. */
struct side {
    uint64_t messages[ARRIVALS_MAX][SIZE / 8];
    uint32_t count;
    uint32_t next;
};

static struct crowd crowd;
static struct side sides[PRODUCERS];
static jmp_buf caught;

void sample_wrong(const char *format, ...)
{
    (void)format;
    longjmp(caught, 1);
}

void sample_fail(const char *format, ...)
{
    (void)format;
    longjmp(caught, 2);
}

void sample_corrupt(uint64_t seq)
{
    (void)seq;
    longjmp(caught, 3);
}

static const void *side_next(void *opaque, uint32_t size)
{
    struct side *side = opaque;

    (void)size;
    return side->next < side->count ? side->messages[side->next] : NULL;
}

static void side_done(void *opaque, uint32_t size)
{
    (void)size;
    ((struct side *)opaque)->next++;
}

/* Nobody sends any more: who waits, waits for what was lost. */
static void side_sleep(void *opaque, uint32_t size)
{
    (void)opaque;
    (void)size;
    longjmp(caught, 4);
}

static const struct ops fake_ops = {.next = side_next, .done = side_done, .sleep = side_sleep};

static void arrive(struct side *side, uint64_t seq)
{
    payload_fill(side->messages[side->count++], seq, SIZE);
}

static uint64_t seq_of(uint64_t producer, uint64_t number)
{
    return producer << CROWD_NUMBER_BITS | number;
}

/* All messages of all producers, in turn, on one side for all or one for each. */
static void set_up(uint32_t side_count)
{
    memset(sides, 0, sizeof sides);
    for (uint64_t number = 0; number <= MESSAGES; number++)
        for (uint32_t producer = 0; producer < PRODUCERS; producer++)
            arrive(&sides[producer % side_count],
                   number < MESSAGES ? seq_of(producer, number) : PAYLOAD_END);
}

static void take_out(struct side *side, uint32_t at)
{
    memmove(side->messages[at], side->messages[at + 1],
            (side->count - at - 1) * sizeof side->messages[0]);
    side->count--;
}

/* What one consumer, or another after it, finds; 0: all is well. */
static int take(uint32_t producers, uint32_t consumers, uint32_t side_count, bool to_each)
{
    int found;

    memset(&crowd, 0, sizeof crowd);
    crowd.producers = producers;
    crowd.consumers = consumers;
    for (uint32_t i = 0; i < producers; i++)
        shmring_store64_relaxed(&crowd.members[i].messages, MESSAGES);
    if ((found = setjmp(caught)) != 0)
        return found;
    for (uint32_t i = 0; i < consumers; i++) {
        struct crowd_member *self = &crowd.members[producers + i];
        void *own[PRODUCERS] = {&sides[i], &sides[i + side_count - 1]};

        self->crowd = &crowd;
        self->size = SIZE;
        self->fifo = true;
        self->side_count = side_count;
        fan_take(&fake_ops, own, self);
    }
    crowd_check_books(&crowd, to_each);
    return 0;
}

static int expect(const char *what, bool good, int found)
{
    if ((found == 0) == good)
        return 0;
    printf("%s: %s\n", what, good ? "is refused" : "is not seen");
    return 1;
}

/* Into one consumer, through one channel for all or one for each. */
static int try_in(uint32_t side_count)
{
    int wrong = 0;

    set_up(side_count);
    wrong += expect("all messages", true, take(PRODUCERS, 1, side_count, false));
    for (uint32_t at = 0; at < sides[0].count - PRODUCERS; at++) {
        set_up(side_count);
        take_out(&sides[0], at);
        wrong += expect("a lost message", false, take(PRODUCERS, 1, side_count, false));
        set_up(side_count);
        memcpy(sides[0].messages[at + 1], sides[0].messages[at], SIZE);
        wrong += expect("a message twice", false, take(PRODUCERS, 1, side_count, false));
        for (size_t word = 0; word < SIZE / 8; word++) {
            set_up(side_count);
            sides[0].messages[at][word] ^= 1 << 8;
            wrong += expect("a changed word", false, take(PRODUCERS, 1, side_count, false));
        }
    }
    set_up(side_count);
    take_out(&sides[0], sides[0].count - 1);
    wrong += expect("a lost end", false, take(PRODUCERS, 1, side_count, false));
    set_up(side_count);
    sides[0].messages[sides[0].count - 1][1] ^= 1;
    wrong += expect("a changed end", false, take(PRODUCERS, 1, side_count, false));
    set_up(side_count);
    payload_fill(sides[0].messages[sides[0].count - 1], seq_of(PRODUCERS, 0), SIZE);
    arrive(&sides[0], PAYLOAD_END);
    wrong += expect("a message of nobody", false, take(PRODUCERS, 1, side_count, false));
    return wrong;
}

/* From one producer to two: each must have all, though together they have as many. */
static int try_out(void)
{
    int wrong = 0;

    memset(sides, 0, sizeof sides);
    for (uint64_t number = 0; number <= MESSAGES; number++)
        for (int i = 0; i < 2; i++)
            arrive(&sides[i], number < MESSAGES ? number : PAYLOAD_END);
    wrong += expect("a copy for each", true, take(1, 2, 1, true));
    sides[0].next = sides[1].next = 0;
    payload_fill(sides[1].messages[MESSAGES], MESSAGES, SIZE);
    arrive(&sides[1], PAYLOAD_END);
    take_out(&sides[0], MESSAGES - 1);
    wrong += expect("a copy less for one, and one more for another", false, take(1, 2, 1, true));
    return wrong;
}

int main(void)
{
    return try_in(1) + try_in(PRODUCERS) + try_out() != 0;
}

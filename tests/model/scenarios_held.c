/* SPDX-License-Identifier: MIT */
/* Slots that are held while the others go around the ring, and handles that the world is against.
 */
#include "scenarios.h"

#include "ring.h"

static void producer_holds(void)
{
    ring_make(2, 0, false);
    scenario_join(2, 1, false);
    ring_claim(0, 7);
}

static void producer_holds_bet(void)
{
    ring_make(2, 0, false);
    scenario_join(2, 1, true);
    ring_claim(0, 7);
}

static void consumer_holds(void)
{
    ring_make(2, 0, false);
    ring_join(0, SHMRING_ROLE_CONSUMER);
    ring_join(1, SHMRING_ROLE_PRODUCER);
    ring_join(2, SHMRING_ROLE_CONSUMER);
    ring_send(1, 7);
    ring_take(0);
}

static void both_held(void)
{
    ring_make(2, 0, false);
    scenario_join(3, 1, false);
    ring_claim(0, 7);
    ring_claim(1, 6);
}

/* A slot is held, and other producers are faster. */
static void held_and_raced(void)
{
    ring_make(2, 0, false);
    scenario_join(3, 1, false);
    ring_claim(0, 7);
}

static void commit_held(int me)
{
    ring_commit(me);
}

static void abort_held(int me)
{
    ring_abort(me);
}

static void release_held(int me)
{
    ring_release(me);
}

static void send_1_2(int me)
{
    ring_send(me, 1);
    ring_send(me, 2);
}

static void send_1(int me)
{
    ring_send(me, 1);
}

static void send_2(int me)
{
    ring_send(me, 2);
}

static void send_2_3(int me)
{
    ring_send(me, 2);
    ring_send(me, 3);
}

static void recv_3(int me)
{
    for (int i = 0; i < 3; i++)
        ring_recv(me);
}

static void recv_1(int me)
{
    ring_recv(me);
}

static void recv_2(int me)
{
    ring_recv(me);
    ring_recv(me);
}

static void finish_held(void)
{
    ring_commit(0);
    ring_finish();
}

/* As many as a consumer notes are claimed, and one more. */
static void many_held(void)
{
    shmring_mpmc_slot slot;

    ring_make(RING_SLOTS_MAX, 0, false);
    scenario_join(1, 1, false);
    ring_join(RING_HOLDER, SHMRING_ROLE_PRODUCER);
    for (int i = 0; i < SHMRING_MPMC_OPEN_MAX; i++)
        shmring_mpmc_claim(ring_producer(RING_HOLDER), &slot);
    ring_claim(0, 7);
}

static void commit_and_send(int me)
{
    ring_commit(me);
    ring_send(me, 1);
}

static void finish_many(void)
{
    shmring_mpmc_detach_producer(ring_producer(RING_HOLDER));
    ring_finish();
}

/* A claim is open where a hint is told. */
static void held_at_hint(void)
{
    ring_make(4, 7, false);
    scenario_join(2, 1, false);
    ring_claim(0, 7);
    ring_send(1, 6);
}

/* A claim that is not committed was noted, and the message behind it is too long. */
static void noted_and_too_long(void)
{
    ring_in_place();
    ring_make(4, 0, false);
    scenario_join(2, 1, true);
    ring_claim(0, 1);
    ring_send(1, 5);
    ring_recv_into(2, 2);
}

const struct scenario scenarios_held[] = {
    {"producer_holds", {.setup = producer_holds, .threads = {commit_held, send_1_2, recv_2}}},
    {"producer_holds_bet",
     {.setup = producer_holds_bet, .threads = {commit_held, send_1_2, recv_2}}},
    {"producer_aborts", {.setup = producer_holds, .threads = {abort_held, send_1_2, recv_2}}},
    {"consumer_holds", {.setup = consumer_holds, .threads = {release_held, send_1_2, recv_2}}},
    {"both_held", {.setup = both_held, .threads = {commit_held, abort_held, send_1}}},
    {"both_held_taken",
     {.setup = both_held, .threads = {commit_held, abort_held, NULL, recv_2}}},
    {"held_and_raced",
     {.setup = held_and_raced, .threads = {NULL, send_1, send_2, recv_1}, .finished = finish_held}},
    {"many_held",
     {.setup = many_held, .threads = {commit_and_send, recv_2}, .finished = finish_many}},
    {"held_at_hint", {.setup = held_at_hint, .threads = {commit_held, send_1, recv_2}}},
    {"noted_and_too_long",
     {.setup = noted_and_too_long, .threads = {commit_held, send_2_3, recv_3}}},
    {0},
};

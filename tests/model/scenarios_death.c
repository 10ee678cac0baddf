/* SPDX-License-Identifier: MIT */
/* Members that die at any step, and those who bury them. */
#include "scenarios.h"

#include "ring.h"

static void roles(uint64_t slots, bool redeliver, const char *is)
{
    ring_make(slots, 0, redeliver);
    for (int seat = 0; is[seat] != 0; seat++)
        if (is[seat] != '.')
            ring_join(seat, is[seat] == 'p' ? SHMRING_ROLE_PRODUCER : SHMRING_ROLE_CONSUMER);
}

static void producer_dies(void)
{
    roles(2, false, "pppc");
}

static void consumer_dies(void)
{
    roles(2, false, "cppc");
    ring_send(1, 7);
}

static void consumer_dies_redeliver(void)
{
    roles(2, true, "cppc");
    ring_send(1, 7);
}

static void consumer_dies_full(void)
{
    roles(2, true, "cppc");
    ring_send(1, 7);
    ring_send(1, 6);
}

static void recoverer_dies(void)
{
    roles(2, true, "cpcc");
    ring_send(1, 7);
    ring_take(0);
}

static void recoverer_of_producer_dies(void)
{
    roles(2, false, "pppc");
    ring_claim(0, 7);
}

/* It died with a message, and is not known to be dead. */
static void consumer_is_dead(void)
{
    ring_make(2, 0, true);
    scenario_join(2, 1, false);
    ring_join(RING_HOLDER, SHMRING_ROLE_CONSUMER);
    ring_send(0, 7);
    ring_take(RING_HOLDER);
    ring_died(RING_HOLDER);
}

static void producer_dies_carried(void)
{
    roles(2, false, "pppc");
    ring_claim(0, 7);
    ring_send(1, 6);
    ring_recv(3);
}

static bool is_0_dead(void)
{
    return explore_has_died(0);
}

static bool is_0_dead_and_1_gone(void)
{
    return explore_has_died(0) && (explore_has_died(1) || explore_has_ended(1));
}

static void recover_0(int me)
{
    explore_wait_until(is_0_dead);
    ring_recover(me);
}

static void recover_again(int me)
{
    explore_wait_until(is_0_dead_and_1_gone);
    ring_recover(me);
}

static void recover_0_and_send(int me)
{
    recover_0(me);
    ring_send(me, 3);
}

static void release_held(int me)
{
    ring_release(me);
}

static void commit_held(int me)
{
    ring_commit(me);
}

static void send_1(int me)
{
    ring_send(me, 1);
}

static void send_2(int me)
{
    ring_send(me, 2);
}

static void send_2_4(int me)
{
    ring_send(me, 2);
    ring_send(me, 4);
}

static void send_1_4(int me)
{
    ring_send(me, 1);
    ring_send(me, 4);
}

static void recover_now(int me)
{
    ring_recover(me);
}

static void recv_1(int me)
{
    ring_recv(me);
}

/* It may die while it reads. */
static void read_1(int me)
{
    uint32_t value = ring_take(me);

    explore_point("read", NULL);
    if (value != 0)
        ring_release(me);
}

static void recv_2(int me)
{
    ring_recv(me);
    ring_recv(me);
}

/* Seat 0 has claimed and lives, but has lost its lock. Its place is given to another, who claims.
 */
static void taken_for_dead(void)
{
    ring_sessions_matter();
    roles(2, false, "pp.c");
    ring_claim(0, 7);
    ring_take_for_dead(0);
}

static bool is_0_buried(void)
{
    return ring_is_buried(0);
}

static bool has_0_lost_it(void)
{
    return ring_is_buried(0) || ring_has_lost_slot(0);
}

static void commit_too_late(int me)
{
    explore_wait_until(has_0_lost_it);
    if (ring_commit(me) == 0)
        explore_fail("a slot was committed by who had lost it");
}

static void recover_and_send(int me)
{
    ring_recover(me);
    ring_send(me, 1);
}

static void join_and_send(int me)
{
    explore_wait_until(is_0_buried);
    ring_join(me, SHMRING_ROLE_PRODUCER);
    ring_send(me, 2);
}

const struct scenario scenarios_death[] = {
    {"producer_dies",
     {.setup = producer_dies,
      .threads = {send_1, recover_0, send_2, recv_1},
      .mortal = 1,
      .deaths = 1}},
    {"producer_dies_carried",
     {.setup = producer_dies_carried,
      .threads = {commit_held, recover_0, send_2, recv_1},
      .mortal = 1,
      .deaths = 1}},
    {"consumer_is_dead", {.setup = consumer_is_dead, .threads = {send_1_4, recover_now, recv_1}}},
    {"consumer_dies",
     {.setup = consumer_dies,
      .threads = {read_1, recover_0, send_2, recv_1},
      .mortal = 1,
      .deaths = 1}},
    {"consumer_dies_redeliver",
     {.setup = consumer_dies_redeliver,
      .threads = {read_1, recover_0, send_2, recv_1},
      .mortal = 1,
      .deaths = 1}},
    {"consumer_dies_full",
     {.setup = consumer_dies_full,
      .threads = {read_1, recover_0_and_send, NULL, recv_2},
      .mortal = 1,
      .deaths = 1}},
    {"recoverer_dies",
     {.setup = recoverer_dies,
      .threads = {release_held, recover_0, recover_again, recv_1},
      .mortal = 3,
      .deaths = 2}},
    {"recoverer_of_producer_dies",
     {.setup = recoverer_of_producer_dies,
      .threads = {commit_held, recover_0, recover_again, recv_1},
      .mortal = 3,
      .deaths = 2}},
    {"dead_are_passed",
     {.setup = consumer_dies_redeliver,
      .threads = {read_1, send_2_4, NULL, recv_1},
      .mortal = 1,
      .deaths = 1}},
    {"taken_for_dead",
     {.setup = taken_for_dead,
      .threads = {commit_too_late, recover_and_send, join_and_send, recv_1}}},
    {0},
};

/* SPDX-License-Identifier: MIT */
/* What producers and consumers see of each other while nobody holds a slot for long. */
#include "scenarios.h"

#include "ring.h"

enum {
    HINT_EVERY = 8, /* positions in a small ring */
};

void scenario_join(int producers, int consumers, bool bet)
{
    for (int seat = 0; seat < producers + consumers; seat++) {
        ring_join(seat, seat < producers ? SHMRING_ROLE_PRODUCER : SHMRING_ROLE_CONSUMER);
        if (bet)
            ring_bet(seat);
    }
}

static void two_and_two(void)
{
    ring_make(2, 0, false);
    scenario_join(2, 2, false);
}

static void two_and_one_bet(void)
{
    ring_make(2, 0, false);
    scenario_join(2, 1, true);
}

static void one_and_one_bet(void)
{
    ring_make(2, 0, false);
    scenario_join(1, 1, true);
}

static void send_1(int me)
{
    ring_send(me, 1);
}

static void send_2(int me)
{
    ring_send(me, 2);
}

static void send_3(int me)
{
    ring_send(me, 3);
}

static void send_4(int me)
{
    ring_send(me, 4);
}

static void send_1_4(int me)
{
    ring_send(me, 1);
    ring_send(me, 4);
}

static void send_1_to_3(int me)
{
    for (uint32_t value = 1; value <= 3; value++)
        ring_send(me, value);
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

static void recv_3(int me)
{
    recv_2(me);
    ring_recv(me);
}

static void one_and_two(void)
{
    ring_make(2, 0, false);
    scenario_join(1, 2, false);
}

static void one_and_two_bet(void)
{
    ring_make(2, 0, false);
    scenario_join(1, 2, true);
}

static void two_and_one(void)
{
    ring_make(4, 0, false);
    scenario_join(2, 1, false);
}

/* The last position before the hints are told. */
static void before_hint(void)
{
    ring_make(2, HINT_EVERY - 1, false);
    ring_join(0, SHMRING_ROLE_PRODUCER);
    ring_join(1, SHMRING_ROLE_CONSUMER);
}

static void before_hint_bet(void)
{
    ring_make(2, HINT_EVERY - 2, false);
    ring_join(0, SHMRING_ROLE_PRODUCER);
    ring_join(1, SHMRING_ROLE_CONSUMER);
    /* Without knowing the way, a bet is lost. */
    ring_send(0, 7);
    ring_recv(1);
    ring_bet(0);
    ring_bet(1);
}

static void join_and_send_3(int me)
{
    ring_join(me, SHMRING_ROLE_PRODUCER);
    ring_send(me, 3);
}

static void join_and_recv(int me)
{
    ring_join(me, SHMRING_ROLE_CONSUMER);
    ring_recv(me);
}

static void take_type_1(int me)
{
    if (ring_take_by(me, SHMRING_TAKE_EQUAL, 1) != 0)
        ring_release(me);
}

static void take_highest(int me)
{
    if (ring_take_by(me, SHMRING_TAKE_HIGHEST, 2) != 0)
        ring_release(me);
}

static void take_lowest(int me)
{
    if (ring_take_by(me, SHMRING_TAKE_LOWEST, 2) != 0)
        ring_release(me);
}

static void take_not_type_1(int me)
{
    if (ring_take_by(me, SHMRING_TAKE_EXCEPT, 1) != 0)
        ring_release(me);
    ring_recv(me);
}

static void recv_into_2(int me)
{
    ring_recv_into(me, 2);
}

static void recv_into_2_then_recv(int me)
{
    ring_recv_into(me, 2);
    ring_recv(me);
}

static void select_two(void)
{
    ring_in_place();
    ring_make(2, 0, false);
    scenario_join(2, 2, false);
}

/* A message of type 2, and before it a claim for one of type 1. */
static void select_open(void)
{
    ring_in_place();
    ring_make(4, 0, false);
    scenario_join(2, 2, false);
    ring_claim(0, 1);
    ring_send(1, 2);
}

static void commit(int me)
{
    ring_commit(me);
}

static void recv_into_1_then_recv(int me)
{
    ring_recv_into(me, 1);
    ring_recv(me);
}

static void two_messages_there(void)
{
    ring_in_place();
    ring_make(2, 0, false);
    scenario_join(2, 2, false);
    ring_send(0, 1);
    ring_send(0, 5);
}

const struct scenario scenarios_order[] = {
    {"two_and_two", {.setup = two_and_two, .threads = {send_1, send_2, recv_1, recv_1}}},
    {"two_and_one_bet", {.setup = two_and_one_bet, .threads = {send_1, send_2, recv_2}}},
    {"one_and_two_bet", {.setup = one_and_two_bet, .threads = {send_1_4, recv_1, recv_1}}},
    {"two_laps", {.setup = one_and_two, .threads = {send_1_to_3, recv_1, recv_1}}},
    {"two_laps_bet", {.setup = one_and_one_bet, .threads = {send_1_to_3, recv_3}}},
    {"order_of_each", {.setup = two_and_one, .threads = {send_1_4, send_2, recv_3}}},
    {"late_producer", {.setup = before_hint, .threads = {send_1, recv_1, join_and_send_3}}},
    {"late_producer_bet", {.setup = before_hint_bet, .threads = {send_1, recv_1, join_and_send_3}}},
    {"late_consumer", {.setup = before_hint, .threads = {send_1_4, recv_1, join_and_recv}}},
    {"take_equal", {.setup = select_two, .threads = {send_1, send_2, take_type_1}}},
    {"take_equal_open", {.setup = select_open, .threads = {commit, NULL, take_type_1, recv_1}}},
    {"take_highest", {.setup = select_open, .threads = {commit, send_4, take_highest}}},
    {"take_lowest", {.setup = two_messages_there, .threads = {send_2, NULL, take_lowest, recv_1}}},
    {"take_except", {.setup = select_two, .threads = {send_1_4, send_3, take_not_type_1}}},
    {"too_long", {.setup = select_two, .threads = {send_1_4, NULL, recv_into_2_then_recv, recv_1}}},
    {"too_long_open", {.setup = select_open, .threads = {commit, NULL, recv_into_1_then_recv}}},
    {"too_long_gone",
     {.setup = two_messages_there, .threads = {send_3, NULL, recv_into_2, recv_1}}},
    {0},
};

/* SPDX-License-Identifier: MIT */
#include "ring_state.h"

#include <string.h>

static void own(int me, const char *how)
{
    uint32_t idx = ring_seats[me].slot.idx;

    if (ring_seen.owner[idx] != 0)
        explore_fail("seat %d %s slot %u, which seat %d has", me, how, idx,
                     ring_seen.owner[idx] - 1);
    ring_seen.owner[idx] = (uint8_t)(me + 1);
}

bool ring_claim(int me, uint32_t value)
{
    struct ring_seat *seat = &ring_seats[me];

    spec_send_called(me, value);
    ring_seen.claiming[me] = ring_is_full() ? 2 : 1;
    bool claimed = shmring_mpmc_claim(&seat->producer, &seat->slot);

    if (!claimed) {
        if (shmring_mpmc_error(&seat->producer.side) != 0)
            explore_fail("seat %d: error %d", me, shmring_mpmc_error(&seat->producer.side));
        if (ring_seen.claiming[me] != 2)
            explore_fail("seat %d: full, which it never was", me);
        spec_send_returned(me, false);
    } else {
        own(me, "claims");
        seat->value = value;
        memset(seat->slot.data, (int)value, RING_SLOT_SIZE);
        spec_claim_returned(me);
    }
    ring_seen.claiming[me] = 0;
    ring_called(me);
    return claimed;
}

int ring_commit(int me)
{
    struct ring_seat *seat = &ring_seats[me];
    uint32_t idx = seat->slot.idx;

    if (ring_seen.owner[idx] == me + 1)
        ring_seen.owner[idx] = 0;
    spec_commit_called(me);
    int error =
        shmring_mpmc_commit(&seat->producer, &seat->slot, seat->value, ring_type(seat->value));

    if (error != 0 && error != -ESTALE)
        explore_fail("seat %d: commit says %d", me, error);
    spec_send_returned(me, error == 0);
    seat->slot = (shmring_mpmc_slot){0};
    ring_called(me);
    return error;
}

void ring_abort(int me)
{
    struct ring_seat *seat = &ring_seats[me];

    ring_seen.owner[seat->slot.idx] = 0;
    int error = shmring_mpmc_abort(&seat->producer, &seat->slot);

    if (error != 0)
        explore_fail("seat %d: abort says %d", me, error);
    spec_send_returned(me, false);
    seat->slot = (shmring_mpmc_slot){0};
    ring_called(me);
}

bool ring_send(int me, uint32_t value)
{
    return ring_claim(me, value) && ring_commit(me) == 0;
}

static uint32_t check_message(int me)
{
    struct ring_seat *seat = &ring_seats[me];
    uint32_t value = *(uint8_t *)seat->slot.data;
    uint64_t want;

    memset(&want, (int)value, sizeof want);
    if (value == 0 || value > SPEC_VALUES || memcmp(seat->slot.data, &want, RING_SLOT_SIZE) != 0)
        explore_fail("seat %d: what it took was never sent", me);
    if (seat->slot.length != value || seat->slot.type != ring_type(value))
        explore_fail("seat %d: message %u with length %u and type %u", me, value, seat->slot.length,
                     seat->slot.type);
    return value | (seat->slot.redelivered ? SPEC_REDELIVERED : 0);
}

static uint32_t taken(int me, bool is)
{
    struct ring_seat *seat = &ring_seats[me];
    uint32_t value = 0;

    if (is) {
        own(me, "takes");
        value = check_message(me);
    } else if (shmring_mpmc_error(&seat->consumer.side) != 0) {
        explore_fail("seat %d: error %d", me, shmring_mpmc_error(&seat->consumer.side));
    }
    spec_take_returned(me, value);
    seat->value = 0;
    ring_called(me);
    return value;
}

uint32_t ring_take(int me)
{
    spec_take_called(me, UINT32_MAX, NULL, UINT32_MAX);
    return taken(me, shmring_mpmc_take(&ring_seats[me].consumer, &ring_seats[me].slot));
}

uint32_t ring_take_by(int me, enum shmring_mpmc_wish wish, uint32_t wish_type)
{
    static uint8_t highest[SPEC_VALUES + 1], lowest[SPEC_VALUES + 1];
    const uint8_t *rank = wish == SHMRING_TAKE_HIGHEST  ? highest
                          : wish == SHMRING_TAKE_LOWEST ? lowest
                                                        : NULL;
    uint32_t wanted = 0;

    for (uint32_t value = 1; value <= SPEC_VALUES; value++) {
        uint32_t type = ring_type(value);
        bool is = wish == SHMRING_TAKE_EQUAL     ? type == wish_type
                  : wish == SHMRING_TAKE_EXCEPT  ? type != wish_type
                  : wish == SHMRING_TAKE_LOWEST  ? type <= wish_type
                  : wish == SHMRING_TAKE_HIGHEST ? type >= wish_type
                                                 : true;
        wanted |= (uint32_t)is << value;
        highest[value] = (uint8_t)type;
        lowest[value] = (uint8_t)(UINT8_MAX - type);
    }
    spec_take_called(me, wanted, rank, UINT32_MAX);
    return taken(
        me, shmring_mpmc_take_by(&ring_seats[me].consumer, wish, wish_type, &ring_seats[me].slot));
}

void ring_release(int me)
{
    struct ring_seat *seat = &ring_seats[me];

    ring_seen.owner[seat->slot.idx] = 0;
    spec_release_called(me);
    int error = shmring_mpmc_release(&seat->consumer, &seat->slot);

    if (error != 0)
        explore_fail("seat %d: release says %d", me, error);
    spec_release_returned(me);
    seat->slot = (shmring_mpmc_slot){0};
    ring_called(me);
}

uint32_t ring_recv(int me)
{
    uint32_t value = ring_take(me);

    if (value != 0)
        ring_release(me);
    return value;
}

int ring_recv_into(int me, uint32_t buffer_size)
{
    struct ring_seat *seat = &ring_seats[me];
    uint8_t buffer[RING_SLOT_SIZE];
    shmring_mpmc_slot slot = {0};

    spec_take_called(me, UINT32_MAX, NULL, buffer_size);
    int error = shmring_mpmc_recv(&seat->consumer, buffer, buffer_size, &slot);

    if (error != 0 && error != -EAGAIN && error != -EMSGSIZE)
        explore_fail("seat %d: recv says %d", me, error);
    spec_take_returned(me, error == -EAGAIN ? 0 : slot.length);
    if (error == 0)
        spec_release_returned(me);
    ring_called(me);
    return error;
}

void ring_recover(int me)
{
    int buried = shmring_mpmc_recover(ring_side(me));

    if (buried < 0)
        explore_fail("seat %d: recover says %d", me, buried);
    ring_called(me);
}

/* SPDX-License-Identifier: MIT */
/*
 * Claim: channels take turns: between two turns of a channel that has messages every other one has
 * at most one, and a turn ends after the channel's own budget, in messages or bytes. A channel that
 * was idle gets its turn while others flood.
 */
#include "../messages.h"

#include "../hub.h"

enum {
    FLOODERS = 3,
    SLOW = FLOODERS, /* the last one */
    CHANNELS = FLOODERS + 1,
    ROUNDS = 200,
    BUDGET = 20,
    LONG_IDLE = 1000 * FLOODERS * BUDGET, /* messages of others, until the slow one is armed */
    IDLE_ROUNDS = 3,
};

static shmring_link links[CHANNELS];
static uint64_t ids[CHANNELS];
static uint64_t handled[CHANNELS];
static uint64_t since_slow[FLOODERS];   /* messages of the flooders */
static int order[CHANNELS], turn_count; /* of one round */
static bool slow_is_idle;
static int until_slow; /* messages of flooders until the slow one puts one; 0: it does not */

static int channel_of(uint64_t id)
{
    for (int i = 0; i < CHANNELS; i++)
        if (ids[i] == id)
            return i;
    return -1;
}

static bool put(int channel)
{
    return shmring_sender_send(&links[channel].sender, &channel, sizeof channel, 0, SHMRING_NOW) ==
           0;
}

/* A flooder puts a message in place of each that is taken; the slow one has one at a time. */
static void handle(shmring_hub *hub, const shmring_hub_event *event, void *argument)
{
    int channel = channel_of(event->id);

    (void)argument;
    if (event->kind == SHMRING_HUB_JOINED) {
        *(uint64_t *)argument = event->id;
        return;
    }
    CHECK_EQ(event->kind, SHMRING_HUB_MESSAGE);
    if (turn_count == 0 || order[turn_count - 1] != channel)
        order[turn_count < CHANNELS ? turn_count++ : CHANNELS - 1] = channel;
    handled[channel]++;
    if (channel != SLOW) {
        since_slow[channel]++;
        put(channel);
        if (until_slow != 0 && --until_slow == 0)
            put(SLOW);
        if (!slow_is_idle)
            CHECK(since_slow[channel] <= BUDGET);
        return;
    }
    memset(since_slow, 0, sizeof since_slow);
    if (!slow_is_idle && handled[SLOW] < ROUNDS)
        put(SLOW);
    else
        shmring_hub_cancel(hub);
}

static shmring_hub *open_hub(void)
{
    const shmring_hub_options options = {.limits = {.budget = BUDGET}};
    shmring_hub *hub = hub_open_with(options);

    for (int i = 0; i < CHANNELS; i++) {
        shmring_handshake handshake;
        int error;

        CHECK_EQ(shmring_handshake_connect(&handshake, hub_path, NULL), 0);
        do
            shmring_hub_dispatch(hub, handle, &ids[i], SHMRING_NOW);
        while ((error = shmring_handshake_step(&handshake, &links[i])) == -EAGAIN);
        CHECK_EQ(error, 0);
        while (ids[i] == 0)
            shmring_hub_dispatch(hub, handle, &ids[i], SHMRING_NOW);
    }
    return hub;
}

static void round_is_one_turn_for_each(shmring_hub *hub)
{
    for (int channel = 0; channel < FLOODERS; channel++)
        for (int i = 0; i < 10 * BUDGET; i++)
            CHECK(put(channel));
    put(SLOW);
    turn_count = 0;
    slow_is_idle = true; /* does not put another */
    CHECK_EQ(shmring_hub_dispatch(hub, handle, NULL, SHMRING_NOW), -ECANCELED);
    shmring_hub_resume(hub);
    CHECK_EQ(turn_count, CHANNELS);
    for (int channel = 0; channel < FLOODERS; channel++)
        CHECK_EQ(handled[channel], BUDGET);
    CHECK_EQ(handled[SLOW], 1);
    slow_is_idle = false;
}

static void slow_channel_has_its_turn_in_each_round(shmring_hub *hub)
{
    handled[SLOW] = 0;
    put(SLOW);
    CHECK_EQ(shmring_hub_dispatch(hub, handle, NULL, shmring_deadline(HUB_HANG_NS)), -ECANCELED);
    shmring_hub_resume(hub);
    CHECK_EQ(handled[SLOW], ROUNDS);
}

static void idle_channel_has_its_turn_while_others_flood(shmring_hub *hub)
{
    slow_is_idle = true;
    for (int i = 0; i < IDLE_ROUNDS; i++) {
        handled[SLOW] = 0;
        until_slow = LONG_IDLE;
        CHECK_EQ(shmring_hub_dispatch(hub, handle, NULL, shmring_deadline(HUB_HANG_NS)),
                 -ECANCELED);
        shmring_hub_resume(hub);
        CHECK_EQ(handled[SLOW], 1);
    }
}

static void budget_is_the_channels_own(shmring_hub *hub)
{
    const shmring_hub_limits three = {.budget = 3};
    const shmring_hub_limits two = {.budget = 1000, .budget_size = 2 * sizeof(int)};
    const shmring_hub_limits wrong = {.full_ns = -1};

    CHECK_EQ(shmring_hub_limit(hub, ids[0], &three), 0);
    CHECK_EQ(shmring_hub_limit(hub, ids[1], &two), 0);
    CHECK_EQ(shmring_hub_limit(hub, ids[1], &wrong), -EINVAL);
    CHECK_EQ(shmring_hub_limit(hub, 0, &two), -ENOENT);
    memset(handled, 0, sizeof handled);
    CHECK_EQ(shmring_hub_dispatch(hub, handle, NULL, SHMRING_NOW), -ETIMEDOUT);
    CHECK_EQ(handled[0], 3);
    CHECK_EQ(handled[1], 2);
    CHECK_EQ(handled[2], BUDGET);
}

int main(void)
{
    hub_make_path();
    const hub_holdings before = hub_hold();
    shmring_hub *hub = open_hub();

    round_is_one_turn_for_each(hub);
    slow_channel_has_its_turn_in_each_round(hub);
    idle_channel_has_its_turn_while_others_flood(hub);
    budget_is_the_channels_own(hub);
    for (int i = 0; i < CHANNELS; i++)
        shmring_link_close(&links[i]);
    hub_close_and_check(hub, &before);
    hub_remove_path();
    return 0;
}

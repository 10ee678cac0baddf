/* SPDX-License-Identifier: MIT */
/*
 * Claim: a channel that has ended stays mapped for as long as a thread may be looking it up, or
 * sends to it, and no longer; who dispatches does not wait for that. Its place is free at once, but
 * no more clients come in once as many wait to be unmapped as may be there.
 */
#include "../messages.h"

#include "../hub.h"
#include <urcu/urcu-memb.h>

enum { MAPPINGS = 2 }; /* of one side of a link */

static uint64_t joined_id;
static int joins, ends;

static void note(shmring_hub *hub, const shmring_hub_event *event, void *argument)
{
    (void)hub;
    (void)argument;
    if (event->kind == SHMRING_HUB_JOINED) {
        joined_id = event->id;
        joins++;
    } else {
        CHECK_EQ(event->kind, SHMRING_HUB_LEFT);
        ends++;
    }
}

static shmring_word32 is_reading, may_go_on;

/* Any reader of the process will do: it could be in the hub. */
static void *read_for_long(void *argument)
{
    (void)argument;
    urcu_memb_register_thread();
    urcu_memb_read_lock();
    shmring_store32_release(&is_reading, 1);
    while (shmring_load32_acquire(&may_go_on) == 0)
        usleep(1000);
    urcu_memb_read_unlock();
    urcu_memb_unregister_thread();
    return NULL;
}

static bool send_for_long(uint64_t id, const shmring_link_peer *peer, void *argument)
{
    (void)argument;
    shmring_store32_release(&is_reading, 1);
    while (shmring_load32_acquire(&may_go_on) == 0)
        usleep(1000);
    CHECK_EQ(id, joined_id);
    CHECK_EQ(peer->pid, getpid());
    return true;
}

static void *send_to_all(void *argument)
{
    shmring_hub_sent sent;

    CHECK_EQ(shmring_hub_send_all(argument, "x", 1, 0, send_for_long, NULL, &sent), 0);
    CHECK_EQ(sent.sent + sent.dropped, 0);
    return NULL;
}

static void leave(shmring_hub *hub, shmring_link *link)
{
    int before = ends;

    shmring_link_close(link);
    CHECK_EQ(shmring_hub_dispatch(hub, note, NULL, SHMRING_NOW), -ETIMEDOUT);
    CHECK_EQ(ends, before + 1);
    CHECK_EQ(shmring_hub_send(hub, joined_id, "", 0, 0, SHMRING_NOW), -ENOENT);
}

static void check_unmapping(shmring_hub *hub, uint32_t count)
{
    shmring_hub_stats stats;

    CHECK_EQ(shmring_hub_get_stats(hub, &stats), 0);
    CHECK_EQ(stats.channels, 0);
    CHECK_EQ(stats.unmapping, count);
    CHECK_EQ(hub_hold().mappings, (int)count * MAPPINGS);
}

/* One leaves while another thread does that. */
static void it_stays_mapped_during(void *(*function)(void *argument), shmring_hub *hub)
{
    shmring_link link = hub_connect_here(hub, note);
    pthread_t thread;

    shmring_store32_release(&is_reading, 0);
    shmring_store32_release(&may_go_on, 0);
    CHECK(pthread_create(&thread, NULL, function, hub) == 0);
    while (shmring_load32_acquire(&is_reading) == 0)
        usleep(1000);
    leave(hub, &link);
    usleep(200000); /* liburcu's thread gathers for some time */
    check_unmapping(hub, 1);
    shmring_store32_release(&may_go_on, 1);
    CHECK(pthread_join(thread, NULL) == 0);
    hub_await_unmapped(hub);
    check_unmapping(hub, 0);
}

static void its_place_is_free_but_not_for_ever(shmring_hub *hub, uint32_t channels)
{
    shmring_hub_stats stats = {0};
    pthread_t thread;

    shmring_store32_release(&is_reading, 0);
    shmring_store32_release(&may_go_on, 0);
    CHECK(pthread_create(&thread, NULL, read_for_long, NULL) == 0);
    while (shmring_load32_acquire(&is_reading) == 0)
        usleep(1000);
    for (uint32_t i = 0; i < channels; i++) {
        shmring_link link = hub_connect_here(hub, note);

        leave(hub, &link);
    }
    check_unmapping(hub, channels);
    int before = joins;
    shmring_link refused = hub_connect_here(hub, note);

    CHECK_EQ(shmring_hub_get_stats(hub, &stats), 0);
    CHECK_EQ(stats.refused, 1);
    CHECK_EQ(joins, before);
    shmring_link_close(&refused);
    shmring_store32_release(&may_go_on, 1);
    CHECK(pthread_join(thread, NULL) == 0);
    hub_await_unmapped(hub);
    shmring_link link = hub_connect_here(hub, note);

    CHECK_EQ(joins, before + 1);
    leave(hub, &link);
}

int main(void)
{
    enum { CHANNELS = 2 };

    hub_make_path();
    const hub_holdings before = hub_hold();
    shmring_hub *hub = hub_open_with((shmring_hub_options){.channels = CHANNELS});

    it_stays_mapped_during(read_for_long, hub);
    it_stays_mapped_during(send_to_all, hub);
    its_place_is_free_but_not_for_ever(hub, CHANNELS);
    hub_close_and_check(hub, &before);
    hub_remove_path();
    return 0;
}

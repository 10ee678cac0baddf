/* SPDX-License-Identifier: MIT */
/*
 * Claim: close while threads are in dispatch, in control and waiting in send ends all of these with
 * -ECANCELED, waits for a handler that runs, and leaves nothing behind. A handler can neither close
 * its hub nor dispatch. Cancel ends waits until resume, and signals end them with -EINTR.
 */
#include "../messages.h"

#include "../hub.h"

enum { DISPATCHERS = 3, ROUNDS = 10 };

static shmring_link client;
static uint64_t id;
static shmring_word32 inside_handler, handler_done;

static void handle(shmring_hub *hub, const shmring_hub_event *event, void *argument)
{
    (void)argument;
    if (event->kind == SHMRING_HUB_JOINED)
        id = event->id;
    if (event->kind != SHMRING_HUB_MESSAGE)
        return;
    CHECK_EQ(shmring_hub_close(hub), -EDEADLK);
    CHECK_EQ(shmring_hub_dispatch(hub, handle, NULL, SHMRING_NOW), -EDEADLK);
    CHECK_EQ(shmring_hub_control(hub, SHMRING_NOW), -EDEADLK);
    shmring_store32_release(&inside_handler, 1);
    usleep(20000);
    shmring_store32_release(&handler_done, 1);
}

static void *dispatch(void *argument)
{
    CHECK_EQ(shmring_hub_dispatch(argument, handle, NULL, SHMRING_NEVER), -ECANCELED);
    return NULL;
}

static void *control(void *argument)
{
    CHECK_EQ(shmring_hub_control(argument, SHMRING_NEVER), -ECANCELED);
    return NULL;
}

static void *wait_for_room(void *argument)
{
    int error;

    do
        error = shmring_hub_send(argument, id, "", 0, 0, SHMRING_NEVER);
    while (error == 0);
    CHECK_EQ(error, -ECANCELED);
    return NULL;
}

/* Opens a hub with one client, which never reads. */
static shmring_hub *open_hub(bool control_apart)
{
    shmring_hub *hub = hub_open_with(
        (shmring_hub_options){.control_apart = control_apart, .link = {.capacity = 4096}});
    shmring_handshake handshake;
    int error;

    CHECK_EQ(shmring_handshake_connect(&handshake, hub_path, NULL), 0);
    do
        CHECK_EQ(shmring_hub_control(hub, SHMRING_NOW), -ETIMEDOUT);
    while ((error = shmring_handshake_step(&handshake, &client)) == -EAGAIN);
    CHECK_EQ(error, 0);
    for (id = 0; id == 0;)
        CHECK_EQ(shmring_hub_dispatch(hub, handle, NULL, SHMRING_NOW), -ETIMEDOUT);
    return hub;
}

static void close_ends_all_that_are_inside(bool control_apart, const hub_holdings *before)
{
    pthread_t threads[DISPATCHERS + 3];
    shmring_hub *hub = open_hub(control_apart);

    shmring_store32_release(&inside_handler, 0);
    shmring_store32_release(&handler_done, 0);
    for (int i = 0; i < DISPATCHERS; i++)
        CHECK(pthread_create(&threads[i], NULL, dispatch, hub) == 0);
    for (int i = DISPATCHERS; i < DISPATCHERS + 2; i++)
        CHECK(pthread_create(&threads[i], NULL, wait_for_room, hub) == 0);
    CHECK(pthread_create(&threads[DISPATCHERS + 2], NULL, control, hub) == 0);
    usleep(20000);
    CHECK_EQ(shmring_sender_send(&client.sender, "", 0, 0, SHMRING_NOW), 0);
    while (shmring_load32_acquire(&inside_handler) == 0)
        usleep(100);
    CHECK_EQ(shmring_hub_close(hub), 0);
    CHECK_EQ(shmring_load32_acquire(&handler_done), 1);
    for (int i = 0; i < DISPATCHERS + 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    shmring_link_close(&client);
    hub_holdings after = hub_hold();

    CHECK_EQ(after.descriptors, before->descriptors);
    CHECK_EQ(after.mappings, before->mappings);
}

static void cancel_lasts_until_resume(const hub_holdings *before)
{
    shmring_hub *hub = open_hub(false);

    shmring_hub_cancel(hub);
    CHECK_EQ(shmring_hub_dispatch(hub, handle, NULL, SHMRING_NEVER), -ECANCELED);
    CHECK_EQ(shmring_hub_dispatch(hub, handle, NULL, SHMRING_NOW), -ECANCELED);
    CHECK_EQ(shmring_hub_control(hub, SHMRING_NEVER), -ECANCELED);
    CHECK_EQ(shmring_hub_send(hub, id, "", 0, 0, SHMRING_NEVER), 0); /* there is room */
    wait_for_room(hub);
    CHECK_EQ(shmring_hub_send(hub, id, "", 0, 0, SHMRING_NOW), -ETIMEDOUT);
    shmring_hub_resume(hub);
    CHECK_EQ(shmring_hub_dispatch(hub, handle, NULL, SHMRING_NOW), -ETIMEDOUT);
    CHECK_EQ(shmring_hub_control(hub, shmring_deadline(1000000)), -ETIMEDOUT);
    shmring_link_close(&client);
    hub_close_and_check(hub, before);
}

static void on_signal(int number)
{
    (void)number;
}

static shmring_word32 enough_signals;

/* Again and again: one may come just before the sleep. */
static void *send_signals(void *argument)
{
    const pthread_t *target = argument;

    while (shmring_load32_acquire(&enough_signals) == 0) {
        usleep(10000);
        pthread_kill(*target, SIGUSR1);
    }
    return NULL;
}

static void signal_ends_a_sleep(const hub_holdings *before)
{
    const struct sigaction action = {.sa_handler = on_signal};
    shmring_hub *hub = open_hub(false);
    pthread_t thread, self = pthread_self();
    int error;

    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(pthread_create(&thread, NULL, send_signals, &self) == 0);
    CHECK_EQ(shmring_hub_dispatch(hub, handle, NULL, SHMRING_NEVER), -EINTR);
    CHECK_EQ(shmring_hub_control(hub, SHMRING_NEVER), -EINTR);
    do
        error = shmring_hub_send(hub, id, "", 0, 0, SHMRING_NEVER);
    while (error == 0);
    CHECK_EQ(error, -EINTR);
    shmring_store32_release(&enough_signals, 1);
    CHECK(pthread_join(thread, NULL) == 0);
    shmring_link_close(&client);
    hub_close_and_check(hub, before);
}

int main(void)
{
    hub_make_path();
    const hub_holdings before = hub_hold();

    CHECK_EQ(shmring_hub_close(NULL), 0);
    for (int i = 0; i < ROUNDS; i++)
        close_ends_all_that_are_inside(i % 2 != 0, &before);
    cancel_lasts_until_resume(&before);
    signal_ends_a_sleep(&before);
    hub_remove_path();
    return 0;
}

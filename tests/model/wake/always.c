/* SPDX-License-Identifier: MIT */
/* One to one: the sender leaves, which moves no position, and wakes whoever sleeps for one. */
#include "wake.h"

static void *publisher(void *unused)
{
    (void)unused;
    publish(1);
    /* as shmring_sender_close() does */
    shmring_store32_release(&producer.session, 1);
    shmring_wake_always(&waker);
    return NULL;
}

static bool has_left(void)
{
    return shmring_load32_acquire(&producer.session) != 0;
}

static bool sees_the_end(void)
{
    uint32_t ticket = shmring_wait_arm(&sleeper, 2);

    if (!has_come_to(2) && !has_left())
        shmring_wait_sleep(&sleeper, ticket, SHMRING_NEVER);
    shmring_wait_disarm(&sleeper);
    return has_left();
}

static void *receiver(void *unused)
{
    (void)unused;
    bool done = sees_the_end() || sees_the_end() || sees_the_end();

    assert(done && has_come_to(1));
    return NULL;
}

int main(void)
{
    waiters_begin();
    run(publisher, receiver, NULL);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "shmring/queue.h"

static void of_channel(const shmring_spsc_side *side, const shmring_waiter *waiter,
                       const shmring_pace *pace, shmring_stats *ret_stats)
{
    *ret_stats = (shmring_stats){
        .messages = pace->done,
        .used_guess = side->own != NULL ? shmring_spsc_used_guess(side) : 0,
        .capacity = side->capacity,
        .sleeps = waiter->sleeps,
        .wakes = waiter->wakes,
    };
}

void shmring_sender_stats(const shmring_sender *sender, shmring_stats *ret_stats)
{
    of_channel(&sender->producer.side, &sender->waiter, &sender->pace, ret_stats);
}

void shmring_receiver_stats(const shmring_receiver *receiver, shmring_stats *ret_stats)
{
    of_channel(&receiver->consumer.side, &receiver->waiter, &receiver->pace, ret_stats);
}

/* sleeps: of the eventcount that it sleeps on; it may wake others on both, for the baton. */
static void of_queue(const shmring_mpmc_side *side, uint64_t done, uint64_t sleeps, uint64_t wakes,
                     shmring_stats *ret_stats)
{
    bool is_open = side->entries != NULL;

    *ret_stats = (shmring_stats){
        .messages = done,
        .used_guess = is_open ? shmring_mpmc_used_guess(side) : 0,
        .capacity = is_open ? side->mask + 1 : 0,
        .sleeps = sleeps,
        .wakes = wakes,
    };
}

void shmring_queue_sender_stats(const shmring_queue_sender *sender, shmring_stats *ret_stats)
{
    of_queue(&sender->producer.side, sender->pace.done, sender->room.sleeps,
             sender->room.wakes + sender->messages.wakes, ret_stats);
}

void shmring_queue_receiver_stats(const shmring_queue_receiver *receiver, shmring_stats *ret_stats)
{
    of_queue(&receiver->consumer.side, receiver->pace.done, receiver->messages.sleeps,
             receiver->room.wakes + receiver->messages.wakes, ret_stats);
}

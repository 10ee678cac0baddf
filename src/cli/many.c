/* SPDX-License-Identifier: MIT */
/* A ring of many: what the channel does for a ring of two, as far as send and recv need it. */
#include "cli.h"

#include <errno.h>
#include <string.h>

int cli_many_open(struct cli_many *many, const char *name, const shmring_channel_options *options,
                  enum shmring_member_role role)
{
    shmring_geometry *geometry = &many->geometry;
    int error = shmring_segment_open(&many->segment, name, &options->segment, geometry);

    if (error != 0)
        return error;
    uint8_t *memory = many->segment.base;
    if (geometry->kind != SHMRING_KIND_MPMC) {
        error = -EPROTOTYPE;
    } else {
        many->poll.wait = options->wait;
        many->crew.records = (const void *)(memory + geometry->members_offset);
        many->crew.fd = many->segment.fd;
        many->crew.role =
            role == SHMRING_ROLE_PRODUCER ? SHMRING_ROLE_CONSUMER : SHMRING_ROLE_PRODUCER;
        many->crew.ring = role == SHMRING_ROLE_CONSUMER ? name : NULL;
        cli_crew_look(&many->crew); /* before we attach, which buries the dead */
        if (role == SHMRING_ROLE_PRODUCER)
            error =
                shmring_mpmc_attach_producer(&many->producer, memory, geometry, many->segment.fd);
        else
            error =
                shmring_mpmc_attach_consumer(&many->consumer, memory, geometry, many->segment.fd);
    }
    if (error != 0)
        shmring_segment_close(&many->segment);
    else if (role == SHMRING_ROLE_CONSUMER && shmring_mpmc_used_guess(&many->consumer.side) != 0)
        many->crew.seen = true; /* somebody has sent it */
    return error;
}

void cli_many_close(struct cli_many *many)
{
    shmring_mpmc_detach_producer(&many->producer);
    shmring_mpmc_detach_consumer(&many->consumer);
    shmring_segment_close(&many->segment);
}

/*
 * Passes a little time, and looks after the others now and then. *ret_alone: those on the other
 * side are gone, and what the dead left was put right: what is not there now does not come.
 */
static int wait_step(struct cli_many *many, shmring_mpmc_side *side, bool *ret_alone)
{
    bool look;
    int error = cli_poll_step(&many->poll, &look);

    if (!look)
        return error;
    cli_crew_look(&many->crew);
    if (error == 0 && !cli_crew_may_bury(&many->crew))
        return 0;
    int buried = shmring_mpmc_recover(side);
    if (buried < 0)
        return buried;
    *ret_alone = many->crew.seen && many->crew.alive == 0;
    return error;
}

int cli_many_send(struct cli_many *many, const struct cli_options *options, const void *message,
                  uint64_t length)
{
    shmring_mpmc_slot slot;
    bool alone = false;
    int error = 0;

    for (bool first = true; !shmring_mpmc_claim(&many->producer, &slot); first = false) {
        int broken = shmring_mpmc_error(&many->producer.side);
        /* Receivers that left may have successors: that is no end. */
        if (many->crew.alive != 0)
            many->crew.died = 0;
        if (broken == 0 && alone && many->crew.died != 0)
            broken = -EOWNERDEAD;
        if (broken != 0 || error != 0)
            return broken != 0 ? broken : error;
        if (first)
            cli_poll_start(&many->poll, options->timeout);
        error = wait_step(many, &many->producer.side, &alone);
    }
    cli_poll_hit(&many->poll);
    if (length != 0)
        memcpy(slot.data, message, (size_t)length);
    return shmring_mpmc_commit(&many->producer, &slot, (uint32_t)length, options->type);
}

bool cli_many_take_now(struct cli_many *many, const struct cli_options *options,
                       shmring_mpmc_slot *ret_slot)
{
    if (options->wish == SHMRING_TAKE_ANY)
        return shmring_mpmc_take(&many->consumer, ret_slot);
    return shmring_mpmc_take_by(&many->consumer, options->wish, options->wish_type, ret_slot);
}

int cli_many_take(struct cli_many *many, const struct cli_options *options,
                  shmring_mpmc_slot *ret_slot)
{
    bool alone = false;
    int error = 0;

    for (bool first = true; !cli_many_take_now(many, options, ret_slot); first = false) {
        int broken = shmring_mpmc_error(&many->consumer.side);
        if (broken == 0 && alone && !options->follow)
            broken = -EPIPE;
        if (broken != 0 || error != 0)
            return broken != 0 ? broken : error;
        if (first)
            cli_poll_start(&many->poll, options->timeout);
        alone = false;
        error = wait_step(many, &many->consumer.side, &alone);
    }
    many->crew.seen = true; /* somebody has sent it */
    cli_poll_hit(&many->poll);
    return 0;
}

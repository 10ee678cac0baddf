/* SPDX-License-Identifier: MIT */
/* create and rm */
#include "cli.h"

#include <errno.h>
#include <unistd.h>

enum { SLOTS = 1024, SLOT_SIZE = 4096 };

static int check_kind(const struct cli_options *options)
{
    bool many = options->kind == SHMRING_KIND_MPMC;

    if (many && options->capacity != 0)
        return cli_say(CLI_USAGE, "create: a ring of --kind mpmc has --slots and --slot-size in "
                                  "place of --capacity");
    if (many || (options->slots == 0 && options->slot_size == 0 && !options->redeliver))
        return CLI_OK;
    return cli_say(CLI_USAGE, "create: --%s is for a ring of many: add --kind mpmc",
                   options->slots != 0       ? "slots"
                   : options->slot_size != 0 ? "slot-size"
                                             : "redeliver");
}

int cli_create(const struct cli_options *options)
{
    const char *name = options->arguments[0];
    shmring_channel_options channel = cli_channel_options(options);
    shmring_geometry geometry;
    int status = cli_check_name(name);

    if (status == CLI_OK)
        status = check_kind(options);
    if (status != CLI_OK)
        return status;
    if (options->kind != SHMRING_KIND_MPMC) {
        int error = shmring_channel_create(name, &channel);
        return error == 0 ? CLI_OK : cli_fail(name, error, NULL);
    }
    channel.capacity = options->slots != 0 ? options->slots : SLOTS;
    channel.slot_size = options->slot_size != 0 ? (uint32_t)options->slot_size : SLOT_SIZE;
    channel.redeliver = options->redeliver;
    if (shmring_layout_plan(SHMRING_KIND_MPMC, channel.slot_size, channel.capacity, &geometry) != 0)
        return cli_say(CLI_USAGE,
                       "create: %llu slots of %u bytes are more than 1T: take fewer, "
                       "or smaller ones",
                       (unsigned long long)channel.capacity, channel.slot_size);
    int error = shmring_queue_create(name, &channel);
    return error == 0 ? CLI_OK : cli_fail(name, error, NULL);
}

/* The library does not map a ring of another user, and so does not find its semaphores. */
static bool has_hidden_bells(const struct cli_ring *ring)
{
    enum shmring_backend backend = shmring_layout_backend(ring->geometry.options);

    return ring->status.st_uid != geteuid() &&
           (backend == SHMRING_BACKEND_NAMED_SEM || backend == SHMRING_BACKEND_SYSV_SEM);
}

static int remove_one(const char *name, bool force)
{
    struct cli_ring ring;
    int status = cli_check_name(name);

    if (status != CLI_OK)
        return status;
    int error = cli_inspect_named(name, &ring);
    bool unclear = error != 0 && error != -ENOENT;
    bool found = false;
    /* What is no ring at all is another's, and so are semaphores of that name. */
    if (error != 0 && error != -EPROTO && force)
        found = cli_remove_lost_bells(name);
    if (error == 0 && has_hidden_bells(&ring))
        cli_remove_lost_bells(name);
    if (error == 0 || (unclear && force))
        error = shmring_channel_unlink(name, NULL);
    if (error == 0 || (error == -ENOENT && found))
        return CLI_OK;
    status = cli_fail(name, error, NULL);
    if (unclear && !force && error != -EACCES && error != -EPERM)
        cli_say(CLI_OK, "%s: not removed; shmring rm --force %s would", name, name);
    return status;
}

int cli_rm(const struct cli_options *options)
{
    int first = CLI_OK;

    for (int i = 0; i < options->count; i++) {
        int status = remove_one(options->arguments[i], options->force);
        if (first == CLI_OK)
            first = status;
    }
    return first;
}

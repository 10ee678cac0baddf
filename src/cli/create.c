/* SPDX-License-Identifier: MIT */
/* create and rm */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

static const uint64_t SLOTS = 1024, SLOT_SIZE = 4096;

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

static int create_many(const char *name, const struct cli_options *options)
{
    shmring_channel_options channel = cli_channel_options(options);
    uint64_t slots = options->slots != 0 ? options->slots : SLOTS;
    uint64_t slot_size = options->slot_size != 0 ? options->slot_size : SLOT_SIZE;
    shmring_geometry geometry;
    shmring_segment segment;

    if (shmring_layout_plan(SHMRING_KIND_MPMC, (uint32_t)slot_size, slots, &geometry) != 0)
        return cli_say(CLI_USAGE,
                       "create: %llu slots of %llu bytes are more than 1T: take fewer, "
                       "or smaller ones",
                       (unsigned long long)slots, (unsigned long long)slot_size);
    geometry.options = options->redeliver ? SHMRING_OPTION_REDELIVER : 0;
    int error = shmring_segment_create(&segment, name, &geometry, &channel.segment);
    if (error == 0) {
        error = shmring_segment_publish(&segment);
        shmring_segment_close(&segment);
    }
    return error == 0 ? CLI_OK : cli_fail(name, error, NULL);
}

int cli_create(const struct cli_options *options)
{
    const char *name = options->arguments[0];
    shmring_channel_options channel = cli_channel_options(options);
    int status = cli_check_name(name);

    if (status == CLI_OK)
        status = check_kind(options);
    if (status != CLI_OK)
        return status;
    if (options->kind == SHMRING_KIND_MPMC)
        return create_many(name, options);
    int error = shmring_channel_create(name, &channel);
    return error == 0 ? CLI_OK : cli_fail(name, error, NULL);
}

static int remove_one(const char *name, bool force)
{
    struct cli_ring ring;
    char path[sizeof "/dev/shm/" + SHMRING_NAME_MAX];
    int status = cli_check_name(name);

    if (status != CLI_OK)
        return status;
    snprintf(path, sizeof path, "%s/%s", CLI_DIRECTORY, name);
    int error = cli_inspect(AT_FDCWD, path, &ring);
    bool unclear = error != 0 && error != -ENOENT;
    if (error == 0 || (unclear && force))
        error = shmring_channel_unlink(name, NULL);
    if (error == 0)
        return CLI_OK;
    status = cli_fail(name, error, NULL);
    if (unclear && !force)
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

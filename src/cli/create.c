/* SPDX-License-Identifier: MIT */
/* create and rm */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

int cli_create(const struct cli_options *options)
{
    const char *name = options->arguments[0];
    shmring_channel_options channel = cli_channel_options(options);
    int status = cli_check_name(name);

    if (status != CLI_OK)
        return status;
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
        error = shmring_segment_unlink(name);
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

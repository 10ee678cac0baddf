/* SPDX-License-Identifier: MIT */
/* Exit statuses and sentences for errors: the one place that knows both. */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    int error;
    enum cli_status status;
    const char *sentence; /* where the command can say more than the library; else NULL */
} errors[] = {
    {-ENOENT, CLI_MISSING, "no such ring"},
    {-ETIMEDOUT, CLI_TIMEOUT, NULL},
    {-EOWNERDEAD, CLI_BROKEN, NULL},
    {-EBADMSG, CLI_BROKEN, NULL},
    {-ESTALE, CLI_BROKEN, NULL},
    {-EIDRM, CLI_BROKEN, "its semaphores were removed: no one can wait (rm it and make it anew)"},
    {-EAGAIN, CLI_BROKEN, "the ring is half made: its creator is not done, or died"},
    {-EACCES, CLI_PERMISSION, NULL},
    {-EPERM, CLI_PERMISSION, "not allowed: the ring is another user's"},
    {-EPROTO, CLI_LAYOUT, "not a ring"},
    {-EPROTONOSUPPORT, CLI_LAYOUT, "a ring of a layout that this version does not know"},
    {-EPROTOTYPE, CLI_LAYOUT, "the ring holds elements of one size, not messages"},
    {-EBUSY, CLI_FAILED, NULL},
    {-EUSERS, CLI_FAILED, NULL},
    {-EEXIST, CLI_FAILED, NULL},
    {-ENOSPC, CLI_FAILED, NULL},
    {-EMSGSIZE, CLI_FAILED, "the message is too long"},
    {-EOPNOTSUPP, CLI_FAILED, "this system refuses what its --backend or --fence needs"},
    {-ENOSYS, CLI_FAILED, "this system refuses to let it sleep (--wait spin does not need that)"},
};

int cli_say(enum cli_status status, const char *format, ...)
{
    char line[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    fflush(stdout);
    fprintf(stderr, "shmring: %s\n", line); /* one write: the lines of two processes do not mix */
    return (int)status;
}

/* Why a ring that is to be used may not be opened. */
static const char *why_forbidden(const char *name)
{
    struct cli_ring ring;

    if (cli_inspect_named(name, &ring) != 0 || ring.status.st_uid != geteuid())
        return "not allowed: the ring is another user's (links are for that: serve)";
    if (ring.status.st_nlink != 1)
        return "not allowed: its file has another name, too";
    return "not allowed: its mode lets strangers in (add --mode if that is meant)";
}

int cli_fail(const char *name, int error, const char *role)
{
    if ((error == -EINTR || error == -ECANCELED) && cli_signal)
        return CLI_SIGNAL + (int)cli_signal;
    if (error == -EBUSY && role != NULL)
        return cli_say(CLI_FAILED, "%s: another %s is attached", name, role);
    if (error == -EOWNERDEAD && role != NULL)
        return cli_say(CLI_BROKEN, "%s: the %s died", name,
                       strcmp(role, "sender") == 0 ? "receiver" : "sender");
    if (error == -EPERM && role != NULL)
        return cli_say(CLI_PERMISSION, "%s: %s", name, why_forbidden(name));
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].error == error)
            return cli_say(errors[i].status, "%s: %s", name,
                           errors[i].sentence != NULL ? errors[i].sentence
                                                      : shmring_error_text(error));
    return cli_say(CLI_FAILED, "%s: %s", name, strerror(-error));
}

int cli_what_is_wrong(const char *name, int error)
{
    struct cli_ring ring;

    if (error != -ENOENT && error != -EPERM)
        return error;
    int found = cli_inspect_named(name, &ring);

    if (found == 0)
        return error == -ENOENT && ring.is_mute ? -EIDRM : error;
    return found != -EACCES ? found : error;
}

int cli_check_name(const char *name)
{
    switch (shmring_segment_check_name(name)) {
    case 0:
        return CLI_OK;
    case -ENAMETOOLONG:
        return cli_say(CLI_USAGE, "the name %.20s... is longer than %d bytes", name,
                       SHMRING_NAME_MAX);
    default:
        return cli_say(CLI_USAGE, "'%.250s' cannot name a ring: %s", name,
                       strncmp(name, "sem.", strlen("sem.")) == 0
                           ? "what begins with sem. is the file of a semaphore"
                           : "use A-Z a-z 0-9 . _ - and no leading dot");
    }
}

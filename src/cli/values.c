/* SPDX-License-Identifier: MIT */
/* What may stand behind an option: sizes, times, modes, numbers, users and groups. */
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

/* Digits of the base at the start of text, and what follows them. */
static bool parse_digits(const char *text, int base, uint64_t *ret_value, const char **ret_rest)
{
    char *rest;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, &rest, base);
    if (errno != 0 || rest == text)
        return false;
    *ret_value = value;
    *ret_rest = rest;
    return true;
}

bool cli_parse_size(const char *text, uint64_t *ret_size)
{
    static const char units[] = "KMGT";
    uint64_t value;
    const char *rest;
    unsigned shift = 0;

    if (!parse_digits(text, 10, &value, &rest))
        return false;
    if (*rest != '\0') {
        const char *found = strchr(units, toupper((unsigned char)*rest));
        if (found == NULL || rest[1] != '\0')
            return false;
        shift = 10 * (unsigned)(found - units + 1);
    }
    if (value > UINT64_MAX >> shift)
        return false;
    *ret_size = value << shift;
    return true;
}

bool cli_parse_duration(const char *text, int64_t *ret_ns)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};
    uint64_t value;
    const char *rest;

    if (!parse_digits(text, 10, &value, &rest))
        return false;
    if (value == 0 && *rest == '\0') {
        *ret_ns = 0;
        return true;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(rest, units[i].name) != 0)
            continue;
        if (value > (uint64_t)(INT64_MAX / units[i].ns))
            return false;
        *ret_ns = (int64_t)value * units[i].ns;
        return true;
    }
    return false;
}

bool cli_parse_mode(const char *text, mode_t *ret_mode)
{
    uint64_t value;
    const char *rest;

    /* Who makes or opens it reads and writes, and nobody executes it. */
    if (!parse_digits(text, 8, &value, &rest) || *rest != '\0' || (value & 0600) != 0600 ||
        (value & ~UINT64_C(0666)) != 0)
        return false;
    *ret_mode = (mode_t)value;
    return true;
}

bool cli_parse_number(const char *text, uint32_t *ret_number)
{
    uint64_t value;
    const char *rest;

    if (!parse_digits(text, 10, &value, &rest) || *rest != '\0' || value > UINT32_MAX)
        return false;
    *ret_number = (uint32_t)value;
    return true;
}

/* All ones is nobody's. */
static bool parse_id(const char *text, uint32_t *ret_id)
{
    return cli_parse_number(text, ret_id) && *ret_id != UINT32_MAX;
}

bool cli_parse_user(const char *text, uid_t *ret_user)
{
    uint32_t id;

    if (!parse_id(text, &id)) {
        const struct passwd *user = getpwnam(text);
        if (user == NULL)
            return false;
        id = user->pw_uid;
    }
    *ret_user = id;
    return true;
}

bool cli_parse_group(const char *text, gid_t *ret_group)
{
    uint32_t id;

    if (!parse_id(text, &id)) {
        const struct group *group = getgrnam(text);
        if (group == NULL)
            return false;
        id = group->gr_gid;
    }
    *ret_group = id;
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * The command's options (src/cli/options.c, values.c). Claims: an argument is taken or refused,
 * with a message either way that is one; what is taken is within the limits; numbers, sizes, times
 * and modes are read as a reading of them digit by digit says.
 *
 * Input: a command, then its arguments, each ended by a zero byte.
 */
#include "common/cli_names.h"

#include "common/fuzz.h"

#include "cli.h"

#include <ctype.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <string.h>

enum { ARGUMENTS_MAX = 24, TEXT_MAX = 1024 };

volatile sig_atomic_t cli_signal;

static const struct cli_command commands[] = {
    {"create", "NAME", "", "kcszrbem", NULL, 1, 1, NULL},
    {"rm", "NAME...", "", "F", NULL, 1, INT_MAX, NULL},
    {"ls", "", "", "laj", NULL, 0, 0, NULL},
    {"send", "NAME [FILE]", "", "fynwtMcmLugO", NULL, 1, 2, NULL},
    {"recv", "NAME", "", "CofYXxpwtmLugOD", NULL, 1, 1, NULL},
    {"serve", "PATH", "", "C1SfMywtdqugP", NULL, 1, 1, NULL},
};

static const char somebody[] = "somebody";
enum { SOMEBODY = 1234 };

enum { COMMANDS = sizeof commands / sizeof *commands };

int cli_say(enum cli_status status, const char *format, ...)
{
    char line[TEXT_MAX + 200];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    fuzz_expect(length > 0 && line[0] != '\0', "a message says something");
    return (int)status;
}

struct passwd *users_getpwnam(const char *name)
{
    static struct passwd user = {.pw_uid = SOMEBODY};

    return strcmp(name, somebody) == 0 ? &user : NULL;
}

struct group *users_getgrnam(const char *name)
{
    static struct group group = {.gr_gid = SOMEBODY};

    return strcmp(name, somebody) == 0 ? &group : NULL;
}

static bool multiply(uint64_t *value, uint64_t by)
{
    bool fits = *value <= UINT64_MAX / by;

    *value *= by;
    return fits;
}

/* Digits of that base, no sign and no blank, and what follows. */
static bool read_digits(const char *text, unsigned base, uint64_t *ret_value, const char **ret_rest)
{
    const char *at = text;
    bool fits = true;

    for (*ret_value = 0; *at >= '0' && *at < '0' + (int)base; at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        fits = multiply(ret_value, base) && *ret_value <= UINT64_MAX - digit && fits;
        *ret_value += digit;
    }
    *ret_rest = at;
    return at != text && fits;
}

static void check_size(const char *text)
{
    const char *rest, *units = "KMGT", *unit;
    uint64_t is = 0, want;
    bool good = read_digits(text, 10, &want, &rest);

    if (good && *rest != '\0') {
        unit = strchr(units, toupper((unsigned char)*rest));
        good = unit != NULL && rest[1] == '\0' &&
               multiply(&want, UINT64_C(1) << 10 * (unit - units + 1));
    }
    fuzz_expect(cli_parse_size(text, &is) == good && (!good || is == want), "a size");
}

static void check_duration(const char *text)
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    const char *rest;
    int64_t is = 0;
    uint64_t want, factor = 1;
    bool good = read_digits(text, 10, &want, &rest);
    bool known = good && want == 0 && *rest == '\0';

    for (int i = 0; i < 4; i++, factor *= 1000)
        if (good && strcmp(rest, units[i]) == 0)
            known = multiply(&want, factor) && want <= INT64_MAX;
    fuzz_expect(cli_parse_duration(text, &is) == known && (!known || is == (int64_t)want),
                "a time");
}

/* want: UINT64_MAX if there is none such. */
static void check_id(bool good, uint32_t id, uint64_t want, const char *what)
{
    fuzz_expect(good == (want != UINT64_MAX) && (!good || id == want), what);
}

static void check_numbers(const char *text)
{
    const char *rest;
    uint32_t number = 0;
    mode_t mode = 0;
    uint64_t want;
    bool good = read_digits(text, 10, &want, &rest) && *rest == '\0' && want <= UINT32_MAX;

    fuzz_expect(cli_parse_number(text, &number) == good && (!good || number == want), "a number");
    if (strcmp(text, somebody) == 0)
        want = SOMEBODY;
    else if (!good || want == UINT32_MAX)
        want = UINT64_MAX;
    good = cli_parse_user(text, &number);
    check_id(good, number, want, "a user");
    good = cli_parse_group(text, &number);
    check_id(good, number, want, "a group");
    good = read_digits(text, 8, &want, &rest) && *rest == '\0' && (want | 0066) == 0666;
    fuzz_expect(cli_parse_mode(text, &mode) == good && (!good || mode == want), "a mode");
}

static bool is_power_of_two(uint64_t value)
{
    return (value & (value - 1)) == 0;
}

static void check_options(const struct cli_command *command, const struct cli_options *is, int argc)
{
    fuzz_expect(is->capacity == 0 ||
                    (is_power_of_two(is->capacity) && is->capacity >= SHMRING_CAPACITY_MIN &&
                     is->capacity <= SHMRING_CAPACITY_MAX),
                "a capacity that can be");
    fuzz_expect(is->slots == 0 || (is_power_of_two(is->slots) && is->slots >= SHMRING_SLOTS_MIN &&
                                   is->slots <= SHMRING_SLOTS_MAX),
                "slots that can be");
    fuzz_expect(is->slot_size <= SHMRING_MESSAGE_MAX, "a slot that can be");
    fuzz_expect((is->mode == 0 || (is->mode | 0066) == 0666) && is->timeout >= -1,
                "a mode, and a time");
    fuzz_expect(is->framing <= CLI_LEN32 && is->wait <= SHMRING_WAIT_ADAPTIVE &&
                    is->backend < SHMRING_BACKENDS && is->backend != SHMRING_BACKEND_EVENTFD &&
                    is->fence <= SHMRING_FENCE_LIGHT && is->wish <= SHMRING_TAKE_HIGHEST,
                "words that are known");
    fuzz_expect(is->kind == 0 || is->kind == SHMRING_KIND_SPSC || is->kind == SHMRING_KIND_MPMC,
                "a kind that there is");
    fuzz_expect(is->uid_count <= CLI_ALLOWED_MAX && is->gid_count <= CLI_ALLOWED_MAX, "few users");
    fuzz_expect(is->count >= 0 && is->count < argc, "arguments that were given");
    fuzz_expect(is->help ||
                    (is->count >= command->arguments_min && is->count <= command->arguments_max),
                "as many as it takes");
}

/* The texts lie in memory of their own, exactly sized: who reads beyond one is caught. */
static int split(fuzz_input *input, char **ret_argv)
{
    int argc = 1;

    while (fuzz_left(input) != 0 && argc < ARGUMENTS_MAX) {
        const uint8_t *end = memchr(input->at, 0, fuzz_left(input));
        size_t length = end != NULL ? (size_t)(end - input->at) : fuzz_left(input);

        length = length < TEXT_MAX ? length : TEXT_MAX;
        ret_argv[argc] = malloc(length + 1);
        memcpy(ret_argv[argc], input->at, length);
        ret_argv[argc++][length] = '\0';
        fuzz_part(input, length + 1);
    }
    ret_argv[argc] = NULL;
    return argc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, data + size};
    const struct cli_command *command = &commands[fuzz_byte(&input) % COMMANDS];
    char name[] = "command", *argv[ARGUMENTS_MAX + 1] = {name}, *given[ARGUMENTS_MAX + 1];
    struct cli_options options;
    int argc = split(&input, argv);

    memcpy(given, argv, sizeof given);
    for (int i = 1; i < argc; i++) {
        check_size(argv[i]);
        check_duration(argv[i]);
        check_numbers(argv[i]);
    }
    optind = 0; /* getopt forgets what it did */
    int status = cli_parse(command, argc, argv, &options);

    fuzz_expect(status == CLI_OK || status == CLI_USAGE, "taken, or refused");
    if (status == CLI_OK)
        check_options(command, &options, argc);
    for (int i = 1; i < argc; i++)
        free(given[i]);
    return 0;
}

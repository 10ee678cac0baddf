/* SPDX-License-Identifier: MIT */
/* The options of all commands, and what may stand in them. */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct {
    char letter;
    const char *name;
    const char *argument; /* NULL: none */
    const char *help;     /* NULL: it stands with another */
} known[] = {
    {'k', "kind", "spsc|mpmc",
     "for one sender and one receiver at a time, or for\n"
     "any number of both (default spsc)"},
    {'c', "capacity", "SIZE", "bytes in a new ring: a power of two from 4K (default 4M)"},
    {'d', "capacity", "SIZE", "bytes in each direction: a power of two (default 64K)"},
    {'s', "slots", "N", "messages it holds, a power of two to 1M (default 1024)"},
    {'z', "slot-size", "SIZE", "longest message, 1 to 1G (default 4096)"},
    {'r', "redeliver", NULL,
     "what a receiver had in hand when it died goes to another\n"
     "one, marked, at the tail (default: dropped, and counted)"},
    {'b', "backend", "NAME",
     "what who waits sleeps on: futex, sem, named-sem or\n"
     "sysv-sem (default futex)"},
    {'e', "fence", "NAME",
     "light: waking costs senders and receivers nothing, going\n"
     "to sleep more; or symmetric (default: light if it can be)"},
    {'C', "count", "N", "end after N messages"},
    {'1', "once", NULL, "end when one client has ended"},
    {'S', "send", NULL, "the other way round: standard input goes to a client"},
    {'o', "follow", NULL, "do not end: wait for the next sender"},
    {'f', "framing", "line|raw|len32", "what a message is (default line)"},
    {'F', "force", NULL, "also what is damaged or is not a ring"},
    {'a', "all", NULL, "also semaphores that belonged to a ring which is gone"},
    {'l', "long", NULL, "also what is slept on, and how it is woken"},
    {'j', "json", NULL, "JSON instead of a table"},
    {'m', "mode", "MODE", "0600-0666: of a new ring (0600), at most of an old (0660)"},
    {'q', "mode", "MODE", "0600-0666: of the socket (0600, with --allow-... 0666)"},
    {'M', "max-message", "SIZE", "longest message (the ring's limit); of raw, piece (64K)"},
    {'n', "no-create", NULL, "fail if there is no such ring"},
    {'t', "timeout", "TIME", "longest wait for the other side: 10us, 5ms, 1s (forever)"},
    {'y', "type", "N", "type of the messages, 0 to 4294967295 (default 0)"},
    {'Y', "type", "N", "only messages of this type"},
    {'X', "type-except", "N", "only those of other types"},
    {'x', "type-max", "N", "only those of types up to N, the lowest first"},
    {'p', "by-priority", NULL, "the highest type first"},
    {'w', "wait", "POLICY",
     "block: sleep; spin: keep a core busy, for speed;\n"
     "adaptive: spin while that pays off (default block)"},
    {'L', "link", NULL, "NAME is a server's: its path, or a name in its directory"},
    {'D', "capacity", "SIZE", "the largest ring of a link that is accepted (default 1G)"},
    {'u', "allow-uid", "USER", "talk to this user too; --allow-gid GROUP: to this group"},
    {'g', "allow-gid", "GID", NULL},
    {'O', "client-owned", NULL, "with a ring of our own, if the server permits that"},
    {'P', "client-owned", NULL, "permit clients to bring rings of their own"},
    {'h', "help", NULL, "show this"},
};

const char *const cli_backends[SHMRING_BACKENDS] = {"futex", "eventfd", "sem", "named-sem",
                                                    "sysv-sem"};

enum { KNOWN = sizeof known / sizeof *known };

/* The place of text in words, or -1. */
static int find_word(const char *text, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    return -1;
}

static bool parse_capacity(const char *text, uint64_t *ret_capacity)
{
    shmring_geometry geometry;

    return cli_parse_size(text, ret_capacity) &&
           shmring_layout_plan(SHMRING_KIND_SPSC, 0, *ret_capacity, &geometry) == 0;
}

/* Whom to talk to, and as what. False: the argument is wrong. */
static bool take_peer(struct cli_options *options, int letter, const char *text)
{
    switch (letter) {
    case 'u':
        return options->uid_count < CLI_ALLOWED_MAX &&
               cli_parse_user(text, &options->uids[options->uid_count++]);
    case 'g':
        return options->gid_count < CLI_ALLOWED_MAX &&
               cli_parse_group(text, &options->gids[options->gid_count++]);
    default:
        options->link |= letter == 'L';
        options->sends |= letter == 'S';
        options->once |= letter == '1';
        options->client_owned |= letter == 'O' || letter == 'P';
        return true;
    }
}

static bool parse_slots(const char *text, uint64_t *ret_slots)
{
    return cli_parse_size(text, ret_slots) && *ret_slots >= SHMRING_SLOTS_MIN &&
           *ret_slots <= SHMRING_SLOTS_MAX && (*ret_slots & (*ret_slots - 1)) == 0;
}

static bool take_wish(struct cli_options *options, enum shmring_mpmc_wish wish, const char *text)
{
    options->wish = wish;
    options->wishes++;
    return text == NULL || cli_parse_number(text, &options->wish_type);
}

/* The options that only a ring of many knows. False: the argument is wrong. */
static bool take_many(struct cli_options *options, int letter, const char *text)
{
    static const char *const kinds[] = {"spsc", "mpmc"};
    int word;

    switch (letter) {
    case 'k':
        word = find_word(text, kinds, 2);
        options->kind = word == 1 ? SHMRING_KIND_MPMC : SHMRING_KIND_SPSC;
        return word >= 0;
    case 's':
        return parse_slots(text, &options->slots);
    case 'z':
        return cli_parse_size(text, &options->slot_size) && options->slot_size != 0 &&
               options->slot_size <= SHMRING_MESSAGE_MAX;
    case 'Y':
        return take_wish(options, SHMRING_TAKE_EQUAL, text);
    case 'X':
        return take_wish(options, SHMRING_TAKE_EXCEPT, text);
    case 'x':
        return take_wish(options, SHMRING_TAKE_LOWEST, text);
    case 'p':
        return take_wish(options, SHMRING_TAKE_HIGHEST, NULL);
    default:
        options->redeliver |= letter == 'r';
        return true;
    }
}

/* How the members of a new ring wake one another. False: the argument is wrong. */
static bool take_wake(struct cli_options *options, int letter, const char *text)
{
    static const char *const fences[] = {"", "symmetric", "light"}; /* by enum shmring_fence */
    bool fence = letter == 'e';
    int word = fence ? find_word(text, fences, 3) : find_word(text, cli_backends, SHMRING_BACKENDS);

    if (fence) {
        options->fence = (enum shmring_fence)word;
        return word > SHMRING_FENCE_DEFAULT;
    }
    options->backend = (enum shmring_backend)word;
    return word >= 0 && word != SHMRING_BACKEND_EVENTFD;
}

/* Takes one option; false: its argument is wrong. */
static bool take(struct cli_options *options, int letter, const char *text)
{
    static const char *const framings[] = {"line", "raw", "len32"};
    static const char *const policies[] = {"block", "spin", "adaptive"};
    int word;

    switch (letter) {
    case 'c':
        return parse_capacity(text, &options->capacity);
    case 'd':
    case 'D':
        return parse_capacity(text, &options->capacity) &&
               options->capacity <= SHMRING_LINK_CAPACITY_MAX;
    case 'C':
        return cli_parse_size(text, &options->limit) && options->limit != 0;
    case 'f':
        word = find_word(text, framings, 3);
        options->framing = word == 1 ? CLI_RAW : word == 2 ? CLI_LEN32 : CLI_LINE;
        return word >= 0;
    case 'm':
    case 'q':
        return cli_parse_mode(text, &options->mode);
    case 'M':
        return cli_parse_size(text, &options->max_message) && options->max_message != 0;
    case 't':
        return cli_parse_duration(text, &options->timeout);
    case 'y':
        return cli_parse_number(text, &options->type);
    case 'w':
        word = find_word(text, policies, 3); /* by enum shmring_wait_policy */
        options->wait = (enum shmring_wait_policy)word;
        return word >= 0;
    case 'b':
    case 'e':
        return take_wake(options, letter, text);
    default:
        break;
    }
    options->force |= letter == 'F';
    options->json |= letter == 'j';
    options->all |= letter == 'a';
    options->is_long |= letter == 'l';
    options->no_create |= letter == 'n';
    options->follow |= letter == 'o';
    options->help |= letter == 'h';
    return take_peer(options, letter, text) && take_many(options, letter, text);
}

/* The powers of two around a number of slots that is none. */
static int wrong_slots(const char *command, const char *text)
{
    uint64_t slots, above = SHMRING_SLOTS_MIN;

    if (!cli_parse_size(text, &slots))
        return cli_say(CLI_USAGE, "%s: '%s' is no number of slots: a power of two from 2 to 1M",
                       command, text);
    while (above < slots && above < SHMRING_SLOTS_MAX)
        above *= 2;
    if (slots < SHMRING_SLOTS_MIN || slots > SHMRING_SLOTS_MAX)
        return cli_say(CLI_USAGE,
                       "%s: %s slots cannot be, only powers of two from 2 to 1M: the "
                       "nearest is %llu",
                       command, text, (unsigned long long)above);
    return cli_say(CLI_USAGE,
                   "%s: %s slots cannot be, only powers of two: the nearest are %llu and %llu",
                   command, text, (unsigned long long)above / 2, (unsigned long long)above);
}

const char *cli_option_name(int letter)
{
    for (int i = 0; i < KNOWN; i++)
        if (known[i].letter == letter)
            return known[i].name;
    return "";
}

static int wrong_argument(const char *command, int letter, const char *text)
{
    const char *name = cli_option_name(letter);

    if (letter == 'c' || letter == 'd' || letter == 'D')
        return cli_say(CLI_USAGE, "%s: '%s' is no capacity: a power of two from 4K to %s", command,
                       text, letter == 'c' ? "1T" : "1G");
    if (letter == 's')
        return wrong_slots(command, text);
    if (letter == 'b' && strcmp(text, cli_backends[SHMRING_BACKEND_EVENTFD]) == 0)
        return cli_say(CLI_USAGE,
                       "%s: an eventfd has no name by which another command could find it: such a "
                       "ring is for a program and its children (shmring_channel_create_fds)",
                       command);
    return cli_say(CLI_USAGE, "%s: --%s cannot be '%s'; see shmring %s -h", command, name, text,
                   command);
}

/* What getopt has just refused: a long option, or a letter that may stand among others. */
static int wrong_option(const char *command, const char *word)
{
    char letter[] = {'-', (char)optopt, '\0'};

    if (strncmp(word, "--", 2) == 0 && optopt != 0)
        return cli_say(CLI_USAGE, "%s: %s: no argument belongs there", command, word);
    return cli_say(CLI_USAGE, "%s: no option %s; see shmring %s -h", command,
                   optopt == 0 ? word : letter, command);
}

static int check_count(const struct cli_command *command, const struct cli_options *options)
{
    if (options->help ||
        (options->count >= command->arguments_min && options->count <= command->arguments_max))
        return CLI_OK;
    if (options->count < command->arguments_min)
        return cli_say(CLI_USAGE, "%s: %.4s is missing; usage: shmring %s %s", command->name,
                       command->arguments, command->name, command->arguments);
    return cli_say(CLI_USAGE, "%s: too many arguments, from '%s' on", command->name,
                   options->arguments[command->arguments_max]);
}

int cli_parse(const struct cli_command *command, int argc, char **argv,
              struct cli_options *ret_options)
{
    struct option accepted[KNOWN + 1] = {{0}};
    struct cli_options options = {.timeout = -1};
    int letter, count = 0;

    for (int i = 0; i < KNOWN; i++)
        if (known[i].letter == 'h' || strchr(command->accepts, known[i].letter) != NULL)
            accepted[count++] =
                (struct option){known[i].name, known[i].argument != NULL, NULL, known[i].letter};
    opterr = 0;
    while ((letter = getopt_long(argc, argv, ":h", accepted, NULL)) != -1) {
        if (letter == ':')
            return cli_say(CLI_USAGE, "%s: %s needs an argument", command->name, argv[optind - 1]);
        if (letter == '?')
            return wrong_option(command->name, argv[optind - 1]);
        if (!take(&options, letter, optarg))
            return wrong_argument(command->name, letter, optarg);
        if (strchr(options.given, letter) == NULL)
            options.given[strlen(options.given)] = (char)letter;
    }
    options.arguments = argv + optind;
    options.count = argc - optind;
    *ret_options = options;
    return check_count(command, &options);
}

void cli_print_options(const struct cli_command *command)
{
    for (int i = 0; i < KNOWN; i++) {
        char left[40];
        const char *help = known[i].help;

        if (help == NULL ||
            (known[i].letter != 'h' && strchr(command->accepts, known[i].letter) == NULL))
            continue;
        snprintf(left, sizeof left, "%s--%s%s%s", known[i].letter == 'h' ? "-h, " : "",
                 known[i].name, known[i].argument != NULL ? " " : "",
                 known[i].argument != NULL ? known[i].argument : "");
        size_t line = strcspn(help, "\n");
        printf("  %-25s %.*s\n", left, (int)line, help);
        if (help[line] == '\n')
            printf("  %-25s %s\n", "", help + line + 1);
    }
}

/* SPDX-License-Identifier: MIT */
/* The table of commands, and all that is done before and after one. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct cli_command commands[] = {
    {"create", "NAME", "make an empty ring", "kcszrbem",
     "--capacity is of a ring of kind spsc; --slots, --slot-size and --redeliver are of\n"
     "one of kind mpmc. A semaphore of --backend named-sem or sysv-sem lives beside the\n"
     "ring, is shown by info, and goes with rm.\n",
     1, 1, cli_create},
    {"rm", "NAME...", "remove rings; who has one open keeps it", "F",
     "A file that is not a ring, or a damaged one, is only removed with --force; so are\n"
     "semaphores of that name whose ring is gone (ls --all).\n",
     1, INT_MAX, cli_rm},
    {"ls", "", "list the rings of this machine", "laj",
     "STATE: idle (nobody attached), active, sender-dead, receiver-dead, both-dead\n"
     "(died attached), damaged, unsupported (another version's), no-semaphore (it was\n"
     "removed, and nobody can attach), leftover (a semaphore whose ring is gone). USED\n"
     "and CAPACITY are bytes; of a ring of elements (KIND spsc:SIZE) elements; of a ring\n"
     "of many (KIND mpmc:SIZE) messages and slots of that size. SENDER and RECEIVER are\n"
     "process ids, or (N): there are N. Rings that one may not read are left out.\n",
     0, 0, cli_ls},
    {"info", "NAME", "show everything about one", "jLugO",
     "With --link, or a slash in NAME, of a link: it asks the server there for one, and\n"
     "shows who that is (PEER) and what it gives. WAKE is what the server sleeps on.\n",
     1, 1, cli_info},
    {"who", "NAME", "show who is attached, and what they hold", "j",
     "STATE: alive, stopped (by a signal, as far as can be seen), dead (died attached,\n"
     "what it held is not given back yet). WRITING and READING are slots of a ring of\n"
     "kind mpmc that it holds, HELD for how long others have had to go around them.\n",
     1, 1, cli_who},
    {"send", "NAME [FILE]", "send FILE or standard input, a line a message", "fynwtMcmLugO",
     "Makes the ring if it is missing. A framing says what a message is: a line without\n"
     "its newline; raw, what one read gives; len32, what follows a length of 4 bytes,\n"
     "little-endian. Ends with 0 when all is in the ring, read or not; ended before that by\n"
     "Ctrl-C, or by what it cannot read, it ends the stream for the receiver all the same.\n"
     "To send beside others, make the ring with create --kind mpmc. With --link: to a\n"
     "serve, ends with 0 when all was taken, 5 if the server ends before; --capacity is the\n"
     "most accepted.\n",
     1, 2, cli_send},
    {"recv", "NAME", "write what arrives to standard output", "CofYXxpwtmLugOD",
     "Waits a second (or --timeout) for a missing ring or server; for a sender for ever.\n"
     "Ends with 0 when that is done and all is written, 5 if it died. What could not be\n"
     "written stays; of kind mpmc if it has --redeliver. That ends as soon as no sender is\n"
     "attached (--follow goes on), with 5 if one died. With --link: from a serve --send.\n",
     1, 1, cli_recv},
    {"serve", "PATH", "write what clients send (send --link) to standard output", "C1SfMywtdqugP",
     "Listens at PATH, a socket, or at a name in a directory of one's own, until Ctrl-C.\n"
     "Clients send at once, and their messages come out whole. Only one's own user may\n"
     "connect, and those that --allow-uid and --allow-gid name. One that dies is told of.\n"
     "With --send the first client that takes a message (recv --link) gets all; ends with\n"
     "0 when it has, 5 if it left before.\n",
     1, 1, cli_serve},
    {"help", "[COMMAND]", "show this, or the options of a command", "", NULL, 0, 1, cli_help},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

volatile sig_atomic_t cli_signal;

static void print_usage(void)
{
    printf("usage: shmring COMMAND [OPTION...] [NAME] [FILE]\n"
           "Rings in shared memory that carry messages from one process to another.\n\n");
    for (int i = 0; i < COMMANDS; i++) {
        char left[40];

        snprintf(left, sizeof left, "%s %s", commands[i].name, commands[i].arguments);
        printf("  %-18s %s\n", left, commands[i].summary);
    }
    printf("\n'shmring COMMAND -h' shows the options of a command, --version the version.\n\n"
           "Examples:\n"
           "  shmring send --framing raw copy < a.tar &   # from one process ...\n"
           "  shmring recv --framing raw copy > b.tar     # ... to another\n"
           "  tail -f log | shmring send lines            # elsewhere: shmring recv lines\n"
           "  shmring ls --json | jq '.rings[].name'\n\n"
           "Exit status: 0 done, 1 failed, 2 wrong usage, 3 no such ring or server, 4\n"
           "timeout, 5 the other side died or the ring is damaged, 6 permission, 7 no ring\n"
           "or of another layout, 130 and 143 interrupted.\n");
}

static void print_command(const struct cli_command *command)
{
    printf("usage: shmring %s [OPTION...]%s%s\n%s\n\n", command->name,
           *command->arguments != '\0' ? " " : "", command->arguments, command->summary);
    if (command->details != NULL)
        printf("%s\n", command->details);
    cli_print_options(command);
}

/* How many letters must be changed, added or left out to make one of the other. */
static int distance(const char *one, const char *other)
{
    enum { MAX = 16 };
    int row[MAX + 1];
    size_t length = strlen(other);

    if (length > MAX || strlen(one) > MAX)
        return MAX;
    for (size_t j = 0; j <= length; j++)
        row[j] = (int)j;
    for (size_t i = 1; one[i - 1] != '\0'; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= length; j++) {
            int best = diagonal + (one[i - 1] != other[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[length];
}

static const struct cli_command *find_command(const char *name)
{
    const struct cli_command *nearest = NULL;
    int least = 3; /* farther is another word */

    for (int i = 0; i < COMMANDS; i++) {
        int away = distance(name, commands[i].name);
        if (away == 0)
            return &commands[i];
        if (away < least && away < (int)strlen(commands[i].name)) {
            least = away;
            nearest = &commands[i];
        }
    }
    if (nearest != NULL)
        cli_say(CLI_USAGE, "no command '%.50s'; did you mean '%s'?", name, nearest->name);
    else
        cli_say(CLI_USAGE, "no command '%.50s'; see shmring -h", name);
    return NULL;
}

int cli_help(const struct cli_options *options)
{
    if (options->count == 0) {
        print_usage();
        return CLI_OK;
    }
    const struct cli_command *command = find_command(options->arguments[0]);
    if (command == NULL)
        return CLI_USAGE;
    print_command(command);
    return CLI_OK;
}

/* A signal may come just before a system call that then sleeps: ring again until it is heard. */
static void on_signal(int number)
{
    if (number != SIGALRM)
        cli_signal = number;
    if (cli_signal)
        cli_cancel();
    alarm(1);
}

static void catch_signals(void)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGALRM};
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART */
    struct sigaction ignored = {.sa_handler = SIG_IGN};
    struct sigaction before;

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (sigaction(ends[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(ends[i], &action, NULL);
    sigaction(SIGPIPE, &ignored, NULL); /* these are errors of write(2) */
    sigaction(SIGXFSZ, &ignored, NULL);
}

/* If a standard stream is closed, the next open would take its place, and a ring could be what
 * messages are written to. These fail to be read or written as the closed ones do. */
static void occupy_streams(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            return;
}

/* Was all of the standard output written? */
static int flush_output(int status)
{
    int error = fflush(stdout) != 0 ? errno : ferror(stdout) ? EIO : 0;

    if (error == 0)
        return status;
    if (error != EPIPE)
        cli_say(CLI_FAILED, "standard output: %s", strerror(error));
    return status != CLI_OK ? status : CLI_FAILED;
}

static int run(int argc, char **argv)
{
    struct cli_options options;

    if (argc < 2)
        return cli_say(CLI_USAGE, "which command? see shmring -h");
    const char *first = argv[1];
    if (strcmp(first, "-h") == 0 || strcmp(first, "--help") == 0) {
        print_usage();
        return CLI_OK;
    }
    if (strcmp(first, "--version") == 0) {
        printf("shmring %s\n", shmring_version());
        return CLI_OK;
    }
    const struct cli_command *command = find_command(first);
    if (command == NULL)
        return CLI_USAGE;
    int status = cli_parse(command, argc - 1, argv + 1, &options);
    if (status != CLI_OK)
        return status;
    if (options.help) {
        print_command(command);
        return CLI_OK;
    }
    return command->run(&options);
}

int main(int argc, char **argv)
{
    occupy_streams();
    catch_signals();
    return flush_output(run(argc, argv));
}

/* SPDX-License-Identifier: MIT */
/* At most 100 columns. */
#include "doctor.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXIT_BAD = 1,
    EXIT_USAGE = 2,
    ROOT_MAX = 256,
};

static const char HELP[] =
    "Usage: shmring-bench doctor [OPTION]...\n"
    "Looks for what spoils measurements on this machine, and says what mends each. Changes "
    "nothing,\n"
    "and needs no privileges; what mends needs root.\n"
    "\n"
    "  -r, --root DIR   look at the copy of /proc and /sys in DIR instead\n"
    "  -h, --help       this text\n"
    "\n"
    "Exit status: 0 all is well, 1 something is bad, 2 usage.\n";

bool doctor_read(const char *root, const char *path, char *ret_text, size_t text_size)
{
    char whole[ROOT_MAX + 256];
    FILE *file;
    bool done;

    snprintf(whole, sizeof whole, "%s%s", root, path);
    file = fopen(whole, "re");
    if (file == NULL)
        return false;
    done = fgets(ret_text, (int)text_size, file) != NULL;
    fclose(file);
    if (done)
        ret_text[strcspn(ret_text, "\n")] = '\0';
    return done;
}

const char *state_name(enum state state)
{
    static const char *const names[] = {
        [STATE_GOOD] = "ok", [STATE_BAD] = "bad", [STATE_UNKNOWN] = "unknown"};

    return names[state];
}

/* "always [madvise] never": what is in brackets; else the first word. */
static void keep_word(char *text)
{
    char *begin = strchr(text, '[');

    if (begin != NULL)
        memmove(text, begin + 1, strlen(begin + 1) + 1);
    text[strcspn(text, " \t]")] = '\0';
}

struct finding doctor_look(const struct check *check, const char *root)
{
    struct finding finding = {STATE_UNKNOWN, "nothing to be seen"};
    char text[64];
    bool good = false;

    if (check->look != NULL)
        return check->look(root);
    if (!doctor_read(root, check->path, text, sizeof text))
        return finding;
    keep_word(text);
    switch (check->wants) {
    case IS:
    case IS_NOT:
        good = (strcmp(text, check->value) == 0) == (check->wants == IS);
        break;
    case AT_MOST:
        good = strtod(text, NULL) <= strtod(check->value, NULL);
        break;
    case AT_LEAST:
        good = strtod(text, NULL) >= strtod(check->value, NULL);
        break;
    }
    finding.state = good ? STATE_GOOD : STATE_BAD;
    snprintf(finding.found, sizeof finding.found, "%s", text[0] != '\0' ? text : "none");
    return finding;
}

static const char *read_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"root", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *root = "";
    int option;

    while ((option = getopt_long(argc, argv, "r:h", known, NULL)) != -1) {
        if (option == 'h') {
            fputs(HELP, stdout);
            exit(EXIT_SUCCESS);
        }
        if (option == 'r')
            root = optarg;
        if (option != 'r' || strlen(root) > ROOT_MAX) {
            fprintf(stderr, "Try 'shmring-bench doctor --help'.\n");
            exit(EXIT_USAGE);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "shmring-bench doctor: no argument is expected: %s\n", argv[optind]);
        exit(EXIT_USAGE);
    }
    return root;
}

int doctor_main(int argc, char **argv)
{
    const char *root = read_options(argc, argv);
    unsigned counts[3] = {0};

    for (size_t i = 0; i < check_count; i++) {
        struct finding finding = doctor_look(&checks[i], root);

        counts[finding.state]++;
        printf("%-8s %-16s %s", state_name(finding.state), checks[i].name, finding.found);
        if (finding.state == STATE_BAD)
            printf("\n         %s\n         %s", checks[i].why, checks[i].mend);
        putchar('\n');
    }
    printf("\n%u ok, %u bad, %u unknown\n", counts[STATE_GOOD], counts[STATE_BAD],
           counts[STATE_UNKNOWN]);
    if (fflush(stdout) != 0)
        return EXIT_BAD;
    return counts[STATE_BAD] == 0 ? EXIT_SUCCESS : EXIT_BAD;
}

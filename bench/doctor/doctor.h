/* SPDX-License-Identifier: MIT */
/* shmring-bench doctor: what on this machine spoils measurements, and what mends it. */
#ifndef BENCH_DOCTOR_DOCTOR_H
#define BENCH_DOCTOR_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum state {
    STATE_GOOD,
    STATE_BAD,
    STATE_UNKNOWN, /* there is nothing to be seen: often so in a virtual machine */
};

struct finding {
    enum state state;
    char found[64];
};

/*
 * One thing to look at. A file whose first line is compared with a value, or look(), for what is
 * more than that. Its first word is what counts; of "always [madvise] never" that in brackets.
 */
struct check {
    const char *name;
    const char *path;
    enum {
        IS,       /* the text */
        IS_NOT,   /* the text */
        AT_MOST,  /* the number */
        AT_LEAST, /* the number */
    } wants;
    const char *value;
    struct finding (*look)(const char *root);
    const char *why;  /* it matters, if bad */
    const char *mend; /* a command, or what else to do */
};

enum {
    CHECKS_MAX = 32,
};
extern const struct check checks[];
extern const size_t check_count;

/* root: "" or a directory with a copy of /proc and /sys in it. */
struct finding doctor_look(const struct check *check, const char *root);

const char *state_name(enum state state);

/* The first line of root and path; false if it cannot be read. */
bool doctor_read(const char *root, const char *path, char *ret_text, size_t text_size);

/* What takes more than one look at one file; or another one than at files, which no copy shows. */
struct finding look_at_governors(const char *root);
struct finding look_at_turbo(const char *root);
struct finding look_at_hypervisor(const char *root);
struct finding look_at_stolen_time(const char *root);
struct finding look_at_idle_states(const char *root);
struct finding look_at_counters(const char *root);
struct finding look_at_membarrier(const char *root);
struct finding look_at_build(const char *root);

/* The command: arguments from its name on. Returns the exit status. */
int doctor_main(int argc, char **argv);

#endif

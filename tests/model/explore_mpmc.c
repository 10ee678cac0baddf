/* SPDX-License-Identifier: MIT */
#include "ring.h"
#include "scenarios.h"

#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct scenario *const lists[] = {scenarios_order, scenarios_held, scenarios_death,
                                               scenarios_hostile};

static void run(const struct scenario *scenario)
{
    explore_program program = scenario->program;

    program.died = ring_died;
    program.stepped = ring_stepped;
    program.name_of = ring_name_of;
    if (program.finished == NULL)
        program.finished = ring_finish;
    explore(scenario->name, &program);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    bool found = false;

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (const struct scenario *s = lists[i]; s->name != NULL; s++) {
            if (argc == 2 && strcmp(argv[1], s->name) == 0) {
                run(s);
                found = true;
            } else if (argc == 1) {
                puts(s->name);
            }
        }
    }
    return argc == 1 || found ? 0 : 2;
}

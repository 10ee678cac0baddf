/* SPDX-License-Identifier: MIT */
/*
 * Claim: whichever call of the library fails, with whichever errno, once or from then on: what was
 * called returns an error that it documents, with its outputs untouched, and nothing is left: no
 * descriptor, no mapping, no file, no semaphore. Nothing hangs.
 *
 * Arguments: a group (see below), and --sites to print where faults were injected.
 */
#include "../check.h"

#include "scenario.h"

#include <string.h>

static const struct {
    const char *name;
    void (*run)(void);
} groups[] = {
    {"segment", scenarios_segment}, {"ring", scenarios_ring}, {"open", scenarios_open},
    {"wait", scenarios_wait},       {"link", scenarios_link},
};

int main(int count, char **arguments)
{
    char mark[32];

    if (count < 2) {
        for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
            printf("%s\n", groups[i].name);
        return 2;
    }
    snprintf(mark, sizeof mark, "shmring-test-%d-", (int)getpid());
    leaks_look_for(mark, NULL);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strcmp(groups[i].name, arguments[1]) == 0) {
            groups[i].run();
            return scenario_report(groups[i].name, count > 2) ? 0 : 1;
        }
    return 2;
}

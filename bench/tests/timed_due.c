/* SPDX-License-Identifier: MIT */
/* Are messages due when their load says: at even distances, those of a burst all at once? */
#include "workloads/timed_loop.h"

#include <stdio.h>

enum { START = 1000, MESSAGES = 12 };

static int wrong(const char *what, const struct run *run, const uint64_t *want)
{
    for (uint64_t seq = 0; seq < MESSAGES; seq++) {
        uint64_t due = timed_due(run, START, seq);

        if (due == want[seq])
            continue;
        printf("%s: message %llu is due at %llu, not %llu\n", what, (unsigned long long)seq,
               (unsigned long long)due, (unsigned long long)want[seq]);
        return 1;
    }
    return 0;
}

int main(void)
{
    static const uint64_t even[MESSAGES] = {1000, 1010, 1020, 1030, 1040, 1050,
                                            1060, 1070, 1080, 1090, 1100, 1110};
    static const uint64_t fours[MESSAGES] = {1000, 1000, 1000, 1000, 1040, 1040,
                                             1040, 1040, 1080, 1080, 1080, 1080};
    const struct run rate = {.burst = 1, .interval = 10}, burst = {.burst = 4, .interval = 40};

    return wrong("open", &rate, even) + wrong("burst", &burst, fours);
}

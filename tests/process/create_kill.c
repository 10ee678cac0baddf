/* SPDX-License-Identifier: MIT */
/*
 * Claim: a process that is killed while it creates a ring leaves a complete one or none; and when
 * two create the same name at once, exactly one of them does.
 *
 * usage: create_kill [SEED]
 */
#include "../messages.h"

#include <time.h>

static char name[64];

static void remove_ring(void)
{
    shmring_segment_unlink(name);
}

static _Noreturn void create(void)
{
    int error = shmring_channel_create(name, NULL);

    _exit(error == 0 ? 0 : error == -EEXIST ? 17 : 1);
}

static void kill_creators(uint64_t seed, int rounds)
{
    int complete = 0, none = 0;

    for (int round = 0; round < rounds; round++) {
        shmring_segment segment;
        pid_t child = check_fork();
        if (child == 0)
            create();
        nanosleep(&(struct timespec){.tv_nsec = (long)(test_random(&seed) % 4000000)}, NULL);
        kill(child, SIGKILL);
        check_wait(child);
        int error = shmring_segment_open(&segment, name, NULL, NULL);

        CHECK(error == 0 || error == -ENOENT);
        if (error == 0)
            shmring_segment_close(&segment);
        *(error == 0 ? &complete : &none) += 1;
        remove_ring();
    }
    printf("killed while creating: %d complete, %d none\n", complete, none);
    for (int round = 0; round < 100; round++) {
        pid_t first = check_fork();
        if (first == 0)
            create();
        pid_t second = check_fork();
        if (second == 0)
            create();
        CHECK_EQ(check_wait(first) + check_wait(second), 0 + 17);
        remove_ring();
    }
}

int main(int argc, char **argv)
{
    uint64_t seed = test_seed(argc, argv);

    snprintf(name, sizeof name, "shmring-test-create-%d", (int)getpid());
    return test_and_remove(kill_creators, seed, 300, name);
}

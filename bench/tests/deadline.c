/* SPDX-License-Identifier: MIT */
/* Who hangs, asleep or spinning, is past the deadline; who waits for a processor is not. */
#include "deadline.h"

#include "shmring/wait.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ALLOWED_MS = 300, NS_PER_MS = 1000000 };

static struct deadline_members *members;
static pid_t children[2];

static void end_children(void)
{
    for (int i = 0; i < 2; i++)
        if (children[i] != 0) {
            kill(children[i], SIGKILL);
            waitpid(children[i], NULL, 0);
            children[i] = 0;
        }
}

/* A child that sleeps or spins, on the first processor that there is. */
static void make_child(int which, bool joins, bool spins)
{
    if ((children[which] = fork()) != 0)
        return;
    cpu_set_t all, first;

    alarm(60); /* also if we die */
    CPU_ZERO(&first);
    sched_getaffinity(0, sizeof all, &all);
    for (size_t cpu = 0; CPU_COUNT(&first) == 0; cpu++)
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &first);
    sched_setaffinity(0, sizeof first, &first);
    if (joins)
        deadline_join(members, 1);
    while (spins)
        continue;
    for (;;)
        pause();
}

static int64_t used_by(pid_t child)
{
    struct timespec used = {0};
    clockid_t clock;

    clock_getcpuclockid(child, &clock);
    clock_gettime(clock, &used);
    return used.tv_sec * INT64_C(1000000000) + used.tv_nsec;
}

static void nap(void)
{
    const struct timespec time = {0, 5 * NS_PER_MS};

    nanosleep(&time, NULL);
}

/* What the child has used of its processor when its time is over. */
static int64_t await_deadline(bool spins, int64_t *ret_passed)
{
    while (shmring_load32_acquire(&members->of[1].tid) == 0)
        nap();
    struct deadline deadline = deadline_in(members, (int64_t)ALLOWED_MS * NS_PER_MS);
    int64_t before = used_by(children[0]), used;

    do {
        while (!deadline_is_over(&deadline))
            nap();
        used = used_by(children[0]);
        *ret_passed = shmring_clock() - deadline.begin_ns;
        /* Is it in the middle of a wait? That is counted once it runs again. */
        while (spins && used_by(children[0]) == used)
            nap();
    } while (!deadline_is_over(&deadline));
    return used - before;
}

static int try(const char *what, bool spins, bool crowded)
{
    int64_t passed, used;
    int wrong = 0;

    make_child(0, true, spins);
    if (crowded)
        make_child(1, false, true);
    used = await_deadline(spins, &passed);
    /* Others may run here too; so there is no telling how long it takes, but with patience. */
    if (spins && used < ALLOWED_MS * NS_PER_MS / 4 * 3 &&
        passed < (int64_t)DEADLINE_PATIENCE * ALLOWED_MS * NS_PER_MS)
        wrong = 1;
    printf("%s: over after %lld ms, of which it ran %lld\n", what, (long long)passed / NS_PER_MS,
           (long long)used / NS_PER_MS);
    end_children();
    shmring_store32_release(&members->of[1].tid, 0);
    return wrong;
}

int main(void)
{
    if (access("/proc/self/schedstat", R_OK) != 0) {
        printf("skipped: this kernel does not count who waits for a processor\n");
        return 77;
    }
    members =
        mmap(NULL, sizeof *members, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (members == MAP_FAILED)
        return 1;
    alarm(60);
    return try("asleep", false, false) + try("spinning", true, false) +
           try("spinning beside another one", true, true);
}

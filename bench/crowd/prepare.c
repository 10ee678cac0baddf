/* SPDX-License-Identifier: MIT */
/* Who belongs to the crowd, and on which processor. */
#include "crowd/conduct.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

enum {
    CPUS_MAX = CROWD_MEMBERS_MAX, /* more than there are members are of no use */
};

struct crowd *the_crowd;

static int cpus[CPUS_MAX];
static uint32_t cpu_count;

int crowd_init(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return -errno;
    cpu_count = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && cpu_count < CPUS_MAX; cpu++)
        if (CPU_ISSET((size_t)cpu, &set))
            cpus[cpu_count++] = cpu;
    the_crowd = mmap(NULL, sizeof *the_crowd, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return the_crowd != MAP_FAILED ? 0 : -errno;
}

/* The first half of the processors that are used is for producers, the rest for consumers, so that
 * 1p1c is placed as a stream is. */
static int place_member(uint32_t members, enum role role, uint32_t idx)
{
    uint32_t wanted = members > 2 ? members : 2; /* solo: beside the conductor */
    uint32_t used = wanted < cpu_count ? wanted : cpu_count;
    uint32_t half = used / 2;

    if (used == 1)
        return cpus[0];
    return role == ROLE_PRODUCER ? cpus[idx % half] : cpus[half + idx % (used - half)];
}

int crowd_host_cpu(const struct bench_case *bench_case)
{
    const struct shape *shape = &bench_case->shape;

    return place_member(shape->producers + shape->consumers, ROLE_CONSUMER, 0);
}

void crowd_prepare(const struct bench_case *bench_case)
{
    const struct shape *shape = &bench_case->shape;
    uint32_t members = shape->producers + shape->consumers;

    /* All but the gaps, of which only those that are counted are looked at. */
    memset(the_crowd, 0, offsetof(struct crowd, members));
    the_crowd->producers = shape->producers;
    the_crowd->consumers = shape->consumers;
    for (uint32_t i = 0; i < members; i++) {
        struct crowd_member *member = &the_crowd->members[i];
        enum role role = i < shape->producers ? ROLE_PRODUCER : ROLE_CONSUMER;

        memset(member, 0, offsetof(struct crowd_member, gaps));
        member->crowd = the_crowd;
        member->role = role;
        member->idx = role == ROLE_PRODUCER ? i : i - shape->producers;
        member->size = shape->size;
        member->batch = shape->batch;
        member->cpu = bench_case->workload == WORKLOAD_SOLO
                          ? crowd_host_cpu(bench_case)
                          : place_member(members, role, member->idx);
        member->oversubscribed = members > cpu_count;
        member->holds = bench_case->transport->crowd->holds;
        member->fifo = bench_case->transport->crowd->fifo;
        member->gap_min = (uint64_t)(CROWD_GAP_MIN_NS / stamp_ns);
    }
}

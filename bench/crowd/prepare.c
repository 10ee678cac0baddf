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

int crowd_init(bool same_core)
{
    const uint32_t most = same_core ? 1 : CPUS_MAX;
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return -errno;
    cpu_count = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && cpu_count < most; cpu++)
        if (CPU_ISSET((size_t)cpu, &set))
            cpus[cpu_count++] = cpu;
    the_crowd = mmap(NULL, sizeof *the_crowd, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return the_crowd != MAP_FAILED ? 0 : -errno;
}

/* Of the processors that are used the first ones are for producers, the rest for consumers, in
 * proportion, so that 1p1c is placed as a stream is. */
static int place_member(const struct shape *shape, enum role role, uint32_t idx)
{
    /* Of solo, the one that is both is beside the conductor. */
    uint32_t consumers = shape->consumers != 0 ? shape->consumers : 1;
    uint32_t members = shape->producers + consumers;
    uint32_t used = members < cpu_count ? members : cpu_count;
    uint32_t first = used * shape->producers / members;

    if (used == 1)
        return cpus[0];
    first = first != 0 ? first : 1;
    return role == ROLE_PRODUCER ? cpus[idx % first] : cpus[first + idx % (used - first)];
}

int crowd_host_cpu(const struct bench_case *bench_case)
{
    return place_member(&bench_case->shape, ROLE_CONSUMER, 0);
}

uint32_t crowd_channels(const struct bench_case *bench_case)
{
    bool is_shared =
        bench_case->workload == WORKLOAD_FAN_IN && bench_case->transport->fan == FAN_SHARED;

    return is_shared ? 1 : fan_many(&bench_case->shape);
}

/* All for the one; of the many each has its own, or they share one. */
static void set_sides(const struct bench_case *bench_case, struct crowd_member *member)
{
    enum role one = bench_case->workload == WORKLOAD_FAN_IN ? ROLE_CONSUMER : ROLE_PRODUCER;
    uint32_t channels = crowd_channels(bench_case);

    member->fifo = true;
    member->first_side = member->idx % channels;
    member->side_count = member->role == one ? channels : 1;
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
                          : place_member(shape, role, member->idx);
        member->oversubscribed = members > cpu_count;
        if (case_is_fan(bench_case)) {
            set_sides(bench_case, member);
        } else {
            member->holds = bench_case->transport->crowd->holds;
            member->fifo = bench_case->transport->crowd->fifo;
        }
        member->gap_min = (uint64_t)(CROWD_GAP_MIN_NS / stamp_ns);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * How kill_step gets a victim to a boundary between two instructions.
 *
 * Once per operation the victim is stepped from end to end. What a death leaves to others is the
 * ring's memory and the locks, so boundaries between two changes of these are alike: of each place
 * in the code the first visit between two changes is noted (in libc, which has no access to the
 * ring: what is next to a system call). Then a victim is brought to each of them: by a hardware
 * breakpoint at the place that is nearest to it in visits, and by steps from there.
 */
#ifndef SHMRING_TESTS_KILL_STEP_TRACE_H
#define SHMRING_TESTS_KILL_STEP_TRACE_H

#include "kill_step_victim.h"

#include <stddef.h>
#include <sys/user.h>

#if !defined(__x86_64__)
/* Elsewhere a step can break a load-linked, store-conditional loop for ever. */
#error "kill_step is for x86-64"
#endif

enum {
    TRAIL_MAX = 1 << 16,
    BOUNDARIES_MAX = 1 << 14,
    BORED = 2000,     /* steps over known places, after which the end of a scan is awaited */
    FAR = 1 << 20,    /* visits: never by breakpoint */
    NEAR = 1000,      /* steps from a breakpoint, at most */
};

struct boundary {
    uintptr_t pc;
    uintptr_t anchor; /* breakpoint; 0: none */
    unsigned visits;  /* of anchor */
    unsigned steps;   /* from there */
    bool last;        /* the operation is over */
};

static struct boundary boundaries[BOUNDARIES_MAX];
static unsigned boundary_count;
static unsigned drifted; /* victims that were not where they should be: clocks are read in loops */
static unsigned long steps_made;

extern const char __executable_start[], etext[];

static bool is_own(uintptr_t pc)
{
    return pc >= (uintptr_t)__executable_start && pc < (uintptr_t)etext;
}

static uintptr_t place(pid_t pid)
{
    return (uintptr_t)ptrace(PTRACE_PEEKUSER, pid, (void *)offsetof(struct user, regs.rip), NULL);
}

static void go(pid_t pid, bool one_step)
{
    int status;

    CHECK(ptrace(one_step ? PTRACE_SINGLESTEP : PTRACE_CONT, pid, NULL, NULL) == 0);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
    steps_made++;
}

/* False if there is no breakpoint to be had. pc 0: none is wanted. */
static bool set_break(pid_t pid, uintptr_t pc)
{
    const size_t debug = offsetof(struct user, u_debugreg);

    return ptrace(PTRACE_POKEUSER, pid, (void *)debug, (void *)pc) == 0 &&
           ptrace(PTRACE_POKEUSER, pid, (void *)(debug + 7 * sizeof(long)),
                  (void *)(long)(pc != 0)) == 0;
}

static bool is_system_call(pid_t pid, uintptr_t pc)
{
    return (ptrace(PTRACE_PEEKTEXT, pid, (void *)pc, NULL) & 0xffff) == 0x050f;
}

/* One pass from start to end. */
struct trail {
    uintptr_t pc[TRAIL_MAX];
    uint32_t visit[TRAIL_MAX]; /* of that place, from 1; FAR: unknown, or in libc */
    uint32_t count;
    uint32_t gap; /* steps before it cannot be counted from */
    uint32_t *visits, *epochs; /* by place */
    uint32_t epoch;            /* changes of what others see */
    uint32_t libc_epoch;
    bool after_call;
    uint32_t bored;
    uintptr_t scan_end;
    struct image seen;
    unsigned locks;
};

static struct trail trail;

static unsigned locks_held(void)
{
    unsigned locks = 0;

    for (uint32_t id = 5; id < IDS; id++)
        locks = locks << 1 | (unsigned)shmring_member_probe(segment.fd, id);
    return locks;
}

static void look_for_change(bool may_lock)
{
    struct image now = trail.seen;
    unsigned locks = may_lock ? locks_held() : 0;

    copy_image(&now, false);
    if (memcmp(&now, &trail.seen, sizeof now) == 0 && locks == trail.locks)
        return;
    trail.seen = now;
    trail.locks = locks;
    trail.epoch++;
}

/* Is this boundary unlike those before it? */
static bool is_new(pid_t pid, uintptr_t pc)
{
    if (is_own(pc)) {
        uint32_t *epoch = &trail.epochs[pc - (uintptr_t)__executable_start];
        bool is = *epoch != trail.epoch;

        *epoch = trail.epoch;
        trail.bored = is ? 0 : trail.bored + 1;
        trail.after_call = false;
        return is;
    }
    bool is_call = is_system_call(pid, pc);
    bool is = is_call || trail.after_call || trail.libc_epoch != trail.epoch;

    trail.after_call = is_call;
    trail.libc_epoch = trail.epoch;
    return is;
}

/* How to come there again in the fewest stops. */
static void note_boundary(uintptr_t pc, bool last)
{
    uint32_t here = trail.count - 1, best = trail.gap == 0 ? here : UINT32_MAX;
    struct boundary *boundary = &boundaries[boundary_count++];

    CHECK(boundary_count < BOUNDARIES_MAX);
    *boundary = (struct boundary){.pc = pc, .steps = here, .last = last};
    for (uint32_t back = 0; back < NEAR && here - back > trail.gap; back++) {
        uint32_t cost = back + trail.visit[here - back] + 4;

        if (cost < best) {
            best = cost;
            boundary->anchor = trail.pc[here - back];
            boundary->visits = trail.visit[here - back];
            boundary->steps = back;
        }
    }
    if (best >= FAR)
        boundary_count--; /* in libc after a scan: no way but all the steps */
}

/* The victim scans a thousand records that nobody ever used: on to the end of it. */
static void skip_scan(pid_t pid)
{
    for (uint32_t i = trail.count - BORED / 2; i < trail.count; i++)
        if (is_own(trail.pc[i]))
            trail.visits[trail.pc[i] - (uintptr_t)__executable_start] = FAR;
    trail.bored = 0;
    if (!set_break(pid, trail.scan_end))
        return;
    go(pid, false);
    CHECK(set_break(pid, 0));
    CHECK_EQ(place(pid), trail.scan_end);
    trail.scan_end = 0;
    trail.gap = trail.count;
}

/* Steps a victim from start to end, and finds the boundaries. */
static void record(pid_t pid, bool may_lock)
{
    size_t text = (size_t)(etext - __executable_start) * sizeof(uint32_t);
    uint32_t *visits = trail.visits != NULL ? trail.visits : malloc(text);
    uint32_t *epochs = trail.epochs != NULL ? trail.epochs : malloc(text);
    bool inside = false;

    CHECK(visits != NULL && epochs != NULL);
    memset(visits, 0, text);
    memset(epochs, 0, text);
    memset(&trail, 0, sizeof trail);
    trail.visits = visits;
    trail.epochs = epochs;
    trail.epoch = 1;
    boundary_count = 0;
    copy_image(&trail.seen, false);
    for (;;) {
        uintptr_t pc = place(pid);
        uint32_t *visit = &trail.visits[is_own(pc) ? pc - (uintptr_t)__executable_start : 0];

        CHECK(trail.count < TRAIL_MAX);
        trail.visit[trail.count] = is_own(pc) ? ++*visit : FAR;
        trail.pc[trail.count++] = pc;
        inside = inside || pc == (uintptr_t)operate;
        if (pc == (uintptr_t)shmring_member_seize)
            trail.scan_end = (uintptr_t)ptrace(
                PTRACE_PEEKDATA, pid, (void *)ptrace(PTRACE_PEEKUSER, pid,
                (void *)offsetof(struct user, regs.rsp), NULL), NULL);
        if (inside)
            look_for_change(may_lock);
        if (inside && is_new(pid, pc))
            note_boundary(pc, pc == (uintptr_t)operated);
        if (pc == (uintptr_t)operated)
            break;
        if (trail.bored > BORED && trail.scan_end != 0)
            skip_scan(pid);
        else
            go(pid, true);
    }
}

/* Brings a new victim to a boundary. */
static void reach(pid_t pid, const struct boundary *boundary)
{
    if (boundary->anchor != 0) {
        CHECK(set_break(pid, boundary->anchor));
        for (unsigned visit = 0; visit < boundary->visits; visit++)
            go(pid, false);
        CHECK(set_break(pid, 0));
    }
    for (unsigned step = 0; step < boundary->steps; step++)
        go(pid, true);
    drifted += place(pid) != boundary->pc;
}

#endif

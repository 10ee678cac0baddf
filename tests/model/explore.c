/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* ucontext */
#include "explore.h"
#include "visited.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum {
    STACK_SIZE = 1 << 16,
    BELOW = 256, /* bytes below a local of explore_point() that setjmp() may need */
    KEEPS_MAX = 96,
    DEPTH_MAX = 4096,
};

enum status {
    ABSENT,
    ALIVE,
    ENDED,
    DIED,
};

struct thread {
    jmp_buf context;
    char *stack_low;
    enum status status;
    uint32_t steps;
    uint64_t history;
    const char *verb; /* what it is about to do */
    const void *where;
    bool (*ready)(void);
};

struct keep {
    enum explore_kind kind;
    char *memory;
    size_t size;
};

/* One state on the path from the start to where we are. */
struct frame {
    size_t saved; /* offset into snapshots */
    int next;     /* choice to try: thread, or EXPLORE_THREADS + thread that dies */
    bool any;     /* has a choice been possible? */
    /* the choice taken, for the report */
    int choice;
    const char *verb;
    const void *where;
    uint64_t seen;
};

static _Alignas(64) char stacks[EXPLORE_THREADS][STACK_SIZE];
static struct thread threads[EXPLORE_THREADS];
static const explore_program *program;
static const char *program_name;
static jmp_buf engine;
static ucontext_t engine_start;
static int running = EXPLORE_NOBODY;
static uint64_t last_seen; /* in the step that runs: of the verb that it began with */
static bool has_seen;

static struct keep keeps[KEEPS_MAX];
static uint32_t keep_count;

static struct frame frames[DEPTH_MAX];
static uint32_t depth, deepest;
static char *snapshots;
static size_t snapshot_end, snapshot_size;

static uint64_t transitions, ends;

int explore_me(void)
{
    return running;
}

bool explore_has_died(int thread)
{
    return threads[thread].status == DIED;
}

bool explore_has_ended(int thread)
{
    return threads[thread].status == ENDED;
}

uint64_t explore_mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

void explore_keep(enum explore_kind kind, void *memory, size_t size)
{
    if (keep_count == KEEPS_MAX)
        explore_fail("more than %d pieces of memory to keep", KEEPS_MAX);
    keeps[keep_count++] = (struct keep){kind, memory, size};
}

static void print_step(const struct frame *frame)
{
    int thread = frame->choice % EXPLORE_THREADS;

    if (frame->choice >= EXPLORE_THREADS)
        printf("  %d dies before: %s %s\n", thread, frame->verb, program->name_of(frame->where));
    else
        printf("  %d %-5s %-14s %llx\n", thread, frame->verb, program->name_of(frame->where),
               (unsigned long long)frame->seen);
}

void explore_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    printf("%s: FAILED: ", program_name);
    vprintf(format, arguments);
    printf(" (thread %d)\n", running);
    va_end(arguments);
    if (depth != 0 && running != EXPLORE_NOBODY)
        frames[depth - 1].seen = last_seen;
    for (uint32_t i = 0; i < depth; i++)
        if (frames[i].verb != NULL)
            print_step(&frames[i]);
    fflush(NULL);
    _Exit(1);
}

/* From a thread to the engine, which comes back here when it chooses this thread. */
static __attribute__((noinline)) void give_way(void)
{
    struct thread *self = &threads[running];

    self->stack_low = (char *)__builtin_frame_address(0) - BELOW;
    if (_setjmp(self->context) == 0)
        _longjmp(engine, 1);
}

/* From the engine to a thread, until it gives way. */
static __attribute__((noinline)) void let_run(struct thread *thread)
{
    if (_setjmp(engine) == 0)
        _longjmp(thread->context, 1);
}

static enum explore_kind kind_of(const char *where)
{
    for (uint32_t i = 0; i < keep_count; i++)
        if (where >= keeps[i].memory && where < keeps[i].memory + keeps[i].size)
            return keeps[i].kind;
    return EXPLORE_SHARED;
}

void explore_point(const char *verb, const void *where)
{
    if (running == EXPLORE_NOBODY || kind_of(where) != EXPLORE_SHARED)
        return;
    struct thread *self = &threads[running];

    self->verb = verb;
    self->where = where;
    if (++self->steps > EXPLORE_STEPS_MAX)
        explore_fail("a call that does not end");
    give_way();
    self->history = explore_mix(self->history, 1); /* that it is past here */
}

void explore_saw(const void *where, uint64_t value)
{
    if (running == EXPLORE_NOBODY || kind_of(where) == EXPLORE_PRIVATE)
        return;
    threads[running].history = explore_mix(threads[running].history, value);
    if (!has_seen)
        last_seen = value;
    has_seen = true;
}

void explore_forget(uint64_t digest)
{
    if (running == EXPLORE_NOBODY)
        return;
    threads[running].history = digest;
    threads[running].steps = 0;
}

void explore_wait_until(bool (*ready)(void))
{
    threads[running].ready = ready;
    explore_point("wait", NULL);
    threads[running].ready = NULL;
}

static void thread_main(void)
{
    explore_point("start", NULL);
    program->threads[running](running);
    threads[running].status = ENDED;
    /* its history stays: finished() may go on with what it left */
    threads[running].stack_low = stacks[running] + STACK_SIZE;
    _longjmp(engine, 1);
}

static __attribute__((noinline)) void start_thread(int me)
{
    static ucontext_t start;

    getcontext(&start);
    start.uc_stack.ss_sp = stacks[me];
    start.uc_stack.ss_size = STACK_SIZE;
    start.uc_link = &engine_start;
    makecontext(&start, thread_main, 0);
    running = me;
    threads[me].status = ALIVE;
    if (_setjmp(engine) == 0)
        setcontext(&start);
    running = EXPLORE_NOBODY;
}

static void put(const void *memory, size_t size)
{
    if (snapshot_end + size > snapshot_size) {
        snapshot_size = 2 * snapshot_size + size;
        snapshots = realloc(snapshots, snapshot_size);
        if (snapshots == NULL)
            explore_fail("no memory for %zu bytes of snapshots", snapshot_size);
    }
    memcpy(snapshots + snapshot_end, memory, size);
    snapshot_end += size;
}

static void push_frame(void)
{
    if (depth == DEPTH_MAX)
        explore_fail("a run of more than %d steps", DEPTH_MAX);
    frames[depth++] = (struct frame){.saved = snapshot_end};
    if (depth > deepest)
        deepest = depth;
    put(threads, sizeof threads);
    for (uint32_t i = 0; i < keep_count; i++)
        put(keeps[i].memory, keeps[i].size);
    for (int t = 0; t < EXPLORE_THREADS; t++)
        if (threads[t].status == ALIVE)
            put(threads[t].stack_low, (size_t)(stacks[t] + STACK_SIZE - threads[t].stack_low));
}

static void get(const char **from, void *memory, size_t size)
{
    memcpy(memory, *from, size);
    *from += size;
}

static void restore(const struct frame *frame)
{
    const char *from = snapshots + frame->saved;

    get(&from, threads, sizeof threads);
    for (uint32_t i = 0; i < keep_count; i++)
        get(&from, keeps[i].memory, keeps[i].size);
    for (int t = 0; t < EXPLORE_THREADS; t++)
        if (threads[t].status == ALIVE)
            get(&from, threads[t].stack_low,
                (size_t)(stacks[t] + STACK_SIZE - threads[t].stack_low));
}

static uint64_t hash_state(void)
{
    uint64_t hash = 1, value;

    for (uint32_t i = 0; i < keep_count; i++) {
        for (size_t at = 0; keeps[i].kind != EXPLORE_PRIVATE && at < keeps[i].size; at += 8) {
            memcpy(&value, keeps[i].memory + at, 8);
            hash = explore_mix(hash, value);
        }
    }
    for (int t = 0; t < EXPLORE_THREADS; t++)
        hash = explore_mix(explore_mix(hash, threads[t].status), threads[t].history);
    return hash != 0 ? hash : 1;
}

static uint32_t death_count(void)
{
    uint32_t count = 0;

    for (int t = 0; t < EXPLORE_THREADS; t++)
        count += threads[t].status == DIED;
    return count;
}

static bool is_possible(int choice)
{
    int t = choice % EXPLORE_THREADS;

    if (threads[t].status != ALIVE)
        return false;
    if (choice < EXPLORE_THREADS)
        return threads[t].ready == NULL || threads[t].ready();
    return (program->mortal >> t & 1) != 0 && death_count() < program->deaths;
}

static void step(struct frame *frame, int choice)
{
    int t = choice % EXPLORE_THREADS;

    frame->choice = choice;
    frame->verb = threads[t].verb;
    frame->where = threads[t].where;
    last_seen = 0;
    has_seen = false;
    if (choice < EXPLORE_THREADS) {
        running = t;
        let_run(&threads[t]);
        running = EXPLORE_NOBODY;
    } else {
        threads[t].status = DIED;
        threads[t].history = 0;
        program->died(t);
    }
    frame->seen = last_seen;
    transitions++;
    program->stepped();
}

/* Tries the next choice of the last frame; false if it has none left. */
static bool advance(void)
{
    struct frame *top = &frames[depth - 1];

    if (top->next != 0)
        restore(top);
    while (top->next < 2 * EXPLORE_THREADS && !is_possible(top->next))
        top->next++;
    if (top->next == 2 * EXPLORE_THREADS) {
        if (!top->any) {
            ends++;
            program->finished();
        }
        snapshot_end = top->saved;
        depth--;
        return false;
    }
    top->any = true;
    step(top, top->next++);
    return true;
}

void explore(const char *name, const explore_program *of)
{
    program = of;
    program_name = name;
    program->setup();
    for (int t = 0; t < EXPLORE_THREADS; t++)
        if (program->threads[t] != NULL)
            start_thread(t);
    visited_add(hash_state());
    push_frame();
    while (depth != 0)
        if (advance() && visited_add(hash_state()))
            push_frame();
    printf("%s: %zu states, %llu steps, %llu ends, at most %u steps long\n", name, visited_count(),
           (unsigned long long)transitions, (unsigned long long)ends, deepest - 1);
    free(snapshots);
}

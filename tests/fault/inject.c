/* SPDX-License-Identifier: MIT */
#include "../check.h"

#include "inject.h"

#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>

enum { SETS_MAX = 4096 };

extern const char __executable_start[];

static _Thread_local bool armed;
static fault planned[FAULT_PLANNED];
static fault_trace trace[FAULT_TRACE_MAX];
static int traced, injected, injected_before, injected_most;
static bool undoing_failed;
static struct {
    int id;
    bool is_prepared; /* before any call could fail: who cannot remove it is not to blame */
} sets[SETS_MAX];
static int set_count;

void fault_plan(const fault faults[FAULT_PLANNED])
{
    memcpy(planned, faults, sizeof planned);
    traced = injected = injected_most = 0;
    undoing_failed = false;
}

void fault_arm(void)
{
    injected_before = injected;
    armed = true;
}

void fault_disarm(void)
{
    if (armed && injected - injected_before > injected_most)
        injected_most = injected - injected_before;
    armed = false;
}

const fault_trace *fault_traced(int *ret_count)
{
    *ret_count = traced < FAULT_TRACE_MAX ? traced : FAULT_TRACE_MAX;
    return trace;
}

int fault_injected(void)
{
    return injected;
}

int fault_injected_at_once(void)
{
    return injected_most;
}

bool fault_undoing_failed(void)
{
    return undoing_failed;
}

static bool is_listed(const int *errors, size_t count, int error)
{
    for (size_t i = 0; i < count && errors[i] != 0; i++)
        if (errors[i] == error)
            return true;
    return false;
}

/* What passes by itself fails a few times: the library may try again until then. */
static bool is_due(const fault *wish, int n, const fault_call *call)
{
    const bool passes = wish->error == EINTR || wish->error == EAGAIN || wish->error == ETIMEDOUT;

    if (wish->n == 0 || n < wish->n || !is_listed(call->errors, FAULT_ERRORS_MAX, wish->error))
        return false;
    return n == wish->n || (wish->from_on && (!passes || n < wish->n + FAULT_BURST));
}

static int error_of_next(const fault_call *call)
{
    int n = ++traced;

    for (int i = 0; i < FAULT_PLANNED; i++)
        if (is_due(&planned[i], n, call))
            return planned[i].error;
    return 0;
}

static long call_real(fault_function *real, const long a[FAULT_ARGUMENTS])
{
    return real(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
}

static long fail(const fault_call *call, int error, fault_function *real,
                 const long arguments[FAULT_ARGUMENTS])
{
    undoing_failed |= call->undoes == 1 || (call->undoes == 2 && injected > 0);
    undoing_failed |= is_listed(call->leaves, sizeof call->leaves / sizeof *call->leaves, error);
    injected++;
    if (error == FAULT_SHORT) {
        long half[FAULT_ARGUMENTS];

        memcpy(half, arguments, sizeof half);
        half[call->size_argument] /= 2;
        return call_real(real, half);
    }
    if (call->is_done)
        call_real(real, arguments);
    errno = error;
    return call->returns_null ? 0 : -1;
}

/* So that what is left behind can be found, and removed. */
static void note_set(const char *name, long result, bool is_prepared)
{
    if (strcmp(name, "semget") == 0 && (int)result >= 0 && set_count < SETS_MAX) {
        sets[set_count].id = (int)result;
        sets[set_count++].is_prepared = is_prepared;
    }
}

long fault_enter(const char *name, fault_function *real, void *return_address,
                 const long arguments[FAULT_ARGUMENTS])
{
    if (!armed) {
        long result = call_real(real, arguments);

        note_set(name, result, true);
        return result;
    }
    armed = false;
    const fault_call *call = fault_call_find(name, arguments);

    if (call == NULL) {
        fprintf(stderr, "%s(%ld, %ld, %ld): no row for it in calls.c\n", name, arguments[0],
                arguments[1], arguments[2]);
        _exit(1);
    }
    int error = error_of_next(call);

    if (traced <= FAULT_TRACE_MAX)
        trace[traced - 1] =
            (fault_trace){call, (const char *)((const char *)return_address - __executable_start)};
    long result = error != 0 ? fail(call, error, real, arguments) : call_real(real, arguments);

    note_set(name, result, false);
    armed = true;
    return result;
}

/* Those that are gone are forgotten. */
int fault_sets(void)
{
    struct semid_ds status;
    int kept = 0, count = 0;

    for (int i = 0; i < set_count; i++)
        if (semctl(sets[i].id, 0, IPC_STAT, &status) == 0) {
            count += !sets[i].is_prepared;
            sets[kept++] = sets[i];
        }
    set_count = kept;
    return count;
}

void fault_sets_remove(void)
{
    for (int i = 0; i < set_count; i++)
        semctl(sets[i].id, 0, IPC_RMID);
    set_count = 0;
}

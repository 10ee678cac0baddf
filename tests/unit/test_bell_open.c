/* SPDX-License-Identifier: MIT */
/* Opening a bell tries the kernel: it must not be a sleeper by that, not even for a moment, for a
 * ring could hit it in place of one who sleeps. syscall() is one of our own here. */
#define _GNU_SOURCE
#include "bells.h"

#include <dlfcn.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/syscall.h>

static int waits, refusals;
static bool is_rung;

long syscall(long number, ...)
{
    static long (*libc)(long, ...);
    long arguments[6];
    va_list list;

    if (libc == NULL)
        *(void **)(void *)&libc = dlsym(RTLD_NEXT, "syscall");
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        arguments[i] = va_arg(list, long);
    va_end(list);
    bool is_wait =
        number == SYS_futex && (arguments[1] == FUTEX_WAIT || arguments[1] == FUTEX_WAIT_BITSET);

    /* Somebody rings just now. */
    if (is_wait && is_rung)
        shmring_add32_release(&words->wakes, 1);
    long result = libc(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                       arguments[5]);

    waits += is_wait;
    refusals += is_wait && result < 0 && errno == EAGAIN;
    return result;
}

TestSuite(bell_open, .init = set_up, .fini = tear_down, .timeout = 100);

Test(bell_open, who_opens_a_bell_never_sleeps_on_it)
{
    for (int backend = 0; backend < SHMRING_BACKENDS; backend++) {
        for (int i = 0; i < 4; i++) {
            is_rung = i % 2 != 0;
            shmring_store32_relaxed(&words->wakes, i < 2 ? 0 : UINT32_MAX);
            waits = refusals = 0;
            open_bells((enum shmring_backend)backend);
            cr_expect_eq(refusals, waits, "%s", backend_name(place.backend));
            close_bells();
        }
    }
}

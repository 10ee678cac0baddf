/* SPDX-License-Identifier: MIT */
#include "shmring/spin.h"

#if defined(__x86_64__)

#include <cpuid.h>

enum {
    REST_CYCLES = 400, /* of the time stamp counter */
    WAITPKG = 1 << 5,  /* leaf 7, ECX */
    UNKNOWN = 0,
    ABSENT,
    PRESENT,
};

/* CPUID traps to the hypervisor in a virtual machine: once is enough. */
static bool has_tpause(void)
{
    static shmring_word32 known;
    /* relaxed: all who find out find the same. */
    uint32_t answer = shmring_load32_relaxed(&known);

    if (answer == UNKNOWN) {
        unsigned a, b, c = 0, d;
        bool has = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (c & WAITPKG) != 0;

        answer = has ? PRESENT : ABSENT;
        /* relaxed: likewise. */
        shmring_store32_relaxed(&known, answer);
    }
    return answer == PRESENT;
}

void shmring_cpu_rest(void)
{
    if (!has_tpause()) {
        shmring_cpu_pause();
        return;
    }
    shmring_cpu_tpause(__builtin_ia32_rdtsc() + REST_CYCLES);
}

#elif defined(__aarch64__)

void shmring_cpu_rest(void)
{
    shmring_cpu_wfe();
}

#else

void shmring_cpu_rest(void)
{
    shmring_cpu_pause();
}

#endif

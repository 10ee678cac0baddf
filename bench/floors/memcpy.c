/* SPDX-License-Identifier: MIT */
#include "clock.h"
#include "floors.h"

#include <stdalign.h>
#include <string.h>

/* Static: a sample that a signal ends leaves nothing behind. */
static alignas(4096) uint8_t from[FLOOR_MEMCPY_MAX], to[FLOOR_MEMCPY_MAX];

void floor_memcpy(struct run *run)
{
    size_t size = run->size;

    memset(from, 1, size);
    memset(to, 0, size);
    uint64_t copies_per_look = size < (1 << 20) ? (1 << 20) / size : 1;
    int64_t begin = shmring_clock(), warm_end = begin + run->warm_ns, now;

    run->messages = 0;
    run->handled = 0;
    do {
        for (uint64_t i = 0; i < copies_per_look; i++) {
            memcpy(to, from, size);
            __asm__ volatile("" ::"r"(to) : "memory"); /* each copy is wanted */
        }
        run->messages += copies_per_look;
        run->handled += copies_per_look;
        now = shmring_clock();
        if (now < warm_end) {
            run->messages = 0;
            begin = now;
        }
    } while (now < warm_end + run->ns);
    run->elapsed_ns = now - begin;
}

/* SPDX-License-Identifier: MIT */
#include "clock.h"
#include "floors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int floor_memcpy(struct run *run)
{
    size_t size = run->size;
    uint8_t *from = aligned_alloc(4096, (size + 4095) / 4096 * 4096);
    uint8_t *to = aligned_alloc(4096, (size + 4095) / 4096 * 4096);

    if (from == NULL || to == NULL) {
        free(from);
        free(to);
        return -ENOMEM;
    }
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
    free(from);
    free(to);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *bench_alloc(size_t size)
{
    size_t rounded = (size + 127) / 128 * 128;
    void *memory = aligned_alloc(128, rounded);

    return memory != NULL ? memset(memory, 0, rounded) : NULL;
}

void *bench_share(size_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    return memory != MAP_FAILED ? memory : NULL;
}

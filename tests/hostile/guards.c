/* SPDX-License-Identifier: MIT */
/* Linked in with --wrap=mmap,--wrap=munmap: each ring that the library maps lies between pages that
 * nobody may touch, as lanes do anyway. */
#define _GNU_SOURCE
#include <shmring/atomic.h>
#include <shmring/layout.h>
#include <sys/mman.h>

void *__real_mmap(void *place, size_t size, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *place, size_t size);
void *__wrap_mmap(void *place, size_t size, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *place, size_t size);

enum { GUARDED_MAX = 256, GUARD = SHMRING_PAGE_SIZE, TAKEN = 1 };

/* Where they are; also of other threads, such as liburcu's. 0: free. relaxed, all of it: nothing is
 * passed on by these words. */
static shmring_word64 guarded[GUARDED_MAX];

static shmring_word64 *take_entry(void)
{
    for (shmring_word64 *entry = guarded; entry < guarded + GUARDED_MAX; entry++) {
        uint64_t none = 0;

        if (shmring_cas64_relaxed(entry, &none, TAKEN)) /* relaxed: as said above */
            return entry;
    }
    return NULL;
}

void *__wrap_mmap(void *place, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (place != NULL || fd < 0)
        return __real_mmap(place, size, protection, flags, fd, offset);
    shmring_word64 *entry = take_entry();

    if (entry == NULL)
        return MAP_FAILED;
    char *region = __real_mmap(NULL, size + 2 * (size_t)GUARD, PROT_NONE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (region == MAP_FAILED) {
        shmring_store64_relaxed(entry, 0); /* relaxed: as said above */
        return MAP_FAILED;
    }
    place = __real_mmap(region + GUARD, size, protection, flags | MAP_FIXED, fd, offset);
    if (place == MAP_FAILED)
        __real_munmap(region, size + 2 * (size_t)GUARD);
    /* relaxed: as said above. */
    shmring_store64_relaxed(entry, place == MAP_FAILED ? 0 : (uint64_t)(uintptr_t)place);
    return place;
}

int __wrap_munmap(void *place, size_t size)
{
    for (shmring_word64 *entry = guarded; entry < guarded + GUARDED_MAX; entry++)
        /* relaxed: as said above. */
        if (place != NULL && shmring_load64_relaxed(entry) == (uint64_t)(uintptr_t)place) {
            shmring_store64_relaxed(entry, 0);
            return __real_munmap((char *)place - GUARD, size + 2 * (size_t)GUARD);
        }
    return __real_munmap(place, size);
}

/* SPDX-License-Identifier: MIT */
/* Linked in with --wrap=mmap,--wrap=munmap: each ring that the library maps lies between pages that
 * nobody may touch, as lanes do anyway. */
#define _GNU_SOURCE
#include <shmring/layout.h>
#include <sys/mman.h>

void *__real_mmap(void *place, size_t size, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *place, size_t size);
void *__wrap_mmap(void *place, size_t size, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *place, size_t size);

enum { GUARDED_MAX = 16, GUARD = SHMRING_PAGE_SIZE };

static void *guarded[GUARDED_MAX];

void *__wrap_mmap(void *place, size_t size, int protection, int flags, int fd, off_t offset)
{
    void **entry = guarded;

    if (place != NULL || fd < 0)
        return __real_mmap(place, size, protection, flags, fd, offset);
    while (*entry != NULL)
        if (++entry == guarded + GUARDED_MAX)
            return MAP_FAILED;
    char *region = __real_mmap(NULL, size + 2 * (size_t)GUARD, PROT_NONE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (region == MAP_FAILED)
        return MAP_FAILED;
    place = __real_mmap(region + GUARD, size, protection, flags | MAP_FIXED, fd, offset);
    if (place == MAP_FAILED)
        __real_munmap(region, size + 2 * (size_t)GUARD);
    else
        *entry = place;
    return place;
}

int __wrap_munmap(void *place, size_t size)
{
    for (void **entry = guarded; entry < guarded + GUARDED_MAX; entry++)
        if (*entry == place) {
            *entry = NULL;
            return __real_munmap((char *)place - GUARD, size + 2 * (size_t)GUARD);
        }
    return __real_munmap(place, size);
}

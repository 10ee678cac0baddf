/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "region.h"

#include <string.h>
#include <sys/mman.h>

enum { PAGE = SHMRING_PAGE_SIZE };

uint8_t *region_map(size_t size, int fd)
{
    uint8_t *place = mmap(NULL, size + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (place == MAP_FAILED ||
        mmap(place + PAGE, size, PROT_READ | PROT_WRITE,
             fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED : MAP_SHARED | MAP_FIXED, fd,
             0) == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    return place + PAGE;
}

void region_make(fuzz_region *region, uint32_t kind, uint32_t element_size, uint64_t capacity,
                 uint64_t options, int fd)
{
    if (region->base != NULL)
        return;
    fuzz_expect(shmring_layout_plan(kind, element_size, capacity, &region->geometry) == 0,
                "a target plans what can be");
    region->geometry.options = options;
    region->base = region_map((size_t)region->geometry.total_size, fd);
}

void region_clear(const fuzz_region *region, uint32_t members)
{
    const shmring_geometry *geometry = &region->geometry;
    uint8_t *base = region->base;

    if (geometry->kind != SHMRING_KIND_MPMC) {
        memset(base + PAGE, 0, geometry->total_size - PAGE);
        return;
    }
    memset(base + geometry->control_offset, 0, PAGE);
    memset(base + geometry->members_offset, 0, members * sizeof(struct shmring_member_record));
    memset(base + geometry->entries_offset, 0,
           geometry->capacity * sizeof(struct shmring_mpmc_entry));
}

void region_hide_header(const fuzz_region *region)
{
    mprotect(region->base, PAGE, PROT_NONE);
}

uint8_t *region_buffer(size_t size, bool at_end)
{
    size_t whole = (size + PAGE - 1) / PAGE * PAGE;

    return region_map(whole, -1) + (at_end ? whole - size : 0);
}

bool region_holds(const fuzz_region *region, const void *place, uint64_t length)
{
    uint64_t end = region->geometry.total_size - region->geometry.data_offset;
    uint64_t at = (uintptr_t)place - (uintptr_t)(region->base + region->geometry.data_offset);

    return at <= end && length <= end - at;
}

uint8_t region_read(const void *place, uint64_t length)
{
    const uint8_t *bytes = place;
    uint8_t sum = 0;

    for (uint64_t i = 0; i < length; i++)
        sum ^= bytes[i];
    return sum;
}

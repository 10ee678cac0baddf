/* SPDX-License-Identifier: MIT */
/* The memory of a ring, exactly sized, between pages that nobody may touch. */
#ifndef SHMRING_FUZZ_REGION_H
#define SHMRING_FUZZ_REGION_H

#include "fuzz.h"

#include <shmring/layout.h>

typedef struct fuzz_region {
    shmring_geometry geometry;
    uint8_t *base; /* NULL: not made yet */
} fuzz_region;

/* Plans and maps the ring, once; zeroed. Of fd, or of nothing if it is -1. */
void region_make(fuzz_region *region, uint32_t kind, uint32_t element_size, uint64_t capacity,
                 uint64_t options, int fd);

/* Zeroes it but for its header, and in a ring of many but for the records of members beyond so many
 * and for the messages. */
void region_clear(const fuzz_region *region, uint32_t members);

/* The first page is the header's: from here on it may not be touched, either. */
void region_hide_header(const fuzz_region *region);

/* size bytes of fd (-1: of nothing), whole pages, between pages that nobody may touch. */
uint8_t *region_map(size_t size, int fd);

/* size bytes that begin, or end (at_end), at a page that nobody may touch. Never given back. */
uint8_t *region_buffer(size_t size, bool at_end);

/* Lies that in the data of the ring? */
bool region_holds(const fuzz_region *region, const void *place, uint64_t length);

/* Reads all of it. */
uint8_t region_read(const void *place, uint64_t length);

#endif

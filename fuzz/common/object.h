/* SPDX-License-Identifier: MIT */
/*
 * An object that somebody says is a ring: a sealed memfd with any bytes in it, and what the library
 * says when it is given that.
 *
 * Input: flags, a shape or none, changes of the header (a number; then place, size, bytes), the
 * size of the object. The header is that of a shape, or 128 bytes of the input, or that of the
 * first shape with other elements (size, and a power of two of them); by flags the magic number and
 * the checksum are put right after that, and the size is what the header says.
 */
#ifndef SHMRING_FUZZ_OBJECT_H
#define SHMRING_FUZZ_OBJECT_H

#include "fuzz.h"

#include <shmring/segment.h>

enum { OBJECT_SIZE_MAX = 400 << 10 };

struct object_shape {
    uint32_t kind;
    uint32_t element_size;
    uint64_t capacity;
    uint64_t options;
};

struct object {
    size_t size;
    int fd;
    uint8_t *base; /* mapped between pages that nobody may touch */
};

/* The object with the header that the input says, checked and opened: true if it is a ring. Claims:
 * only documented errors, the same by header and by descriptor, outputs left alone; and a ring's
 * parts lie in it, one behind the other. */
bool object_is_ring(fuzz_input *input, const struct object_shape *shapes, unsigned shapes_count,
                    struct object *ret_object, shmring_geometry *ret_geometry);

#endif

/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create, F_ADD_SEALS */
#include "object.h"

#include "region.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    OBJECTS = 24,
    PAGE = SHMRING_PAGE_SIZE,
    HEADER_SIZE = sizeof(struct shmring_header),
    UNTOUCHED = 0x5a,
};

enum flag { MAGIC = 1, CHECKSUM = 2, SIZE = 4, EMPTY = 0x38 };

static struct object objects[OBJECTS];
static unsigned next;
static uint8_t *header_end; /* at a page that nobody may touch */

static const int check_errors[] = {EAGAIN, EPROTO, EPROTONOSUPPORT, EBADMSG, 0};

static size_t mapped_size(size_t size)
{
    return size == 0 ? PAGE : (size + PAGE - 1) / PAGE * PAGE;
}

/* One of that size, with anything behind its first page. */
static struct object object_of(size_t size)
{
    for (unsigned i = 0; i < OBJECTS; i++)
        if (objects[i].base != NULL && objects[i].size == size)
            return objects[i];
    struct object *object = &objects[next++ % OBJECTS];

    if (object->base != NULL) {
        munmap(object->base - PAGE, mapped_size(object->size) + 2 * PAGE);
        close(object->fd);
    }
    object->size = size;
    object->fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (object->fd < 0 || ftruncate(object->fd, (off_t)size) != 0 ||
        fcntl(object->fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) != 0) {
        perror("memfd");
        exit(2);
    }
    object->base = region_map(mapped_size(size), object->fd);
    return *object;
}

static uint64_t fnv1a(const uint8_t *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Of elements and so many of them as the input says: their size may be more than a number holds. */
static void resize(fuzz_input *input, struct shmring_header *header)
{
    header->element_size = (uint32_t)fuzz_number(input, 4);
    header->capacity = UINT64_C(1) << fuzz_byte(input) % 64;
    uint64_t size = header->capacity * header->element_size;

    header->total_size = header->data_offset + (size + PAGE - 1) / PAGE * PAGE;
}

static void make_header(fuzz_input *input, const struct object_shape *shapes, unsigned count,
                        uint8_t flags, struct shmring_header *ret_header)
{
    uint8_t *bytes = (uint8_t *)ret_header;
    unsigned which = fuzz_byte(input) % (count + 2);
    const struct object_shape *shape = &shapes[which < count ? which : 0];
    shmring_geometry geometry;

    memset(ret_header, 0, sizeof *ret_header);
    if (which != count) {
        fuzz_expect(
            shmring_layout_plan(shape->kind, shape->element_size, shape->capacity, &geometry) == 0,
            "a plan");
        geometry.options = shape->options;
        shmring_layout_format(ret_header, &geometry);
        if (which > count)
            resize(input, ret_header);
    } else {
        for (size_t i = 0; i < HEADER_SIZE; i++)
            bytes[i] = fuzz_byte(input);
    }
    for (unsigned changes = fuzz_byte(input) % 8; changes != 0; changes--) {
        size_t at = fuzz_byte(input) % HEADER_SIZE, size = fuzz_byte(input) % 8 + 1u;

        for (; size != 0 && at < HEADER_SIZE; size--, at++)
            bytes[at] = fuzz_byte(input);
    }
    if ((flags & MAGIC) != 0)
        shmring_layout_publish(ret_header);
    if ((flags & CHECKSUM) != 0)
        ret_header->checksum = fnv1a(bytes, offsetof(struct shmring_header, checksum));
}

static void check_geometry(const shmring_geometry *is, size_t size)
{
    uint64_t element = is->element_size != 0 ? is->element_size : 1;

    fuzz_expect(is->total_size == size, "the parts are those of this object");
    fuzz_expect((is->capacity & (is->capacity - 1)) == 0, "a power of two");
    if (is->kind != SHMRING_KIND_MPMC) {
        fuzz_expect(is->kind == SHMRING_KIND_SPSC ||
                        (is->kind == SHMRING_KIND_LANE && is->element_size == 0),
                    "a kind that there is");
        fuzz_expect(is->producer_offset >= HEADER_SIZE &&
                        is->producer_offset + sizeof(struct shmring_role) <= is->consumer_offset &&
                        is->consumer_offset + sizeof(struct shmring_role) <= is->data_offset &&
                        is->capacity <= (size - is->data_offset) / element,
                    "one behind the other");
        fuzz_expect(is->max_message < is->capacity, "a message fits");
        return;
    }
    fuzz_expect(
        is->control_offset >= HEADER_SIZE &&
            is->control_offset + sizeof(struct shmring_mpmc_control) <= is->members_offset &&
            is->members_offset + SHMRING_MEMBER_RECORDS * sizeof(struct shmring_member_record) <=
                is->entries_offset &&
            is->capacity <=
                (is->data_offset - is->entries_offset) / sizeof(struct shmring_mpmc_entry),
        "one behind the other");
    fuzz_expect(is->slot_stride >= element && is->max_message <= is->slot_stride &&
                    is->capacity <= (size - is->data_offset) / is->slot_stride,
                "slots fit");
}

static int check(const struct shmring_header *header, size_t size, shmring_geometry *geometry)
{
    size_t there = size < HEADER_SIZE ? size & ~(size_t)7 : HEADER_SIZE;
    uint8_t untouched[sizeof *geometry];

    if (header_end == NULL)
        header_end = region_buffer(HEADER_SIZE, true) + HEADER_SIZE;
    memset(geometry, UNTOUCHED, sizeof *geometry);
    memset(untouched, UNTOUCHED, sizeof untouched);
    memcpy(header_end - there, header, there);
    int error = shmring_layout_check(header_end - there, size, geometry);

    fuzz_expect_documented(error, check_errors, "errors of shmring_layout_check");
    fuzz_expect(error == 0 || memcmp(geometry, untouched, sizeof untouched) == 0, "left alone");
    return error;
}

/* By its descriptor: as by its header, but for what is one side of a link. */
static void open_object(const struct object *object, int want, uint32_t kind)
{
    shmring_segment segment;
    uint8_t untouched[sizeof segment];
    shmring_geometry geometry;

    memset(&segment, UNTOUCHED, sizeof segment);
    memset(untouched, UNTOUCHED, sizeof untouched);
    int error = shmring_segment_open_fd(&segment, object->fd, NULL, &geometry);

    if (want == 0 && kind == SHMRING_KIND_LANE)
        want = -EPROTO; /* no ring */
    fuzz_expect(error == want, "a descriptor and a header are judged alike");
    if (error != 0) {
        fuzz_expect(memcmp(&segment, untouched, sizeof untouched) == 0, "left alone");
        return;
    }
    fuzz_expect(segment.size == object->size && geometry.total_size == object->size, "all of it");
    region_read(segment.base, 1);
    region_read((uint8_t *)segment.base + segment.size - 1, 1);
    shmring_segment_close(&segment);
}

bool object_is_ring(fuzz_input *input, const struct object_shape *shapes, unsigned shapes_count,
                    struct object *ret_object, shmring_geometry *ret_geometry)
{
    struct shmring_header header;
    uint8_t flags = fuzz_byte(input);

    make_header(input, shapes, shapes_count, flags, &header);
    size_t size = (flags & SIZE) != 0 ? (size_t)header.total_size : fuzz_number(input, 3);

    if (size > OBJECT_SIZE_MAX)
        size %= OBJECT_SIZE_MAX;
    size = (flags & EMPTY) == EMPTY ? fuzz_byte(input) : size;
    int error = check(&header, size, ret_geometry);

    *ret_object = object_of(size);
    if (size != 0)
        memcpy(ret_object->base, &header, size < HEADER_SIZE ? size : HEADER_SIZE);
    open_object(ret_object, error, ret_geometry->kind);
    if (error == 0)
        check_geometry(ret_geometry, size);
    return error == 0;
}

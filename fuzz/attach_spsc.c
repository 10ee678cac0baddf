/* SPDX-License-Identifier: MIT */
/*
 * Attaching to an object that says it is a ring of one producer and one consumer, or one side of a
 * link (common/object.h).
 * Claims: what is no ring is refused, by the documented errors; what passes can be attached to and
 * used without an access outside, whatever stands in its pages; nothing is left open.
 *
 * Input: see common/object.h; then flags, and words that are written to the roles' pages and to the
 * data (place, eight bytes).
 */
#include "common/object.h"
#include "common/region.h"

#include <errno.h>
#include <shmring/spsc_array.h>
#include <string.h>

enum {
    WORDS_MAX = 32,
    MESSAGES = 8,
    BUFFER = 256,
};

static const struct object_shape shapes[] = {
    {SHMRING_KIND_SPSC, 0, 4096, 0},
    {SHMRING_KIND_SPSC, 0, 65536, SHMRING_OPTION_LIGHT_WAKE},
    {SHMRING_KIND_SPSC, 24, 8, SHMRING_BACKEND_SEM *SHMRING_OPTION_BACKEND},
    {SHMRING_KIND_SPSC, 4097, 2, 0},
    {SHMRING_KIND_MPMC, 8, 2, 0},
    {SHMRING_KIND_LANE, 0, 4096, 0},
};

static const int attach_errors[] = {EBUSY, EPROTOTYPE, EBADMSG, EPROTONOSUPPORT, 0},
                 message_errors[] = {EAGAIN, EMSGSIZE, EBADMSG, 0};

static void write_words(fuzz_input *input, const struct object *object,
                        const shmring_geometry *geometry)
{
    const uint64_t places[] = {geometry->producer_offset, geometry->consumer_offset,
                               geometry->data_offset};

    if (geometry->kind == SHMRING_KIND_MPMC)
        return;
    memset(object->base + SHMRING_PAGE_SIZE, 0, object->size - SHMRING_PAGE_SIZE);
    for (int i = 0; i < WORDS_MAX && fuzz_left(input) != 0; i++) {
        uint8_t where = fuzz_byte(input);
        uint64_t word = fuzz_number(input, 8);

        memcpy(object->base + places[where % 3] + where / 3 * sizeof word, &word, sizeof word);
    }
}

/* One side of a link has the other's words elsewhere; here they lie in the same object. */
static int attach_producer(shmring_spsc_producer *producer, const struct object *object,
                           const shmring_geometry *geometry, int fd)
{
    if (geometry->kind == SHMRING_KIND_LANE)
        return shmring_spsc_attach_producer_lane(producer, object->base, object->base, geometry, fd,
                                                 SHMRING_SPSC_CONSUMER);
    return shmring_spsc_attach_producer(producer, object->base, geometry, fd);
}

static int attach_consumer(shmring_spsc_consumer *consumer, const struct object *object,
                           const shmring_geometry *geometry, int fd)
{
    if (geometry->kind == SHMRING_KIND_LANE)
        return shmring_spsc_attach_consumer_lane(consumer, object->base, object->base, geometry, fd,
                                                 SHMRING_SPSC_PRODUCER);
    return shmring_spsc_attach_consumer(consumer, object->base, geometry, fd);
}

static void use_messages(const struct object *object, const shmring_geometry *geometry, int fd)
{
    uint8_t buffer[BUFFER];
    shmring_spsc_producer producer = {0};
    shmring_spsc_consumer consumer = {0};
    uint64_t length;
    uint32_t session;
    int error = attach_producer(&producer, object, geometry, fd);
    int other = attach_consumer(&consumer, object, geometry, fd);

    fuzz_expect_documented(error, attach_errors, "errors of shmring_spsc_attach_producer");
    fuzz_expect_documented(other, attach_errors, "errors of shmring_spsc_attach_consumer");
    fuzz_expect(error == other, "the two are one ring");
    memset(buffer, 1, sizeof buffer);
    for (int i = 0; i < MESSAGES && error == 0; i++) {
        error = shmring_spsc_send(&producer, buffer, (uint64_t)i * 32, 0);
        fuzz_expect_documented(error, message_errors, "errors of shmring_spsc_send");
        error = shmring_spsc_recv(&consumer, buffer, sizeof buffer, &length, NULL);
        fuzz_expect_documented(error, message_errors, "errors of shmring_spsc_recv");
        error = 0;
    }
    if (other == 0)
        shmring_spsc_peer(&consumer.side, &session);
    shmring_spsc_detach_producer(&producer);
    shmring_spsc_detach_consumer(&consumer);
}

static void use_elements(const struct object *object, const shmring_geometry *geometry, int fd)
{
    shmring_array_producer producer = {0};
    shmring_array_consumer consumer = {0};
    uint64_t count;
    int error = shmring_array_attach_producer(&producer, object->base, geometry, fd);
    int other = shmring_array_attach_consumer(&consumer, object->base, geometry, fd);

    fuzz_expect_documented(error, attach_errors, "errors of shmring_array_attach_producer");
    fuzz_expect(error == other, "the two are one ring");
    for (int i = 0; i < MESSAGES && error == 0; i++) {
        uint8_t *place = shmring_array_reserve(&producer, (uint64_t)i, &count);

        if (place != NULL)
            memset(place, 1, (size_t)(count * geometry->element_size));
        shmring_array_commit(&producer, 1);
        const void *there = shmring_array_peek(&consumer, (uint64_t)i, &count);

        if (there != NULL)
            region_read(there, count * geometry->element_size);
        shmring_array_release(&consumer, 1);
    }
    shmring_array_detach_producer(&producer);
    shmring_array_detach_consumer(&consumer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, data + size};
    shmring_geometry geometry;
    struct object object;

    if (!object_is_ring(&input, shapes, sizeof shapes / sizeof *shapes, &object, &geometry))
        return 0;
    int fd = fuzz_byte(&input) % 8 == 1 ? object.fd : -1;

    write_words(&input, &object, &geometry);
    /* Both, for one of them must refuse. */
    use_messages(&object, &geometry, fd);
    use_elements(&object, &geometry, fd);
    return 0;
}

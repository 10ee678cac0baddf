/* SPDX-License-Identifier: MIT */
/*
 * Attaching to an object that says it is a ring of many (common/object.h). Claims: what is no ring
 * is refused, by the documented errors; what passes can be attached to and used without an access
 * outside, whatever stands in its pages; nothing is left open.
 *
 * Input: see common/object.h; then flags, and words that are written to control page, records of
 * members and entries (place, eight bytes).
 */
#include "common/object.h"
#include "common/region.h"

#include <errno.h>
#include <shmring/mpmc.h>
#include <string.h>

enum {
    WORDS_MAX = 32,
    MESSAGES = 4,
    BUFFER = 64,
};

static const struct object_shape shapes[] = {
    {SHMRING_KIND_MPMC, 8, 2, 0},
    {SHMRING_KIND_MPMC, 56, 8, SHMRING_OPTION_REDELIVER},
    {SHMRING_KIND_MPMC, 1000, 16, SHMRING_BACKEND_SYSV_SEM *SHMRING_OPTION_BACKEND},
    {SHMRING_KIND_MPMC, 8, 512, 0},
    {SHMRING_KIND_SPSC, 0, 4096, 0},
};

static const int attach_errors[] = {EPROTONOSUPPORT, EUSERS, 0},
                 message_errors[] = {EAGAIN, EMSGSIZE, ESTALE, EBADMSG, 0};

static void write_words(fuzz_input *input, const struct object *object,
                        const shmring_geometry *geometry)
{
    const uint64_t places[] = {geometry->control_offset, geometry->members_offset,
                               geometry->entries_offset};

    memset(object->base + SHMRING_PAGE_SIZE, 0, geometry->data_offset - SHMRING_PAGE_SIZE);
    for (int i = 0; i < WORDS_MAX && fuzz_left(input) != 0; i++) {
        uint8_t where = fuzz_byte(input);
        uint64_t word = fuzz_number(input, 8);

        memcpy(object->base + places[where % 3] + where / 3 * sizeof word, &word, sizeof word);
    }
}

static void use(shmring_mpmc_producer *producer, shmring_mpmc_consumer *consumer)
{
    uint8_t buffer[BUFFER] = {0};
    shmring_mpmc_slot slot;

    for (uint32_t i = 0; i < MESSAGES; i++) {
        int error = shmring_mpmc_send(producer, buffer, i, i);

        fuzz_expect_documented(error, message_errors, "errors of shmring_mpmc_send");
        error = shmring_mpmc_recv(consumer, buffer, sizeof buffer, &slot);
        fuzz_expect_documented(error, message_errors, "errors of shmring_mpmc_recv");
    }
    if (shmring_mpmc_take_by(consumer, SHMRING_TAKE_HIGHEST, 0, &slot)) {
        region_read(slot.data, slot.length);
        shmring_mpmc_release(consumer, &slot);
    }
    fuzz_expect(shmring_mpmc_used_guess(&producer->side) <= producer->side.mask + 1, "used");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, data + size};
    shmring_mpmc_producer producer = {0};
    shmring_mpmc_consumer consumer = {0};
    shmring_geometry geometry;
    struct object object;

    if (!object_is_ring(&input, shapes, sizeof shapes / sizeof *shapes, &object, &geometry))
        return 0;
    /* Takes a look at all members. */
    int fd = fuzz_byte(&input) % 8 == 1 ? object.fd : -1;

    if (geometry.kind == SHMRING_KIND_MPMC)
        write_words(&input, &object, &geometry);
    int error = shmring_mpmc_attach_producer(&producer, object.base, &geometry, fd);
    int other = shmring_mpmc_attach_consumer(&consumer, object.base, &geometry, fd);

    fuzz_expect_documented(error, attach_errors, "errors of shmring_mpmc_attach_producer");
    fuzz_expect_documented(other, attach_errors, "errors of shmring_mpmc_attach_consumer");
    fuzz_expect((error == -EPROTONOSUPPORT) ==
                    (geometry.kind != SHMRING_KIND_MPMC || geometry.read_only),
                "one kind");
    if (error == 0 && other == 0)
        use(&producer, &consumer);
    shmring_mpmc_detach_producer(&producer);
    shmring_mpmc_detach_consumer(&consumer);
    return 0;
}

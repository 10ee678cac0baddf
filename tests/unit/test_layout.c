/* SPDX-License-Identifier: MIT */
/* The header: what is planned is what is checked, and nothing damaged passes. */
#include "memory.h"

#include <errno.h>
#include <stddef.h>

static uint64_t fnv1a(const uint8_t *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* A header that was changed on purpose, with a checksum that fits. */
static int check_resealed(struct shmring_header *header, size_t size)
{
    shmring_geometry geometry;

    header->checksum = fnv1a((const uint8_t *)header, offsetof(struct shmring_header, checksum));
    return shmring_layout_check(header, size, &geometry);
}

Test(layout, refuses_capacities_that_are_no_power_of_two_or_out_of_range)
{
    const uint64_t bad[] = {0, 1, 3, 4095, 4097, 6144, 2048, SHMRING_CAPACITY_MAX * 2, UINT64_MAX};
    shmring_geometry geometry = {.kind = 77};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(shmring_layout_plan(SHMRING_KIND_SPSC, 0, bad[i], &geometry), -EINVAL);
    cr_expect_eq(shmring_layout_plan(99, 0, 4096, &geometry), -EINVAL);
    cr_expect_eq(
        shmring_layout_plan(SHMRING_KIND_SPSC, UINT32_MAX, SHMRING_CAPACITY_MAX, &geometry),
        -EINVAL, "elements times size overflows");
    cr_expect_eq(geometry.kind, 77, "outputs are untouched on failure");
    cr_expect_eq(shmring_layout_plan(SHMRING_KIND_SPSC, 24, 2, &geometry), 0);
    cr_expect_eq(geometry.total_size, 4 * SHMRING_PAGE_SIZE);
}

Test(layout, check_returns_what_was_planned)
{
    ring_memory memory = ring_memory_new(0, 8192);
    shmring_geometry geometry;

    cr_assert_eq(shmring_layout_check(memory.base, memory.geometry.total_size, &geometry), 0);
    cr_expect_eq(geometry.capacity, 8192);
    cr_expect_eq(geometry.total_size, memory.geometry.total_size);
    cr_expect_eq(geometry.data_offset, 3 * SHMRING_PAGE_SIZE);
    cr_expect_not(geometry.read_only);
    ring_memory_free(&memory);
}

Test(layout, every_flipped_bit_of_the_header_is_refused)
{
    ring_memory memory = ring_memory_new(0, 8192);
    shmring_geometry geometry = {.kind = 77};

    for (size_t bit = 0; bit < 8 * sizeof(struct shmring_header); bit++) {
        memory.base[bit / 8] ^= (uint8_t)(1 << bit % 8);
        int error = shmring_layout_check(memory.base, memory.geometry.total_size, &geometry);

        cr_expect(error == -EPROTO || error == -EBADMSG || error == -EPROTONOSUPPORT,
                  "bit %zu: %d", bit, error);
        memory.base[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    cr_expect_eq(geometry.kind, 77, "outputs are untouched on failure");
    cr_expect_eq(shmring_layout_check(memory.base, memory.geometry.total_size, &geometry), 0);
    ring_memory_free(&memory);
}

Test(layout, every_changed_byte_of_the_header_is_refused)
{
    ring_memory memory = ring_memory_new(0, 8192);
    shmring_geometry geometry;

    for (size_t at = 0; at < sizeof(struct shmring_header); at++) {
        uint8_t was = memory.base[at];

        for (int value = 0; value < 256; value++) {
            memory.base[at] = (uint8_t)value;
            int error = shmring_layout_check(memory.base, memory.geometry.total_size, &geometry);
            cr_expect_eq(error == 0, value == was, "byte %zu = %d: %d", at, value, error);
        }
        memory.base[at] = was;
    }
    ring_memory_free(&memory);
}

Test(layout, wrong_sizes_of_the_object_are_refused)
{
    ring_memory memory = ring_memory_new(0, 8192);
    size_t total = memory.geometry.total_size;
    shmring_geometry geometry;

    cr_expect_eq(shmring_layout_check(memory.base, 0, &geometry), -EAGAIN);
    for (size_t size = 1; size < total; size += size < 200 ? 1 : 997)
        cr_expect_eq(shmring_layout_check(memory.base, size, &geometry), -EBADMSG, "%zu", size);
    cr_expect_eq(shmring_layout_check(memory.base, total + 1, &geometry), -EBADMSG);
    cr_expect_eq(shmring_layout_check(memory.base, SIZE_MAX, &geometry), -EBADMSG);
    ring_memory_free(&memory);
}

Test(layout, versions_and_features_are_told_apart_from_damage)
{
    ring_memory memory = ring_memory_new(0, 8192);
    struct shmring_header *header = (void *)memory.base;
    struct shmring_header good = *header;
    size_t total = memory.geometry.total_size;
    shmring_geometry geometry;

    header->layout_version = 2;
    cr_expect_eq(check_resealed(header, total), -EPROTONOSUPPORT, "newer layout");
    *header = good;
    header->layout_version = 0;
    cr_expect_eq(check_resealed(header, total), -EBADMSG, "no such layout");
    *header = good;
    header->incompatible = 1;
    cr_expect_eq(check_resealed(header, total), -EPROTONOSUPPORT, "unknown incompatible feature");
    *header = good;
    header->kind = 4;
    cr_expect_eq(check_resealed(header, total), -EPROTONOSUPPORT, "unknown kind");
    *header = good;
    header->compatible = 1;
    cr_expect_eq(check_resealed(header, total), 0, "compatible features may be ignored");
    *header = good;
    header->read_only_compatible = 1;
    check_resealed(header, total);
    cr_assert_eq(shmring_layout_check(header, total, &geometry), 0);
    cr_expect(geometry.read_only, "may be looked at");
    shmring_spsc_producer producer;
    cr_expect_eq(shmring_spsc_attach_producer(&producer, memory.base, &geometry, -1),
                 -EPROTONOSUPPORT, "but not be attached to");
    ring_memory_free(&memory);
}

Test(layout, sealed_nonsense_geometry_is_refused)
{
    ring_memory memory = ring_memory_new(0, 8192);
    struct shmring_header *header = (void *)memory.base;
    struct shmring_header good = *header;
    size_t total = memory.geometry.total_size;

    header->capacity = 8191;
    cr_expect_eq(check_resealed(header, total), -EBADMSG);
    *header = good;
    header->capacity = 16384;
    cr_expect_eq(check_resealed(header, total), -EBADMSG, "more capacity than object");
    *header = good;
    header->data_offset = 2 * SHMRING_PAGE_SIZE;
    cr_expect_eq(check_resealed(header, total), -EBADMSG, "data over the consumer's page");
    *header = good;
    header->producer_offset = total;
    cr_expect_eq(check_resealed(header, total), -EBADMSG, "a role outside the object");
    *header = good;
    header->header_size = sizeof *header - 1;
    cr_expect_eq(check_resealed(header, total), -EBADMSG);
    *header = good;
    header->kind = SHMRING_KIND_MPMC;
    cr_expect_eq(check_resealed(header, total), -EBADMSG, "a ring of slots of no size");
    *header = good;
    header->options = SHMRING_OPTION_REDELIVER;
    cr_expect_eq(check_resealed(header, total), -EBADMSG, "no option of this kind");
    ring_memory_free(&memory);
}

Test(layout, no_magic_is_a_ring_in_the_making)
{
    ring_memory memory = ring_memory_new(0, 8192);
    shmring_geometry geometry;

    memset(memory.base, 0, 8);
    cr_expect_eq(shmring_layout_check(memory.base, memory.geometry.total_size, &geometry), -EAGAIN);
    ring_memory_free(&memory);
}

/* A header of a ring of slots in a page of its own: no more of the object is ever looked at. */
static struct shmring_header *slots_header(shmring_geometry *ret_geometry, uint64_t options)
{
    struct shmring_header *header = aligned_alloc(SHMRING_PAGE_SIZE, SHMRING_PAGE_SIZE);

    cr_assert_not_null(header);
    memset(header, 0, SHMRING_PAGE_SIZE);
    cr_assert_eq(shmring_layout_plan(SHMRING_KIND_MPMC, 100, 64, ret_geometry), 0);
    cr_assert_eq(ret_geometry->options, 0, "none unless asked for");
    ret_geometry->options = options;
    shmring_layout_format(header, ret_geometry);
    shmring_layout_publish(header);
    return header;
}

Test(layout, slots_have_limits_in_number_and_size)
{
    const uint64_t most = SHMRING_SLOTS_MAX;
    const struct {
        uint64_t slots;
        uint32_t slot_size;
        int error;
    } cases[] = {
        {0, 8, -EINVAL}, {1, 8, -EINVAL}, {2, 8, 0}, {3, 8, -EINVAL}, {4, 8, 0},
        {most, 8, 0}, {most - 1, 8, -EINVAL}, {most + 1, 8, -EINVAL}, {most * 2, 8, -EINVAL},
        {UINT64_C(1) << 63, 8, -EINVAL}, {UINT64_MAX, 8, -EINVAL},
        {8, 0, -EINVAL}, {8, 1, 0}, {8, SHMRING_MESSAGE_MAX, 0},
        {8, SHMRING_MESSAGE_MAX + 1, -EINVAL}, {8, UINT32_MAX, -EINVAL},
        {8, UINT32_MAX - 7, -EINVAL}, {1024, SHMRING_MESSAGE_MAX, 0},
        {2048, SHMRING_MESSAGE_MAX, -EINVAL}, {most, SHMRING_MESSAGE_MAX, -EINVAL},
        {most, 1 << 20, 0}, {most, (1 << 20) + 1, -EINVAL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        shmring_geometry geometry = {.kind = 77};
        int error = shmring_layout_plan(SHMRING_KIND_MPMC, cases[i].slot_size, cases[i].slots,
                                        &geometry);

        if (sizeof(size_t) > 4 || geometry.total_size <= SIZE_MAX / 2)
            cr_expect_eq(error, cases[i].error, "case %zu: %d", i, error);
        cr_expect(error == 0 || geometry.kind == 77, "outputs are untouched on failure");
    }
}

Test(layout, the_parts_of_a_ring_of_slots_lie_on_pages_of_their_own_one_behind_the_other)
{
    for (uint64_t slots = 2; slots <= SHMRING_SLOTS_MAX; slots *= 2)
        for (uint32_t size = 1; size <= 300; size++) {
            shmring_geometry g;

            cr_assert_eq(shmring_layout_plan(SHMRING_KIND_MPMC, size, slots, &g), 0);
            cr_assert_eq((g.control_offset | g.members_offset | g.entries_offset | g.data_offset |
                          g.total_size) % SHMRING_PAGE_SIZE, 0);
            cr_assert_geq(g.control_offset, sizeof(struct shmring_header));
            cr_assert_geq(g.members_offset,
                          g.control_offset + sizeof(struct shmring_mpmc_control));
            cr_assert_geq(g.entries_offset, g.members_offset + SHMRING_MEMBER_RECORDS *
                                              sizeof(struct shmring_member_record));
            cr_assert_geq(g.data_offset, g.entries_offset + slots * 16);
            cr_assert_geq(g.total_size, g.data_offset + slots * g.slot_stride);
            cr_assert_geq(g.slot_stride, size);
            cr_assert(g.slot_stride % 64 == 0 || (g.slot_stride < 64 && 64 % g.slot_stride == 0),
                      "a message of up to a line straddles no two");
            cr_assert(g.max_message == size && g.producer_offset == 0 && g.consumer_offset == 0);
        }
}

Test(layout, check_returns_what_was_planned_of_a_ring_of_slots_and_its_options)
{
    for (uint64_t options = 0; options <= SHMRING_OPTION_REDELIVER; options++) {
        shmring_geometry planned, checked;
        struct shmring_header *header = slots_header(&planned, options);

        memset(&checked, 0, sizeof checked);
        cr_expect(shmring_layout_is_planned(&planned));
        cr_assert_eq(shmring_layout_check(header, planned.total_size, &checked), 0);
        /* Without the padding behind the last member, which nobody writes. */
        cr_expect_eq(memcmp(&planned, &checked, offsetof(shmring_geometry, read_only)), 0);
        cr_expect_eq(planned.read_only, checked.read_only);
        free(header);
    }
}

Test(layout, every_flipped_bit_of_the_header_of_a_ring_of_slots_is_refused)
{
    shmring_geometry planned, geometry = {.kind = 77};
    struct shmring_header *header = slots_header(&planned, SHMRING_OPTION_REDELIVER);
    uint8_t *bytes = (uint8_t *)header;

    for (size_t bit = 0; bit < 8 * sizeof *header; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        int error = shmring_layout_check(header, planned.total_size, &geometry);

        cr_expect(error == -EPROTO || error == -EBADMSG || error == -EPROTONOSUPPORT,
                  "bit %zu: %d", bit, error);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    cr_expect_eq(geometry.kind, 77, "outputs are untouched on failure");
    cr_expect_eq(shmring_layout_check(header, planned.total_size, &geometry), 0);
    free(header);
}

static const uint64_t KNOWN_OPTIONS =
    SHMRING_OPTION_REDELIVER | SHMRING_OPTION_LIGHT_WAKE | SHMRING_OPTION_BACKENDS_MASK;

Test(layout, each_number_of_a_sealed_header_must_fit_and_no_unknown_option_passes)
{
    shmring_geometry planned;
    struct shmring_header *header = slots_header(&planned, 0), good = *header;
    uint64_t *numbers = &header->capacity, *last = &header->data_offset;

    for (uint64_t *number = numbers; number <= last; number++) {
        for (uint32_t bit = 0; bit < 64; bit++) {
            if (number == &header->options && (KNOWN_OPTIONS & UINT64_C(1) << bit) != 0)
                continue;
            *number ^= UINT64_C(1) << bit;
            cr_expect_eq(check_resealed(header, planned.total_size), -EBADMSG, "number %d, bit %u",
                         (int)(number - numbers), bit);
            *header = good;
        }
    }
    for (uint32_t bit = 0; bit < 64; bit++) {
        planned.options = UINT64_C(1) << bit;
        cr_expect_eq(shmring_layout_is_planned(&planned), (KNOWN_OPTIONS >> bit & 1) != 0);
    }
    for (uint64_t backend = 0; backend < 8; backend++) {
        planned.options = backend * SHMRING_OPTION_BACKEND;
        cr_expect_eq(shmring_layout_is_planned(&planned), backend < SHMRING_BACKENDS);
    }
    free(header);
}

/* SPDX-License-Identifier: MIT */
#include "shmring/layout.h"

#include <errno.h>
#include <string.h>

/* The header as the words that it is read and summed by. */
enum {
    HEADER_WORDS = sizeof(struct shmring_header) / sizeof(uint64_t),
    SLOT_ALIGN_MIN = 8,
    SLOT_ALIGN_MAX = 64,
};

/* No feature beyond layout version 1 exists yet. */
static const uint64_t KNOWN_FEATURES = 0;

static uint64_t fnv1a(const uint64_t *words, size_t count)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    const uint8_t *bytes = (const uint8_t *)words;

    for (size_t i = 0; i < count * sizeof *words; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t round_up(uint64_t size, uint64_t unit)
{
    return (size + unit - 1) / unit * unit;
}

static bool is_power_of_two_within(uint64_t value, uint64_t least, uint64_t most)
{
    return value >= least && value <= most && (value & (value - 1)) == 0;
}

static int plan_spsc(uint32_t kind, uint32_t element_size, uint64_t capacity,
                     shmring_geometry *ret_geometry)
{
    uint64_t least = element_size == 0 ? SHMRING_CAPACITY_MIN : 2;
    uint64_t data_size = capacity;

    if (!is_power_of_two_within(capacity, least, SHMRING_CAPACITY_MAX))
        return -EINVAL;
    if (element_size != 0) {
        if (capacity > SHMRING_CAPACITY_MAX / element_size)
            return -EINVAL;
        data_size = round_up(capacity * element_size, SHMRING_PAGE_SIZE);
    }
    uint64_t half = capacity / 2 - SHMRING_RECORD_HEADER_SIZE;
    uint64_t max_message = half < SHMRING_MESSAGE_MAX ? half : SHMRING_MESSAGE_MAX;

    *ret_geometry = (shmring_geometry){
        .kind = kind,
        .element_size = element_size,
        .capacity = capacity,
        .total_size = 3 * (uint64_t)SHMRING_PAGE_SIZE + data_size,
        .producer_offset = SHMRING_PAGE_SIZE,
        .consumer_offset = 2 * SHMRING_PAGE_SIZE,
        .data_offset = 3 * SHMRING_PAGE_SIZE,
        .max_message = element_size == 0 ? max_message : 0,
    };
    return 0;
}

static int plan_mpmc(uint32_t slot_size, uint64_t slots, shmring_geometry *ret_geometry)
{
    uint64_t members_size = SHMRING_MEMBER_RECORDS * sizeof(struct shmring_member_record);
    uint64_t entries_size = slots * sizeof(struct shmring_mpmc_entry);
    uint64_t stride = SLOT_ALIGN_MIN;

    /* Up to a line, a message does not straddle two; beyond that, it begins one. */
    while (stride < slot_size && stride < SLOT_ALIGN_MAX)
        stride *= 2;
    stride = round_up(slot_size, stride);
    if (!is_power_of_two_within(slots, SHMRING_SLOTS_MIN, SHMRING_SLOTS_MAX) || slot_size == 0 ||
        slot_size > SHMRING_MESSAGE_MAX || slots > SHMRING_CAPACITY_MAX / stride)
        return -EINVAL;
    *ret_geometry = (shmring_geometry){
        .kind = SHMRING_KIND_MPMC,
        .element_size = slot_size,
        .capacity = slots,
        .control_offset = SHMRING_PAGE_SIZE,
        .members_offset = 2 * SHMRING_PAGE_SIZE,
        .slot_stride = stride,
        .max_message = slot_size,
    };
    ret_geometry->entries_offset =
        ret_geometry->members_offset + round_up(members_size, SHMRING_PAGE_SIZE);
    ret_geometry->data_offset =
        ret_geometry->entries_offset + round_up(entries_size, SHMRING_PAGE_SIZE);
    ret_geometry->total_size =
        ret_geometry->data_offset + round_up(slots * stride, SHMRING_PAGE_SIZE);
    return 0;
}

int shmring_layout_plan(uint32_t kind, uint32_t element_size, uint64_t capacity,
                        shmring_geometry *ret_geometry)
{
    shmring_geometry plan;
    int error = -EINVAL;

    if (kind == SHMRING_KIND_SPSC || (kind == SHMRING_KIND_LANE && element_size == 0))
        error = plan_spsc(kind, element_size, capacity, &plan);
    else if (kind == SHMRING_KIND_MPMC)
        error = plan_mpmc(element_size, capacity, &plan);
    if (error == 0 && plan.total_size > SIZE_MAX / 2)
        error = -EINVAL;
    if (error == 0)
        *ret_geometry = plan;
    return error;
}

static bool has_known_options(const shmring_geometry *geometry)
{
    uint64_t known = SHMRING_OPTION_LIGHT_WAKE | SHMRING_OPTION_BACKENDS_MASK;

    if (geometry->kind == SHMRING_KIND_MPMC)
        known |= SHMRING_OPTION_REDELIVER;
    return (geometry->options & ~known) == 0 &&
           shmring_layout_backend(geometry->options) != SHMRING_BACKENDS;
}

bool shmring_layout_is_planned(const shmring_geometry *geometry)
{
    shmring_geometry plan;

    if (shmring_layout_plan(geometry->kind, geometry->element_size, geometry->capacity, &plan) != 0)
        return false;
    return has_known_options(geometry) && plan.total_size == geometry->total_size &&
           plan.producer_offset == geometry->producer_offset &&
           plan.consumer_offset == geometry->consumer_offset &&
           plan.control_offset == geometry->control_offset &&
           plan.members_offset == geometry->members_offset &&
           plan.entries_offset == geometry->entries_offset &&
           plan.data_offset == geometry->data_offset;
}

/* One load per word: the copy is what is checked and used, whatever becomes of the original. */
static void copy_header(const void *shared, uint64_t ret_words[HEADER_WORDS])
{
    const shmring_word64 *words = shared;

    for (size_t i = 0; i < HEADER_WORDS; i++) {
        /* relaxed: B ordered it. */
        ret_words[i] = shmring_load64_relaxed(&words[i]);
    }
}

void shmring_layout_format(void *memory, const shmring_geometry *geometry)
{
    struct shmring_header header = {
        .layout_version = SHMRING_LAYOUT_VERSION,
        .header_size = sizeof header,
        .kind = geometry->kind,
        .element_size = geometry->element_size,
        .capacity = geometry->capacity,
        .options = geometry->options,
        .total_size = geometry->total_size,
        .producer_offset = geometry->producer_offset,
        .consumer_offset = geometry->consumer_offset,
        .control_offset = geometry->control_offset,
        .members_offset = geometry->members_offset,
        .entries_offset = geometry->entries_offset,
        .data_offset = geometry->data_offset,
    };
    uint64_t words[HEADER_WORDS];

    memcpy(words, &header, sizeof header);
    words[0] = SHMRING_MAGIC;
    words[HEADER_WORDS - 1] = fnv1a(words, HEADER_WORDS - 1);
    words[0] = 0;
    memcpy(memory, words, sizeof words);
}

void shmring_layout_publish(void *memory)
{
    struct shmring_header *header = memory;

    /* [layout.A] pairs with [layout.B]: who sees the magic number sees the header. */
    shmring_store64_release(&header->magic, SHMRING_MAGIC);
}

/* Is everything where the plan says? */
static bool agrees(const struct shmring_header *header, shmring_geometry plan)
{
    plan.options = header->options;
    plan.total_size = header->total_size;
    plan.producer_offset = header->producer_offset;
    plan.consumer_offset = header->consumer_offset;
    plan.control_offset = header->control_offset;
    plan.members_offset = header->members_offset;
    plan.entries_offset = header->entries_offset;
    plan.data_offset = header->data_offset;
    return shmring_layout_is_planned(&plan);
}

int shmring_layout_check(const void *memory, size_t memory_size, shmring_geometry *ret_geometry)
{
    const struct shmring_header *shared = memory;
    struct shmring_header header;
    uint64_t words[HEADER_WORDS];
    shmring_geometry plan;

    if (memory_size == 0)
        return -EAGAIN;
    if (memory_size < sizeof header)
        return -EBADMSG;
    /* [layout.B] pairs with [layout.A] */
    uint64_t magic = shmring_load64_acquire(&shared->magic);

    if (magic == 0)
        return -EAGAIN;
    if (magic != SHMRING_MAGIC)
        return -EPROTO;
    copy_header(memory, words);
    memcpy(&header, words, sizeof header);
    /* The place of everything behind it may depend on the version: it is judged first. */
    if (header.layout_version > SHMRING_LAYOUT_VERSION)
        return -EPROTONOSUPPORT;
    if (header.checksum != fnv1a(words, HEADER_WORDS - 1))
        return -EBADMSG;
    if ((header.incompatible & ~KNOWN_FEATURES) != 0 ||
        header.kind < SHMRING_KIND_SPSC || header.kind > SHMRING_KIND_LANE)
        return -EPROTONOSUPPORT;
    if (header.layout_version == 0 || header.header_size != sizeof header ||
        header.total_size != memory_size ||
        shmring_layout_plan(header.kind, header.element_size, header.capacity, &plan) != 0 ||
        !agrees(&header, plan))
        return -EBADMSG;
    plan.options = header.options;
    plan.read_only = (header.read_only_compatible & ~KNOWN_FEATURES) != 0;
    *ret_geometry = plan;
    return 0;
}

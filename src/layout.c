/* SPDX-License-Identifier: MIT */
#include "shmring/layout.h"

#include <errno.h>
#include <string.h>

/* The header as the words that it is read and summed by. */
enum {
    HEADER_WORDS = sizeof(struct shmring_header) / sizeof(uint64_t),
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

static uint64_t round_up_to_page(uint64_t size)
{
    return (size + SHMRING_PAGE_SIZE - 1) & ~(uint64_t)(SHMRING_PAGE_SIZE - 1);
}

int shmring_layout_plan(uint32_t kind, uint32_t element_size, uint64_t capacity,
                        shmring_geometry *ret_geometry)
{
    uint64_t data_size = capacity;

    if (kind != SHMRING_KIND_SPSC)
        return -EINVAL;
    if (capacity < 2 || (capacity & (capacity - 1)) != 0 || capacity > SHMRING_CAPACITY_MAX)
        return -EINVAL;
    if (element_size == 0 && capacity < SHMRING_CAPACITY_MIN)
        return -EINVAL;
    if (element_size != 0) {
        if (capacity > SHMRING_CAPACITY_MAX / element_size)
            return -EINVAL;
        data_size = round_up_to_page(capacity * element_size);
    }
    uint64_t total_size = 3 * (uint64_t)SHMRING_PAGE_SIZE + data_size;
    uint64_t half = capacity / 2 - SHMRING_RECORD_HEADER_SIZE;
    uint64_t max_message = half < SHMRING_MESSAGE_MAX ? half : SHMRING_MESSAGE_MAX;

    if (total_size > SIZE_MAX / 2)
        return -EINVAL;
    *ret_geometry = (shmring_geometry){
        .kind = kind,
        .element_size = element_size,
        .capacity = capacity,
        .total_size = total_size,
        .producer_offset = SHMRING_PAGE_SIZE,
        .consumer_offset = 2 * SHMRING_PAGE_SIZE,
        .data_offset = 3 * SHMRING_PAGE_SIZE,
        .max_message = element_size == 0 ? max_message : 0,
    };
    return 0;
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
        .total_size = geometry->total_size,
        .producer_offset = geometry->producer_offset,
        .consumer_offset = geometry->consumer_offset,
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
    if ((header.incompatible & ~KNOWN_FEATURES) != 0 || header.kind != SHMRING_KIND_SPSC)
        return -EPROTONOSUPPORT;
    if (header.layout_version == 0 || header.header_size != sizeof header ||
        shmring_layout_plan(header.kind, header.element_size, header.capacity, &plan) != 0)
        return -EBADMSG;
    if (header.total_size != plan.total_size || header.total_size != memory_size ||
        header.producer_offset != plan.producer_offset ||
        header.consumer_offset != plan.consumer_offset || header.data_offset != plan.data_offset)
        return -EBADMSG;
    plan.read_only = (header.read_only_compatible & ~KNOWN_FEATURES) != 0;
    *ret_geometry = plan;
    return 0;
}

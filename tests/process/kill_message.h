/* SPDX-License-Identifier: MIT */
/* Small messages, for tests that kill: length and every byte follow from the number. */
#ifndef SHMRING_TESTS_KILL_MESSAGE_H
#define SHMRING_TESTS_KILL_MESSAGE_H

#include "../messages.h"

enum {
    SMALL_WORDS = 4,
    SMALL_MAX = SMALL_WORDS * 8,
};

static inline uint32_t small_length(uint64_t number)
{
    return SMALL_MAX - 8 * (uint32_t)(message_hash(number) >> 40) % 24;
}

/* Few different ones, so that a selective take finds several that it wants. */
static inline uint32_t small_type(uint64_t number)
{
    return (uint32_t)number % 4;
}

static inline void small_write(void *place, uint64_t number)
{
    uint64_t words[SMALL_WORDS] = {number};

    for (unsigned i = 1; i < SMALL_WORDS; i++)
        words[i] = message_hash(number + i);
    memcpy(place, words, small_length(number));
}

static inline uint64_t small_number(const void *place)
{
    uint64_t number;

    memcpy(&number, place, sizeof number);
    return number;
}

/* The number of the message in a slot; it must be whole. */
static inline uint64_t small_read(const void *place, uint32_t length, uint32_t type)
{
    uint64_t number = small_number(place);
    uint8_t want[SMALL_MAX];

    CHECK_EQ(length, small_length(number));
    CHECK_EQ(type, small_type(number));
    small_write(want, number);
    CHECK(memcmp(place, want, length) == 0);
    return number;
}

#endif

/* SPDX-License-Identifier: MIT */
#include "payload.h"

/* Two words in one register; anywhere on a multiple of 8. */
typedef uint64_t pair __attribute__((vector_size(16), aligned(8), may_alias));
typedef uint64_t word __attribute__((may_alias));

__attribute__((noinline)) void payload_fill(void *place, uint64_t seq, size_t size)
{
    pair *to = place;
    word *rest = place;

    if (size == 8) {
        *rest = seq;
        return;
    }
    if (size >= 64) {
        pair value = {seq, seq + 1};
        do {
            to[0] = value;
            to[1] = value + 2;
            to[2] = value + 4;
            to[3] = value + 6;
            value += 8;
            to += 4;
            size -= 64;
        } while (size >= 64);
        seq = value[0];
        rest = (word *)to;
    }
    for (; size != 0; size -= 8)
        *rest++ = seq++;
}

/* The sum of all words, and the first word by itself: comparing each one alone would take longer
 * than a ring does. */
__attribute__((noinline)) bool payload_check(const void *message, uint64_t seq, size_t size)
{
    const pair *from = message;
    const word *rest = message;
    uint64_t count = size / 8, sum = 0;

    if (size == 8)
        return *rest == seq;
    if (size >= 64) {
        pair even = {0, 0}, odd = {0, 0};
        do {
            even += from[0] + from[1];
            odd += from[2] + from[3];
            from += 4;
            size -= 64;
        } while (size >= 64);
        even += odd;
        sum = even[0] + even[1];
        rest = (const word *)from;
    }
    for (; size != 0; size -= 8)
        sum += *rest++;
    return *(const word *)message == seq && sum == count * seq + count * (count - 1) / 2;
}

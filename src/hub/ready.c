/* SPDX-License-Identifier: MIT */
#include "ready.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BITS = 64, LINE = 128 };

int hub_ready_open(hub_ready *ret_ready, uint32_t count)
{
    hub_ready ready = {.word_count = (count + WORD_BITS - 1) / WORD_BITS};
    size_t size = (ready.word_count * sizeof *ready.words + LINE - 1) / LINE * LINE;

    ready.words = aligned_alloc(LINE, size);
    if (ready.words == NULL)
        return -ENOMEM;
    memset(ready.words, 0, size);
    *ret_ready = ready;
    return 0;
}

void hub_ready_close(hub_ready *ready)
{
    free(ready->words);
    ready->words = NULL;
}

void hub_ready_set(const hub_ready *ready, uint32_t slot)
{
    shmring_word64 *word = &ready->words[slot / WORD_BITS];
    uint64_t bit = UINT64_C(1) << slot % WORD_BITS;
    /* relaxed: the swap says whether it is still so. */
    uint64_t seen = shmring_load64_relaxed(word);

    /* [hub.A] pairs with [hub.B] */
    while (!shmring_cas64_release(word, &seen, seen | bit))
        continue;
}

int hub_ready_take(const hub_ready *ready, uint32_t from)
{
    uint64_t mask = ~UINT64_C(0) << from % WORD_BITS;

    for (uint32_t i = from / WORD_BITS; i < ready->word_count; i++, mask = ~UINT64_C(0)) {
        shmring_word64 *word = &ready->words[i];
        /* relaxed: as above. */
        uint64_t seen = shmring_load64_relaxed(word);

        while ((seen & mask) != 0) {
            uint64_t bit = (seen & mask) & -(seen & mask);

            /* [hub.B] pairs with [hub.A] */
            if (shmring_cas64_acquire(word, &seen, seen & ~bit))
                return (int)(i * WORD_BITS) + __builtin_ctzll(bit);
        }
    }
    return -1;
}

bool hub_ready_any(const hub_ready *ready)
{
    for (uint32_t i = 0; i < ready->word_count; i++)
        /* relaxed: a fence of the caller orders it. */
        if (shmring_load64_relaxed(&ready->words[i]) != 0)
            return true;
    return false;
}

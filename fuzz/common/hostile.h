/* SPDX-License-Identifier: MIT */
/*
 * The other side at its worst. Before each look of the library at a word of the ring, and before
 * each swap, it may write there what it likes: so that every load can return anything, and two
 * loads of one word something else each time, the same at each run of an input. Words elsewhere are
 * ours.
 *
 * What it does stands in a script, part of the input. A byte of it says what is done to the word at
 * hand (enum deed in hostile.c, the low three bits; more bytes may say how), and after how many
 * more looks the next byte is due (the rest of it). When the script is over, the other side has
 * died; but before so many looks as it has patience, it begins again: behind the last zero byte.
 */
#ifndef SHMRING_FUZZ_HOSTILE_H
#define SHMRING_FUZZ_HOSTILE_H

#include "region.h"

enum {
    HOSTILE_PATIENCE = 1 << 13,
    /* For loops that a member that breaks the rules can prolong: they try SHMRING_MPMC_TRIES times,
     * with several looks each. Takes a hundredth of a second. */
    HOSTILE_PATIENCE_LONG = 1 << 20,
};

/* A new run, with the ring as it was made: zeroed, but for the header. */
void hostile_begin(const fuzz_region *region, fuzz_input script, uint64_t patience);

/* From here on the library may look at the ring so often, no more: the bound of the next call. */
void hostile_expect_looks(uint64_t at_most, const char *call);

/* From here on it may store only between these places in the ring, or those. */
void hostile_expect_stores(const void *from, size_t size, const void *from_too, size_t size_too);

/* For what is no word: 0 to 7 by the script, 0 when it is over or not due. */
uint8_t hostile_choice(void);

/* The target itself writes to the ring. */
void hostile_note_written(const void *place, uint64_t length);

/* What a target does to the ring by itself, before anybody looks. */
void hostile_set64(uint64_t offset, uint64_t value);
void hostile_set32(uint64_t offset, uint32_t value);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the handles of mpmc.h hold, and the slow halves of its calls: the walks, and what goes
 * wrong. For users are the slot and the wish, below, and mpmc.h; the ordering table is there.
 */
#ifndef SHMRING_MPMC_SIDE_H
#define SHMRING_MPMC_SIDE_H

#include "shmring/atomic.h"
#include "shmring/layout.h"
#include "shmring/member.h"
#include "shmring/mpmc_word.h"

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

enum {
    SHMRING_MPMC_OPEN_MAX = 32,   /* positions that a consumer notes */
    SHMRING_MPMC_STREAK = 8,      /* after so many good guesses the next one is a bet */
    SHMRING_MPMC_TRIES = 1 << 16, /* swaps of a word that only a carry can change */
};

/* What both handles begin with. Private to the process, owned by the caller, used by one thread at
 * a time; must not be copied. In a child after fork() its calls say -EOWNERDEAD, or find nothing.
 * All members are the library's. */
typedef struct shmring_mpmc_side {
    struct shmring_mpmc_entry *entries;
    uint8_t *data;
    uint64_t mask;
    uint64_t slot_stride;
    uint64_t hint_mask; /* a hint is given where a position has none of these bits */
    uint32_t shift;     /* positions per lap, as a power of two */
    uint32_t slot_size;
    shmring_member member;
    struct shmring_mpmc_control *control;
    struct shmring_member_record *records;
    int error;
    uint32_t streak; /* walks in a row that ended where they began */
    bool redeliver;
} shmring_mpmc_side;

typedef struct shmring_mpmc_producer {
    shmring_mpmc_side side;
    uint64_t tail_pos; /* every position below is used */
    uint64_t claimed;  /* the word of its slot, once we have claimed it */
} shmring_mpmc_producer;

typedef struct shmring_mpmc_consumer {
    shmring_mpmc_side side;
    uint64_t head_pos;     /* every position below is closed, or in open */
    uint64_t taken;        /* the word of its slot, once we have taken it */
    uint64_t run_at;       /* where to see next whether the producers are too near, */
    uint64_t run_gap;      /* and how far it is from there to the time after, if nobody runs */
    uint32_t orphans_seen; /* the epoch up to which it knows that there are none */
    uint32_t open_count;
    struct {
        uint64_t pos;
        uint64_t word; /* as last seen, */
        bool was_writing;
    } open[SHMRING_MPMC_OPEN_MAX];
} shmring_mpmc_consumer;

/* A slot that is ours: from claim to commit or abort, from take to release. Owned by the caller,
 * may be moved; of several copies, one may be used. */
typedef struct shmring_mpmc_slot {
    void *data;      /* the message: slot_size bytes, aligned to the next power of two, or to 64 */
    uint32_t length; /* take: of the message, bytes */
    uint32_t type;
    bool redelivered; /* take: delivered before, to a consumer that died or left with it */
    uint16_t session; /* of the handle, its low half: a slot is worth nothing to a later one */
    uint32_t idx;
    uint64_t word;
} shmring_mpmc_slot;

/* Which messages a selective take wants. */
enum shmring_mpmc_wish {
    SHMRING_TAKE_ANY = 0, /* the oldest */
    SHMRING_TAKE_EQUAL,   /* the oldest of that type */
    SHMRING_TAKE_EXCEPT,  /* the oldest of any other type */
    SHMRING_TAKE_LOWEST,  /* the lowest type that is not above that; of these the oldest */
    SHMRING_TAKE_HIGHEST, /* the highest type that is not below that; of these the oldest */
};

bool shmring_mpmc_claim_walk(shmring_mpmc_producer *producer, shmring_mpmc_slot *ret_slot);
bool shmring_mpmc_take_walk(shmring_mpmc_consumer *consumer, enum shmring_mpmc_wish wish,
                            uint32_t type, uint32_t max_length, shmring_mpmc_slot *ret_slot);
int shmring_mpmc_renew(const shmring_mpmc_side *side, shmring_mpmc_slot *slot, uint64_t kind);
bool shmring_mpmc_pass(shmring_mpmc_side *side, uint64_t pos, uint64_t word, uint64_t label);
bool shmring_mpmc_recover_slots(shmring_mpmc_side *side, uint32_t gone, uint32_t session);

/* What the hot path does now and then: where a hint is due, which is also where a lap begins. */
void shmring_mpmc_produced(shmring_mpmc_producer *producer);
void shmring_mpmc_consumed(shmring_mpmc_consumer *consumer);

/* A word was impossible: the handle finds the ring full (empty) and says -EBADMSG from now on.
 * Returns false. */
bool shmring_mpmc_poison(shmring_mpmc_side *side);

/* Tells others, if that is news to them, that they may begin their walks at pos. */
void shmring_mpmc_give_hint(shmring_word64 *hint, uint64_t pos);

/* Where a walk that is at pos may go on: at the hint, if that is further. */
uint64_t shmring_mpmc_take_hint(const shmring_word64 *hint, uint64_t pos);

/* A walk ended where it began, or not: after a streak, the next position is a bet. */
void shmring_mpmc_guessed(shmring_mpmc_side *side, bool right);

/* Has somebody another word at pos since? */
bool shmring_mpmc_has_changed(const shmring_mpmc_side *side, uint64_t pos, uint64_t word);

/* How many steps a walk may take: whatever the words hold, it ends. */
uint64_t shmring_mpmc_step_limit(const shmring_mpmc_side *side);

/* The slot at pos, with that word, is ours. */
shmring_mpmc_slot shmring_mpmc_own(const shmring_mpmc_side *side, uint64_t pos, uint64_t word);

SHMRING_HOT inline shmring_word64 *shmring_mpmc_word(const shmring_mpmc_side *side, uint64_t pos)
{
    return &side->entries[pos & side->mask].word;
}

SHMRING_HOT inline shmring_word64 *shmring_mpmc_label(const shmring_mpmc_side *side, uint64_t pos)
{
    return &side->entries[pos & side->mask].label;
}

/* The lap of a position, as it stands in a word. */
SHMRING_HOT inline uint64_t shmring_mpmc_lap(const shmring_mpmc_side *side, uint64_t pos)
{
    return ((pos >> side->shift) + 1) << 16;
}

/* One past the position of a slot that is ours (or was, before it was carried). */
SHMRING_HOT inline uint64_t shmring_mpmc_slot_end(const shmring_mpmc_side *side,
                                                  const shmring_mpmc_slot *slot)
{
    return (((slot->word >> 16) - 1) << side->shift) + slot->idx + 1;
}

/* The word of a slot that is ours, in that way, at pos. */
SHMRING_HOT inline uint64_t shmring_mpmc_word_at(const shmring_mpmc_side *side, uint64_t pos,
                                                 uint64_t kind)
{
    return shmring_mpmc_lap(side, pos) | kind | side->member.id;
}

/* Laps from that of pos to that of the word: below 0, pos is not used yet. */
SHMRING_HOT inline int64_t shmring_mpmc_ahead(const shmring_mpmc_side *side, uint64_t pos,
                                              uint64_t word)
{
    return shmring_slot_laps(word, shmring_mpmc_lap(side, pos));
}

/* Does a walk from one position to another come to where a hint is due? */
SHMRING_HOT inline bool shmring_mpmc_is_hint_due(const shmring_mpmc_side *side, uint64_t from,
                                                 uint64_t to)
{
    return ((from ^ to) & ~side->hint_mask) != 0;
}

/* One look at a slot. The label is of the same owner as the word, or newer: if the word is found
 * unchanged after it, it is of the same. A swap of the word that succeeds says so. */
typedef struct shmring_mpmc_look {
    uint64_t word, label;
    int64_t ahead;
    enum shmring_slot_state state;
} shmring_mpmc_look;

SHMRING_HOT inline shmring_mpmc_look shmring_mpmc_look_at(const shmring_mpmc_side *side,
                                                          uint64_t pos)
{
    shmring_mpmc_look look;

    /* [mpmc.E] pairs with [mpmc.F] */
    look.word = shmring_load64_acquire(shmring_mpmc_word(side, pos));
    /* [mpmc.A] pairs with [mpmc.D]; [mpmc.C] pairs with [mpmc.B] */
    look.label = shmring_load64_acquire(shmring_mpmc_label(side, pos));
    look.ahead = shmring_mpmc_ahead(side, pos, look.word);
    look.state = shmring_slot_state(look.word, look.label);
    return look;
}

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

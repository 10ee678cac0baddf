/* SPDX-License-Identifier: MIT */
/*
 * A ring of messages between any number of producers and consumers, none of which can stop the
 * others: the claim ring.
 *
 * Messages of up to slot_size bytes, each with a length and a 32-bit type, lie in slots of one
 * size. They are written and read in place: claim and commit (or abort), take and release. A slot
 * may be held for any time: the others go around it. Calls of the hot path do not wait, do not
 * call the kernel and do not allocate.
 *
 * One 64-bit word per slot is the whole truth about it (mpmc_word.h): FREE, WRITING, READY or
 * READING, at a lap, and by whom.
 *
 * Position p is slot p mod N at lap p div N + 1. It is used once its slot has reached that lap, and
 * closed once the slot is past it, or at it in state READING or FREE. Positions are used in order.
 *
 *   claim    walk over used positions to the frontier. FREE: swap to WRITING. READY: full. Held
 *            since a lap ago: carry it (swap its lap for ours, it keeps its owner) and walk on.
 *   commit, release, abort   swap to READY, FREE, FREE, at the lap that the word has by now.
 *   take     walk over closed positions, and over WRITING ones, which are noted; at the first READY
 *            look again at those noted: if none has changed, swap to READING; else start over. The
 *            frontier is the end: empty, after the same second look.
 *
 *   producer                                     consumer
 *   [mpmc.A] cas FREE    -> WRITING acquire      [mpmc.C] cas READY   -> READING acquire
 *            STORE message                                LOAD message
 *   [mpmc.B] cas WRITING -> READY   release      [mpmc.D] cas READING -> FREE    release
 *   all
 *   [mpmc.E] load word             acquire       [mpmc.F] cas word: carry, recover  acq_rel
 *   [mpmc.G] cas  hint             release       [mpmc.H] load hint                 acquire
 *   [mpmc.I] add  orphan_epoch     release       [mpmc.J] load orphan_epoch         acquire
 *
 *   A pairs with D: without it a slot could be overwritten while it is still being read.
 *   C pairs with B: without it a message could be read before it is written.
 *   E pairs with B, D and F: without it a walk could miss a message that was sent before it began,
 *     or take two of one producer in the wrong order.
 *   G pairs with H: without it a walk could begin behind positions that it believes unused.
 *   I pairs with J: without it a look for orphans could come too early, and not be repeated.
 *
 * Why it holds, with proofs of lock-freedom, order and recovery: docs/verification.md. In short:
 * the lap of a word only grows, so a swap cannot succeed on old knowledge; each failed swap and
 * each step of a walk is another member's progress; and whoever dies leaves its name in the word.
 *
 * Order: first in, first out, of messages that do not overlap in time, from claim to commit. A slot
 * held for more than a lap, and an orphan, goes to the tail. Full means that the oldest message not
 * taken is capacity positions behind the frontier.
 *
 * Death: what was claimed comes back as a free slot; what was taken is delivered again (marked so,
 * at the tail) or dropped and counted, as the ring was made (SHMRING_OPTION_REDELIVER). Nobody
 * waits for that: shmring_mpmc_recover() is called by who has time, and by each attach.
 *
 * Limits: 2 to 2^20 slots, SHMRING_MEMBER_MAX members at a time. Laps count 48 bits and wrap: at
 * 10^8 messages/s after 65 days with 2 slots, 90 years with 1024; harmful only to a member that was
 * stopped in the middle of one call for that long. Positions: 64 bits, 5800 years.
 *
 * Trust: all members write all of it, so one that breaks the rules can spoil messages for all. But
 * no call leaves the ring, or loops without end, whatever the words hold: what cannot be is
 * -EBADMSG, from then on (shmring_mpmc_error()).
 */
#ifndef SHMRING_MPMC_H
#define SHMRING_MPMC_H

#include "shmring/atomic.h"
#include "shmring/layout.h"
#include "shmring/member.h"
#include "shmring/mpmc_word.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

enum {
    SHMRING_MPMC_OPEN_MAX = 8, /* positions that a consumer notes */
    SHMRING_MPMC_STREAK = 8,   /* after so many good guesses the next one is a bet */
    SHMRING_MPMC_TRIES = 64,   /* swaps of a word that is ours; each fails by a carry only */
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
    bool any_held; /* has it claimed or taken since attach? */
} shmring_mpmc_side;

typedef struct shmring_mpmc_producer {
    shmring_mpmc_side side;
    uint64_t tail_pos; /* every position below is used */
} shmring_mpmc_producer;

typedef struct shmring_mpmc_consumer {
    shmring_mpmc_side side;
    uint64_t head_pos; /* every position below is closed, or in open */
    uint64_t bet_end;  /* no bets from here on: the producers may be near */
    uint64_t bet_gap;  /* from there to the next such place, if they are not */
    uint32_t orphans_seen;
    uint32_t open_count;
    struct {
        uint64_t pos;
        uint64_t word; /* as last seen */
    } open[SHMRING_MPMC_OPEN_MAX];
} shmring_mpmc_consumer;

/* A slot that is ours: from claim to commit or abort, from take to release. Owned by the caller,
 * may be copied and moved. */
typedef struct shmring_mpmc_slot {
    void *data;      /* the message: slot_size bytes, aligned to the next power of two, or to 64 */
    uint32_t length; /* take: of the message, bytes */
    uint32_t type;
    bool redelivered; /* take: delivered before, to a consumer that died or left with it */
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

/*
 * Joins the ring at memory, whose geometry was checked (shmring_segment_open()), after recovering
 * what the dead have left. memory must outlive the handle. fd is a descriptor of the object, and is
 * not kept; -1, for memory that no other process maps: no death is noticed, and all members must do
 * so. Calls the kernel, does not wait. The handle is written on 0 only:
 *   -EPROTONOSUPPORT  the ring may only be looked at (geometry->read_only), or is of another kind
 *   -EUSERS           SHMRING_MEMBER_MAX members are there, all alive
 *   or as from shmring_member_enroll()
 */
int shmring_mpmc_attach_producer(shmring_mpmc_producer *producer, void *memory,
                                 const shmring_geometry *geometry, int fd);
int shmring_mpmc_attach_consumer(shmring_mpmc_consumer *consumer, void *memory,
                                 const shmring_geometry *geometry, int fd);

/* Leaves. What is still claimed is aborted; what is still taken is delivered again or dropped, as
 * after death: release it before. A handle that was zeroed or detached is ignored. */
void shmring_mpmc_detach_producer(shmring_mpmc_producer *producer);
void shmring_mpmc_detach_consumer(shmring_mpmc_consumer *consumer);

/*
 * Gives back what dead members have left, and delivers again what is to be. To be called when the
 * ring stays full or empty for longer than expected; a look at a living member costs half a
 * microsecond, and more where there are hundreds, so pause between calls. Any number of members may
 * call it at once. Calls the kernel, does not wait. Returns the number of dead members that were
 * buried, or -EOWNERDEAD, or as from shmring_member_seize().
 */
int shmring_mpmc_recover(shmring_mpmc_side *side);

/* 0; or why nothing can be claimed or taken any more: -EBADMSG, a word was impossible; -ESTALE,
 * others took this member for dead; -EOWNERDEAD, in a child after fork(). */
int shmring_mpmc_error(const shmring_mpmc_side *side);

inline uint32_t shmring_mpmc_slot_size(const shmring_mpmc_side *side)
{
    return side->slot_size;
}

/* Committed messages that nobody has taken; and counts since the ring was made: messages dropped
 * with a dead consumer, and delivered again. Guesses, stale when they return. The first looks at
 * each slot. Thread-safe for different sides. */
uint64_t shmring_mpmc_used_guess(const shmring_mpmc_side *side);
uint64_t shmring_mpmc_dropped_guess(const shmring_mpmc_side *side);
uint64_t shmring_mpmc_redelivered_guess(const shmring_mpmc_side *side);

/* The slow halves of what follows, out of line: walks, carries, and all that goes wrong. */
bool shmring_mpmc_claim_walk(shmring_mpmc_producer *producer, shmring_mpmc_slot *ret_slot);
bool shmring_mpmc_take_walk(shmring_mpmc_consumer *consumer, enum shmring_mpmc_wish wish,
                            uint32_t type, uint32_t max_length, shmring_mpmc_slot *ret_slot);
void shmring_mpmc_hint(shmring_mpmc_side *side, shmring_word64 *hint, uint64_t pos);
void shmring_mpmc_pass(shmring_mpmc_side *side, uint64_t pos, uint64_t word);
int shmring_mpmc_renew(const shmring_mpmc_side *side, shmring_mpmc_slot *slot);
void shmring_mpmc_recover_slots(shmring_mpmc_side *side, uint32_t dead);
bool shmring_mpmc_redeliver(shmring_mpmc_side *side);
bool shmring_mpmc_poison(shmring_mpmc_side *side);

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

/* Laps from that of pos to that of the word: below 0, pos is not used yet. */
SHMRING_HOT inline int64_t shmring_mpmc_ahead(const shmring_mpmc_side *side, uint64_t pos,
                                              uint64_t word)
{
    return shmring_slot_laps(word, shmring_mpmc_lap(side, pos));
}

SHMRING_HOT inline void shmring_mpmc_own(shmring_mpmc_side *side, uint64_t pos, uint64_t word,
                                         shmring_mpmc_slot *ret_slot)
{
    side->any_held = true;
    ret_slot->idx = (uint32_t)(pos & side->mask);
    ret_slot->data = side->data + (pos & side->mask) * side->slot_stride;
    ret_slot->word = word;
}

/*
 * Claims the next slot. Returns false: the ring is full, or shmring_mpmc_error() says why. (Also
 * after very many steps in which others always came first.) Linearizes at A.
 */
SHMRING_HOT inline bool shmring_mpmc_claim(shmring_mpmc_producer *producer,
                                           shmring_mpmc_slot *ret_slot)
{
    shmring_mpmc_side *side = &producer->side;
    uint64_t lap = shmring_mpmc_lap(side, producer->tail_pos);
    uint64_t word = lap - SHMRING_SLOT_ONE_LAP;
    uint64_t claimed = lap | SHMRING_SLOT_WRITING | side->member.id;

    /* A bet that the frontier is where we left it: a load first would fetch the line twice, to read
     * and to write. [mpmc.A] pairs with [mpmc.D] */
    if (side->streak < SHMRING_MPMC_STREAK || !shmring_member_is_here(&side->member) ||
        !shmring_cas64_acquire(shmring_mpmc_word(side, producer->tail_pos), &word, claimed))
        return shmring_mpmc_claim_walk(producer, ret_slot);
    shmring_mpmc_own(side, producer->tail_pos, claimed, ret_slot);
    if ((++producer->tail_pos & side->hint_mask) == 0)
        shmring_mpmc_hint(side, &side->control->tail_hint, producer->tail_pos);
    return true;
}

/* Ends the ownership of a slot that is ours in the one state: its word gets the other, at whatever
 * lap it has by now. */
SHMRING_HOT inline int shmring_mpmc_settle(shmring_mpmc_side *side, shmring_mpmc_slot *slot,
                                           uint64_t from, uint64_t to, const uint64_t *label)
{
    shmring_word64 *shared = shmring_mpmc_word(side, slot->idx);

    for (int tries = 0; tries < SHMRING_MPMC_TRIES; tries++) {
        uint64_t word = slot->word;

        if ((word & SHMRING_SLOT_WHO_MASK) != (from | side->member.id))
            return -ESTALE;
        /* relaxed: it is as we left it, or else it is looked at more closely. */
        if (shmring_load64_relaxed(shared) == word && shmring_member_is_here(&side->member)) {
            /* relaxed: published by B. */
            if (label != NULL)
                shmring_store64_relaxed(shmring_mpmc_label(side, slot->idx), *label);
            /* [mpmc.B] pairs with [mpmc.C] and [mpmc.E]
             * [mpmc.D] pairs with [mpmc.A] and [mpmc.E] */
            if (shmring_cas64_release(shared, &word, (word & SHMRING_SLOT_LAP_MASK) | to)) {
                slot->word = 0;
                return 0;
            }
        }
        int error = shmring_mpmc_renew(side, slot);

        if (error != 0)
            return error;
    }
    shmring_mpmc_poison(side);
    return -EBADMSG;
}

/*
 * Sends the message in a claimed slot, of length bytes and of that type. Linearizes at B. Returns 0
 * and the slot is no longer ours, or, with nothing touched:
 *   -EMSGSIZE    length is beyond the slot; it stays claimed
 *   -ESTALE      the slot is not ours (any more): committed or aborted before, or given away,
 *                because others took us for dead
 *   -EOWNERDEAD  in a child after fork()
 *   -EBADMSG     see shmring_mpmc_error()
 */
SHMRING_HOT inline int shmring_mpmc_commit(shmring_mpmc_producer *producer, shmring_mpmc_slot *slot,
                                           uint32_t length, uint32_t type)
{
    uint64_t label = (uint64_t)type << 32 | length;

    if (length > producer->side.slot_size)
        return -EMSGSIZE;
    return shmring_mpmc_settle(&producer->side, slot, SHMRING_SLOT_WRITING, SHMRING_SLOT_READY,
                               &label);
}

/* Gives a claimed slot back unsent. Errors as from commit. */
inline int shmring_mpmc_abort(shmring_mpmc_producer *producer, shmring_mpmc_slot *slot)
{
    return shmring_mpmc_settle(&producer->side, slot, SHMRING_SLOT_WRITING, SHMRING_SLOT_FREE,
                               NULL);
}

/* What a label says of the message in a slot that is ours now. It was loaded once: members may
 * break the rules. */
SHMRING_HOT inline bool shmring_mpmc_accept(shmring_mpmc_side *side, uint64_t label,
                                            shmring_mpmc_slot *ret_slot)
{
    ret_slot->length = (uint32_t)label;
    ret_slot->type = (uint32_t)(label >> 32);
    ret_slot->redelivered = (ret_slot->word & SHMRING_SLOT_REDELIVERED) != 0;
    return ret_slot->length <= side->slot_size || shmring_mpmc_poison(side);
}

/*
 * Takes the oldest message. Returns false: the ring is empty, or shmring_mpmc_error() says why.
 * (Also after very many steps in which others always came first.) Linearizes at C.
 */
SHMRING_HOT inline bool shmring_mpmc_take(shmring_mpmc_consumer *consumer,
                                          shmring_mpmc_slot *ret_slot)
{
    shmring_mpmc_side *side = &consumer->side;
    uint64_t word = shmring_mpmc_lap(side, consumer->head_pos) | SHMRING_SLOT_READY;
    uint64_t taken = word | SHMRING_SLOT_READING | side->member.id;

    /* A bet, as in claim. [mpmc.C] pairs with [mpmc.B] */
    if (side->streak < SHMRING_MPMC_STREAK || !shmring_member_is_here(&side->member) ||
        (int64_t)(consumer->bet_end - consumer->head_pos) <= 0 ||
        !shmring_cas64_acquire(shmring_mpmc_word(side, consumer->head_pos), &word, taken))
        return shmring_mpmc_take_walk(consumer, SHMRING_TAKE_ANY, 0, UINT32_MAX, ret_slot);
    shmring_mpmc_own(side, consumer->head_pos, taken, ret_slot);
    if ((++consumer->head_pos & side->hint_mask) == 0)
        shmring_mpmc_hint(side, &side->control->head_hint, consumer->head_pos);
    /* relaxed: C ordered it. */
    uint64_t label = shmring_load64_relaxed(shmring_mpmc_label(side, ret_slot->idx));

    return shmring_mpmc_accept(side, label, ret_slot);
}

/* Takes the message that is wanted, see enum shmring_mpmc_wish. Looks at each message that stands
 * before it, for LOWEST and HIGHEST at all. False as from take, or none is wanted. */
inline bool shmring_mpmc_take_by(shmring_mpmc_consumer *consumer, enum shmring_mpmc_wish wish,
                                 uint32_t type, shmring_mpmc_slot *ret_slot)
{
    return shmring_mpmc_take_walk(consumer, wish, type, UINT32_MAX, ret_slot);
}

/* Gives a taken slot back. Errors as from commit. */
SHMRING_HOT inline int shmring_mpmc_release(shmring_mpmc_consumer *consumer,
                                            shmring_mpmc_slot *slot)
{
    return shmring_mpmc_settle(&consumer->side, slot, SHMRING_SLOT_READING, SHMRING_SLOT_FREE,
                               NULL);
}

/* Several at once, in order, as many as there are: returns how many. A batch that is held for more
 * than a lap may come out of order. */
uint32_t shmring_mpmc_claim_many(shmring_mpmc_producer *producer, shmring_mpmc_slot *ret_slots,
                                 uint32_t count);
uint32_t shmring_mpmc_take_many(shmring_mpmc_consumer *consumer, shmring_mpmc_slot *ret_slots,
                                uint32_t count);

/* Several at once, each with its length and type as set in the slot. They become visible one by
 * one. Stop at the first error, and return it; those before it have word 0. */
int shmring_mpmc_commit_many(shmring_mpmc_producer *producer, shmring_mpmc_slot *slots,
                             uint32_t count);
int shmring_mpmc_release_many(shmring_mpmc_consumer *consumer, shmring_mpmc_slot *slots,
                              uint32_t count);

/* Copies a message in. Returns 0, -EAGAIN (full), -EMSGSIZE, or as from shmring_mpmc_error() or
 * shmring_mpmc_commit(). */
int shmring_mpmc_send(shmring_mpmc_producer *producer, const void *message, uint32_t length,
                      uint32_t type);

/*
 * Copies the oldest message out. ret_slot gets its length, type and redelivered. Returns 0, -EAGAIN
 * (empty), or as from shmring_mpmc_error() or shmring_mpmc_release(); -EMSGSIZE: it is longer than
 * buffer_size; it stays, and ret_slot->length is set.
 */
int shmring_mpmc_recv(shmring_mpmc_consumer *consumer, void *buffer, uint32_t buffer_size,
                      shmring_mpmc_slot *ret_slot);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif

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
 * Two words per slot are the whole truth about it (mpmc_word.h): FREE, WRITING, READY or READING,
 * at a lap, and by whom.
 *
 * Position p is slot p mod N at lap p div N + 1. It is used once its slot has reached that lap, and
 * closed once the slot is past it, or at it and neither WRITING nor READY. Positions are used in
 * order.
 *
 *   claim    walk over used positions to the frontier. FREE: swap to WRITING. READY: full. Held
 *            since a lap ago: carry it (swap its lap for ours, it keeps its owner) and walk on.
 *   commit, release   store the label, at whatever lap the word is by now; abort swaps to FREE.
 *   take     walk over closed positions, and over WRITING ones, which are noted; at the first READY
 *            look again at those noted: if none has changed, swap to READING; else start over. The
 *            frontier is the end: empty, after the same second look.
 *
 *   producer                                     consumer
 *   [mpmc.A] load  label           acquire       [mpmc.C] load  label           acquire
 *            cas   word  (claim)   [mpmc.F]               cas   word  (take)    [mpmc.F]
 *            STORE message                                LOAD  message
 *   [mpmc.B] store label (commit)  release       [mpmc.D] store label (release) release
 *   all
 *   [mpmc.E] load word             acquire       [mpmc.F] cas word              acq_rel
 *   [mpmc.G] cas  hint             release       [mpmc.H] load hint             acquire
 *   [mpmc.I] add  orphan_epoch     release       [mpmc.J] load orphan_epoch     acquire
 *   [mpmc.K] add  joined and so on release       [mpmc.L] load joined and so on acquire
 *
 *   A pairs with D: without it a slot could be overwritten while it is still being read.
 *   C pairs with B: without it a message could be read before it is written.
 *   E pairs with F: without it a label could be read that is older than the word before it, and a
 *     walk could miss what was sent before it began.
 *   G pairs with H: without it a walk could begin behind positions that it believes unused.
 *   I pairs with J: without it a look for orphans could come too early, and not be repeated.
 *   K pairs with L: without it who is told that members left could still find them attached.
 *
 * Why it holds, with proofs of lock-freedom, order and recovery: docs/verification.md. In short:
 * the lap of a word only grows, so a swap cannot succeed on old knowledge, and a label that was
 * read before a swap that succeeded was of that owner; each failed swap and each step of a walk is
 * another member's progress; and whoever dies leaves its name in the word.
 *
 * Order: first in, first out, of messages that do not overlap in time, from claim to commit. A slot
 * held for more than a lap goes to the tail; an orphan too, or it is taken where it lies when
 * nothing else is wanted. Full means that the oldest message not taken is capacity positions behind
 * the frontier, or that at one moment all slots were in use.
 *
 * Death: what was claimed comes back as a free slot; what was taken is delivered again (marked so,
 * at the tail) or dropped and counted, as the ring was made (SHMRING_OPTION_REDELIVER). Nobody
 * waits for that: shmring_mpmc_recover() is called by who has time, and by each attach. (A member
 * that is stopped while it recovers holds what the dead one held.)
 *
 * Limits: 2 to 2^20 slots, SHMRING_MEMBER_MAX members at a time. Laps count 48 bits and wrap: at
 * 10^8 messages/s after 65 days with 2 slots, 90 years with 1024; harmful only to a member that was
 * stopped in the middle of one call for that long, or to a handle that was not used for half as
 * long: it finds the words impossible (-EBADMSG). Positions: 64 bits, 5800 years.
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
#include "shmring/mpmc_side.h"
#include "shmring/mpmc_word.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

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

/*
 * Claims the next slot. Its length and type are undefined, for commit_many() to be set after this.
 * Returns false: the ring is full, or shmring_mpmc_error() says why. (Also after very many steps in
 * which others always came first.) Linearizes at F.
 */
SHMRING_HOT inline bool shmring_mpmc_claim(shmring_mpmc_producer *producer,
                                           shmring_mpmc_slot *ret_slot)
{
    shmring_mpmc_side *side = &producer->side;
    uint64_t pos = producer->tail_pos, idx = pos & side->mask;
    struct shmring_mpmc_entry *entry = &side->entries[idx];
    uint64_t claimed = producer->claimed;
    void *data = side->data + idx * side->slot_stride;
    shmring_mpmc_slot slot; /* so that *ret_slot may live in registers */

    if (__builtin_expect(shmring_member_bets(&side->member), true)) {
        shmring_prefetch_to_write(entry);
        /* [mpmc.E] pairs with [mpmc.F] */
        uint64_t word = shmring_load64_acquire(&entry->word);
        /* [mpmc.A] pairs with [mpmc.D] */
        uint64_t label = shmring_load64_acquire(&entry->label);

        /* Taken at the lap before, by anyone, and released? [mpmc.F] pairs with [mpmc.E] */
        if (__builtin_expect(shmring_slot_precedes(word, SHMRING_WORD_TAKEN, claimed, 1) &&
                                 !shmring_slot_is_filled(label) &&
                                 shmring_cas64_acq_rel(&entry->word, &word, claimed),
                             true)) {
            producer->tail_pos = pos + 1;
            if (__builtin_expect(((pos + 1) & side->hint_mask) == 0, false))
                shmring_mpmc_produced(producer);
            ret_slot->data = data;
            ret_slot->session = (uint16_t)side->member.session;
            ret_slot->idx = (uint32_t)idx;
            ret_slot->word = claimed;
            return true;
        }
    }
    if (!shmring_mpmc_claim_walk(producer, &slot))
        return false;
    *ret_slot = slot;
    return true;
}

/* Is the slot ours in that way, by its word as we left it, and not done with? */
SHMRING_HOT inline bool shmring_mpmc_is_own(const shmring_mpmc_side *side,
                                            const shmring_mpmc_slot *slot, uint64_t kind)
{
    /* relaxed: our own store; or another's, and left alone or looked at more closely. */
    uint64_t word = shmring_load64_relaxed(shmring_mpmc_word(side, slot->idx));
    /* relaxed: likewise. */
    uint64_t label = shmring_load64_relaxed(shmring_mpmc_label(side, slot->idx));

    return word == slot->word && (word & SHMRING_WORD_WHO_MASK) == (kind | side->member.id) &&
           shmring_slot_is_filled(label) == (kind == SHMRING_WORD_TAKEN) &&
           shmring_member_is_here(&side->member);
}

/* Is done with a slot: whatever its lap is by now, its state changes. */
SHMRING_HOT inline int shmring_mpmc_settle(const shmring_mpmc_side *side, shmring_mpmc_slot *slot,
                                           uint64_t kind, uint64_t label)
{
    /* The word of an orphan can come back within a lap: the session is looked at, too. */
    if (__builtin_expect(!shmring_mpmc_is_own(side, slot, kind) ||
                             (slot->word & SHMRING_WORD_REDELIVERED) != 0,
                         false)) {
        /* A copy, so that the slot itself may live in registers. A claimed one has no more. */
        shmring_mpmc_slot copy;

        copy.session = slot->session;
        copy.idx = slot->idx;
        copy.word = slot->word;
        int error = shmring_mpmc_renew(side, &copy, kind);

        if (error != 0)
            return error;
    }
    slot->word = 0;
    /* [mpmc.B] pairs with [mpmc.C]; [mpmc.D] pairs with [mpmc.A] */
    shmring_store64_release(shmring_mpmc_label(side, slot->idx), label);
    return 0;
}

/*
 * Sends the message in a claimed slot, of length bytes and of that type. Linearizes at B, a store
 * that others may see a little after the call: who then looks for their answer elsewhere passes a
 * fence in between. Returns 0 and the slot is no longer ours, or, with nothing touched:
 *   -EMSGSIZE    length is beyond the slot; it stays claimed
 *   -ESTALE      the slot is not ours (any more): committed or aborted before, or given away,
 *                because others took us for dead
 *   -EOWNERDEAD  in a child after fork()
 *   -EBADMSG     see shmring_mpmc_error()
 */
SHMRING_HOT inline int shmring_mpmc_commit(shmring_mpmc_producer *producer, shmring_mpmc_slot *slot,
                                           uint32_t length, uint32_t type)
{
    uint64_t label = (uint64_t)type << 32 | SHMRING_LABEL_FILLED | length;

    if (length > producer->side.slot_size)
        return -EMSGSIZE;
    return shmring_mpmc_settle(&producer->side, slot, SHMRING_WORD_CLAIMED, label);
}

/* Gives a claimed slot back unsent. Errors as from commit. */
int shmring_mpmc_abort(shmring_mpmc_producer *producer, shmring_mpmc_slot *slot);

/* What a label says of the message in a slot that is ours now. It was loaded once: members may
 * break the rules. */
SHMRING_HOT inline bool shmring_mpmc_accept(shmring_mpmc_side *side, uint64_t label,
                                            shmring_mpmc_slot *ret_slot)
{
    ret_slot->length = (uint32_t)(label & SHMRING_LABEL_LENGTH_MASK);
    ret_slot->type = (uint32_t)(label >> 32);
    ret_slot->redelivered = (ret_slot->word & SHMRING_WORD_REDELIVERED) != 0;
    return __builtin_expect(ret_slot->length <= side->slot_size, true) ||
           shmring_mpmc_poison(side);
}

/*
 * Takes the oldest message. Returns false: the ring is empty, or shmring_mpmc_error() says why.
 * (Also after very many steps in which others always came first.) Linearizes at F. In a stream, it
 * may pause for some microseconds: see let_run_ahead() in mpmc_take.c.
 */
SHMRING_HOT inline bool shmring_mpmc_take(shmring_mpmc_consumer *consumer,
                                          shmring_mpmc_slot *ret_slot)
{
    shmring_mpmc_side *side = &consumer->side;
    uint64_t pos = consumer->head_pos, idx = pos & side->mask;
    struct shmring_mpmc_entry *entry = &side->entries[idx];
    uint64_t taken = consumer->taken;
    void *data = side->data + idx * side->slot_stride;
    shmring_mpmc_slot slot; /* so that *ret_slot may live in registers */

    if (__builtin_expect(shmring_member_bets(&side->member), true)) {
        shmring_prefetch_to_write(entry);
        /* [mpmc.E] pairs with [mpmc.F] */
        uint64_t word = shmring_load64_acquire(&entry->word);
        /* [mpmc.C] pairs with [mpmc.B] */
        uint64_t label = shmring_load64_acquire(&entry->label);

        /* Claimed at this lap, by anyone, and committed? [mpmc.F] pairs with [mpmc.E] */
        if (__builtin_expect(shmring_slot_precedes(word, SHMRING_WORD_CLAIMED, taken, 0) &&
                                 shmring_slot_is_filled(label) &&
                                 shmring_cas64_acq_rel(&entry->word, &word, taken),
                             true)) {
            consumer->head_pos = pos + 1;
            if (__builtin_expect(((pos + 1) & side->hint_mask) == 0, false))
                shmring_mpmc_consumed(consumer);
            ret_slot->data = data;
            ret_slot->session = (uint16_t)side->member.session;
            ret_slot->idx = (uint32_t)idx;
            ret_slot->word = taken;
            return shmring_mpmc_accept(side, label, ret_slot);
        }
    }
    if (!shmring_mpmc_take_walk(consumer, SHMRING_TAKE_ANY, 0, UINT32_MAX, &slot))
        return false;
    *ret_slot = slot;
    return true;
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
    return shmring_mpmc_settle(&consumer->side, slot, SHMRING_WORD_TAKEN, 0);
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

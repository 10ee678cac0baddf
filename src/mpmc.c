/* SPDX-License-Identifier: MIT */
#include "shmring/mpmc.h"

#include <string.h>
#include <sys/stat.h>

/* Positions between hints: an eighth of the ring, within limits. More is faster, because it lets
 * producers run further ahead (mpmc_take.c). */
enum {
    HINTS_PER_LAP = 8,
    HINT_EVERY_MIN = 8,
    HINT_EVERY_MAX = 128,
};

/* What needs no place among the members: the memory, and what is told in it. */
static void look_at_ring(shmring_mpmc_side *side, uint8_t *memory, const shmring_geometry *geometry)
{
    *side = (shmring_mpmc_side){
        .entries = (void *)(memory + geometry->entries_offset),
        .data = memory + geometry->data_offset,
        .mask = geometry->capacity - 1,
        .slot_stride = geometry->slot_stride,
        .slot_size = geometry->element_size,
        .control = (void *)(memory + geometry->control_offset),
        .records = (void *)(memory + geometry->members_offset),
        .redeliver = (geometry->options & SHMRING_OPTION_REDELIVER) != 0,
    };
    uint64_t every = geometry->capacity / HINTS_PER_LAP;

    every = every < HINT_EVERY_MIN ? HINT_EVERY_MIN : every;
    every = every > HINT_EVERY_MAX ? HINT_EVERY_MAX : every;
    side->hint_mask = (every < geometry->capacity ? every : geometry->capacity) - 1;
    while (UINT64_C(1) << side->shift != geometry->capacity)
        side->shift++;
}

/* The role of a member whose lock we have, as it says: any number. */
static uint32_t role_of(const struct shmring_member_record *record)
{
    /* relaxed: the lock ordered it. */
    return shmring_load32_relaxed(&record->role);
}

/* One more member of that role. */
static void count(shmring_word32 counts[3], uint32_t role)
{
    /* [mpmc.K] pairs with [mpmc.L] */
    if (role == SHMRING_ROLE_PRODUCER || role == SHMRING_ROLE_CONSUMER)
        shmring_add32_release(&counts[role], 1);
}

/* For each dead member but one's own id: its lock, its slots, its grave. fd is a descriptor of the
 * object of that device and inode, or has become another one's meanwhile. Returns how many. */
static int recover_dead(shmring_mpmc_side *side, int fd, dev_t device, ino_t inode)
{
    uint32_t id = 0;
    int buried = 0;

    for (;;) {
        int lock_fd = shmring_member_seize(fd, side->records, &id);

        if (lock_fd == -ENOENT)
            return buried;
        if (lock_fd < 0)
            return lock_fd;
        int error = shmring_member_check_object(lock_fd, device, inode);

        if (error != 0) {
            shmring_member_leave(lock_fd);
            return error;
        }
        /* relaxed: we have the lock. */
        uint32_t session = shmring_load32_relaxed(&side->records[id].session);

        if (shmring_mpmc_recover_slots(side, id, session)) {
            count(side->control->died, role_of(&side->records[id]));
            shmring_member_bury(side->records, id, lock_fd);
            buried++;
        } else {
            shmring_member_leave(lock_fd);
        }
    }
}

static int attach(shmring_mpmc_side *ret_side, void *memory, const shmring_geometry *geometry,
                  int fd, enum shmring_member_role role)
{
    struct stat status = {0};
    shmring_mpmc_side side;

    if (geometry->kind != SHMRING_KIND_MPMC || geometry->read_only)
        return -EPROTONOSUPPORT;
    look_at_ring(&side, memory, geometry);
    if (fd >= 0 && fstat(fd, &status) != 0)
        return -errno;
    int error = fd >= 0 ? recover_dead(&side, fd, status.st_dev, status.st_ino) : 0;

    if (error < 0)
        return error;
    error = shmring_member_enroll(&side.member, fd, side.records, role);
    if (error != 0)
        return error;
    /* Who had this id before may have been taken for dead, and have gone on for a while. */
    if (side.member.session > 1)
        shmring_mpmc_recover_slots(&side, side.member.id, side.member.session);
    count(side.control->joined, role);
    *ret_side = side;
    return 0;
}

int shmring_mpmc_attach_producer(shmring_mpmc_producer *producer, void *memory,
                                 const shmring_geometry *geometry, int fd)
{
    shmring_mpmc_side side = {0};
    int error = attach(&side, memory, geometry, fd, SHMRING_ROLE_PRODUCER);

    if (error != 0)
        return error;
    *producer = (shmring_mpmc_producer){.side = side};
    /* [mpmc.H] pairs with [mpmc.G] */
    producer->tail_pos = shmring_load64_acquire(&side.control->tail_hint);
    return 0;
}

int shmring_mpmc_attach_consumer(shmring_mpmc_consumer *consumer, void *memory,
                                 const shmring_geometry *geometry, int fd)
{
    shmring_mpmc_side side = {0};
    int error = attach(&side, memory, geometry, fd, SHMRING_ROLE_CONSUMER);

    if (error != 0)
        return error;
    *consumer = (shmring_mpmc_consumer){.side = side};
    /* [mpmc.H] pairs with [mpmc.G] */
    consumer->head_pos = shmring_load64_acquire(&side.control->head_hint);
    /* [mpmc.J] pairs with [mpmc.I]: it has seen none of them yet. */
    consumer->orphans_seen = shmring_load32_acquire(&side.control->orphan_epoch) - 1;
    return 0;
}

static void detach(shmring_mpmc_side *side, enum shmring_member_role role)
{
    bool left = shmring_member_check(&side->member) == 0;

    if (left)
        shmring_mpmc_recover_slots(side, side->member.id, side->member.session);
    shmring_member_resign(&side->member);
    if (left)
        count(side->control->left, role);
}

void shmring_mpmc_detach_producer(shmring_mpmc_producer *producer)
{
    if (producer->side.entries == NULL)
        return;
    detach(&producer->side, SHMRING_ROLE_PRODUCER);
    memset(producer, 0, sizeof *producer);
}

void shmring_mpmc_detach_consumer(shmring_mpmc_consumer *consumer)
{
    if (consumer->side.entries == NULL)
        return;
    detach(&consumer->side, SHMRING_ROLE_CONSUMER);
    memset(consumer, 0, sizeof *consumer);
}

int shmring_mpmc_recover(shmring_mpmc_side *side)
{
    const shmring_member *member = &side->member;
    int error = shmring_member_check(member);

    if (error != 0 || member->fd < 0)
        return error;
    return recover_dead(side, member->fd, member->device, member->inode);
}

int shmring_mpmc_error(const shmring_mpmc_side *side)
{
    return side->error != 0 ? side->error : shmring_member_check(&side->member);
}

bool shmring_mpmc_poison(shmring_mpmc_side *side)
{
    side->error = -EBADMSG;
    shmring_mpmc_guessed(side, false); /* a bet would not look at that */
    return false;
}

/* Why a slot is not as we left it: carried, then slot->word is brought up to date and 0 returned;
 * or it is not ours any more. */
int shmring_mpmc_renew(const shmring_mpmc_side *side, shmring_mpmc_slot *slot, uint64_t kind)
{
    shmring_word64 *shared = shmring_mpmc_word(side, slot->idx);
    shmring_mpmc_slot renewed = {.idx = slot->idx};

    for (int tries = 0; tries < SHMRING_MPMC_TRIES; tries++) {
        /* [mpmc.E] pairs with [mpmc.F] */
        renewed.word = shmring_load64_acquire(shared);
        /* After the word: one of a later owner of our id cannot be seen without its session. */
        int error = shmring_member_check(&side->member);

        if (error != 0)
            return error;
        if (slot->word == 0 || slot->session != (uint16_t)side->member.session ||
            ((renewed.word ^ slot->word) & SHMRING_WORD_WHO_MASK) != 0)
            return -ESTALE;
        if (shmring_mpmc_is_own(side, &renewed, kind)) {
            slot->word = renewed.word;
            /* relaxed: a note for people, which is out of date now. */
            shmring_store64_relaxed(&side->member.record->held_since, 0);
            return 0;
        }
        /* relaxed: not carried again, so we are done with it already. */
        if (shmring_load64_relaxed(shared) == renewed.word)
            return -ESTALE;
    }
    return -EBADMSG;
}

int shmring_mpmc_abort(shmring_mpmc_producer *producer, shmring_mpmc_slot *slot)
{
    shmring_mpmc_side *side = &producer->side;

    for (int tries = 0; tries < SHMRING_MPMC_TRIES; tries++) {
        int error = shmring_mpmc_renew(side, slot, SHMRING_WORD_CLAIMED);
        uint64_t word = slot->word;

        if (error != 0)
            return error;
        /* Not by the label: that would say that there is a message. [mpmc.F] pairs with [mpmc.E] */
        if (shmring_cas64_acq_rel(shmring_mpmc_word(side, slot->idx), &word,
                                  (word & SHMRING_WORD_LAP_MASK) | SHMRING_WORD_FREE)) {
            slot->word = 0;
            return 0;
        }
    }
    shmring_mpmc_poison(side);
    return -EBADMSG;
}

uint64_t shmring_mpmc_used_guess(const shmring_mpmc_side *side)
{
    uint64_t used = 0;

    for (uint64_t idx = 0; idx <= side->mask; idx++) {
        /* relaxed: a guess, both. */
        uint64_t word = shmring_load64_relaxed(shmring_mpmc_word(side, idx));
        /* relaxed: likewise. */
        uint64_t label = shmring_load64_relaxed(shmring_mpmc_label(side, idx));

        used += shmring_slot_state(word, label) == SHMRING_SLOT_READY;
    }
    return used;
}

uint64_t shmring_mpmc_dropped_guess(const shmring_mpmc_side *side)
{
    /* relaxed: a guess. */
    return shmring_load64_relaxed(&side->control->dropped);
}

uint64_t shmring_mpmc_redelivered_guess(const shmring_mpmc_side *side)
{
    /* relaxed: a guess. */
    return shmring_load64_relaxed(&side->control->redelivered);
}

uint32_t shmring_mpmc_claim_many(shmring_mpmc_producer *producer, shmring_mpmc_slot *ret_slots,
                                 uint32_t count)
{
    uint32_t done = 0;

    while (done < count && shmring_mpmc_claim(producer, &ret_slots[done]))
        done++;
    return done;
}

uint32_t shmring_mpmc_take_many(shmring_mpmc_consumer *consumer, shmring_mpmc_slot *ret_slots,
                                uint32_t count)
{
    uint32_t done = 0;

    while (done < count && shmring_mpmc_take(consumer, &ret_slots[done]))
        done++;
    return done;
}

int shmring_mpmc_commit_many(shmring_mpmc_producer *producer, shmring_mpmc_slot *slots,
                             uint32_t count)
{
    int error = 0;

    for (uint32_t i = 0; i < count && error == 0; i++)
        error = shmring_mpmc_commit(producer, &slots[i], slots[i].length, slots[i].type);
    return error;
}

int shmring_mpmc_release_many(shmring_mpmc_consumer *consumer, shmring_mpmc_slot *slots,
                              uint32_t count)
{
    int error = 0;

    for (uint32_t i = 0; i < count && error == 0; i++)
        error = shmring_mpmc_release(consumer, &slots[i]);
    return error;
}

int shmring_mpmc_send(shmring_mpmc_producer *producer, const void *message, uint32_t length,
                      uint32_t type)
{
    shmring_mpmc_slot slot;

    if (length > producer->side.slot_size)
        return -EMSGSIZE;
    if (!shmring_mpmc_claim(producer, &slot)) {
        int error = shmring_mpmc_error(&producer->side);

        return error != 0 ? error : -EAGAIN;
    }
    if (length != 0)
        memcpy(slot.data, message, length);
    return shmring_mpmc_commit(producer, &slot, length, type);
}

int shmring_mpmc_recv(shmring_mpmc_consumer *consumer, void *buffer, uint32_t buffer_size,
                      shmring_mpmc_slot *ret_slot)
{
    bool fits = buffer_size >= consumer->side.slot_size;
    shmring_mpmc_slot slot = {0};
    bool taken = fits ? shmring_mpmc_take(consumer, &slot)
                      : shmring_mpmc_take_walk(consumer, SHMRING_TAKE_ANY, 0, buffer_size, &slot);

    if (!taken) {
        int error = shmring_mpmc_error(&consumer->side);

        if (error == 0 && slot.length > buffer_size) {
            ret_slot->length = slot.length;
            error = -EMSGSIZE;
        }
        return error != 0 ? error : -EAGAIN;
    }
    if (slot.length != 0)
        memcpy(buffer, slot.data, slot.length);
    *ret_slot = slot;
    return shmring_mpmc_release(consumer, ret_slot);
}

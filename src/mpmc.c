/* SPDX-License-Identifier: MIT */
#include "shmring/mpmc.h"

#include <string.h>

/* Positions between hints: an eighth of the ring, within limits. More is faster, because it lets
 * producers run further ahead (mpmc_walk.c). */
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
    side->hint_mask = geometry->capacity / HINTS_PER_LAP - 1;
    if (geometry->capacity < HINT_EVERY_MIN * HINTS_PER_LAP)
        side->hint_mask = HINT_EVERY_MIN - 1;
    if (geometry->capacity > HINT_EVERY_MAX * HINTS_PER_LAP)
        side->hint_mask = HINT_EVERY_MAX - 1;
    while (UINT64_C(1) << side->shift != geometry->capacity)
        side->shift++;
}

/* For each dead member: its lock, its slots, its grave. Returns how many, or -errno. */
static int recover_dead(shmring_mpmc_side *side, int fd)
{
    uint32_t id = 0;
    int buried = 0;

    if (fd < 0)
        return 0;
    for (;; buried++) {
        int lock_fd = shmring_member_seize(fd, side->records, &id);

        if (lock_fd == -ENOENT)
            return buried;
        if (lock_fd < 0)
            return lock_fd;
        shmring_mpmc_recover_slots(side, id);
        if (side->redeliver)
            shmring_mpmc_redeliver(side);
        shmring_member_bury(side->records, id, lock_fd);
    }
}

static int attach(shmring_mpmc_side *ret_side, void *memory, const shmring_geometry *geometry,
                  int fd, enum shmring_member_role role)
{
    shmring_mpmc_side side;

    if (geometry->kind != SHMRING_KIND_MPMC || geometry->read_only)
        return -EPROTONOSUPPORT;
    look_at_ring(&side, memory, geometry);
    int error = recover_dead(&side, fd);

    if (error < 0)
        return error;
    error = shmring_member_enroll(&side.member, fd, side.records, role);
    if (error == 0)
        *ret_side = side;
    return error;
}

int shmring_mpmc_attach_producer(shmring_mpmc_producer *producer, void *memory,
                                 const shmring_geometry *geometry, int fd)
{
    shmring_mpmc_side side;
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
    shmring_mpmc_side side;
    int error = attach(&side, memory, geometry, fd, SHMRING_ROLE_CONSUMER);

    if (error != 0)
        return error;
    *consumer = (shmring_mpmc_consumer){.side = side};
    /* [mpmc.H] pairs with [mpmc.G] */
    consumer->head_pos = shmring_load64_acquire(&side.control->head_hint);
    return 0;
}

static void detach(shmring_mpmc_side *side)
{
    if (shmring_member_check(&side->member) == 0 && side->any_held) {
        shmring_mpmc_recover_slots(side, side->member.id);
        if (side->redeliver)
            shmring_mpmc_redeliver(side);
    }
    shmring_member_resign(&side->member);
}

void shmring_mpmc_detach_producer(shmring_mpmc_producer *producer)
{
    if (producer->side.entries == NULL)
        return;
    detach(&producer->side);
    memset(producer, 0, sizeof *producer);
}

void shmring_mpmc_detach_consumer(shmring_mpmc_consumer *consumer)
{
    if (consumer->side.entries == NULL)
        return;
    detach(&consumer->side);
    memset(consumer, 0, sizeof *consumer);
}

int shmring_mpmc_recover(shmring_mpmc_side *side)
{
    if (!shmring_member_is_here(&side->member))
        return -EOWNERDEAD;
    return recover_dead(side, side->member.fd);
}

int shmring_mpmc_error(const shmring_mpmc_side *side)
{
    return side->error != 0 ? side->error : shmring_member_check(&side->member);
}

bool shmring_mpmc_poison(shmring_mpmc_side *side)
{
    side->error = -EBADMSG;
    side->streak = 0;
    return false;
}

/* Why the word of a slot is not as we left it: carried, then slot->word is brought up to date and 0
 * returned; or it is not ours any more. */
int shmring_mpmc_renew(const shmring_mpmc_side *side, shmring_mpmc_slot *slot)
{
    /* [mpmc.E] pairs with [mpmc.F] */
    uint64_t word = shmring_load64_acquire(shmring_mpmc_word(side, slot->idx));
    /* After the word: one of a later owner of our id cannot be seen without its session. */
    int error = shmring_member_check(&side->member);

    if (error != 0)
        return error;
    if (((word ^ slot->word) & SHMRING_SLOT_WHO_MASK) != 0)
        return -ESTALE;
    slot->word = word;
    /* relaxed: a note for people, which is out of date now. */
    shmring_store64_relaxed(&side->member.record->held_since, 0);
    return 0;
}

uint64_t shmring_mpmc_used_guess(const shmring_mpmc_side *side)
{
    uint64_t used = 0;

    for (uint64_t idx = 0; idx <= side->mask; idx++) {
        /* relaxed: a guess. */
        uint64_t word = shmring_load64_relaxed(shmring_mpmc_word(side, idx));

        used += shmring_slot_state(word) == SHMRING_SLOT_READY;
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

/* SPDX-License-Identifier: MIT */
#include "queue_ends.h"

#include <errno.h>

/* How far to look for a message; beyond that there is one. */
enum { GUESS_STEPS = 64 };

static shmring_queue_ends counts_of(const shmring_mpmc_side *side, enum shmring_member_role role)
{
    const struct shmring_mpmc_control *control = side->control;
    shmring_queue_ends now;

    /* [mpmc.L] pairs with [mpmc.K] */
    now.left = shmring_load32_acquire(&control->left[role]);
    /* [mpmc.L] pairs with [mpmc.K] */
    now.died = shmring_load32_acquire(&control->died[role]);
    /* [mpmc.L] pairs with [mpmc.K] */
    now.joined = shmring_load32_acquire(&control->joined[role]);
    now.died_seen = now.died;
    return now;
}

uint32_t queue_ends_died(const void *memory, const shmring_geometry *geometry,
                         enum shmring_member_role role)
{
    const struct shmring_mpmc_control *control =
        (const void *)((const uint8_t *)memory + geometry->control_offset);

    /* [mpmc.L] pairs with [mpmc.K] */
    return shmring_load32_acquire(&control->died[role]);
}

void queue_ends_begin(shmring_queue_ends *ends, const shmring_mpmc_side *side,
                      enum shmring_member_role role, uint32_t died)
{
    *ends = counts_of(side, role);
    if (ends->died != died)
        queue_ends_expect(ends);
    ends->died = died;
}

void queue_ends_expect(shmring_queue_ends *ends)
{
    ends->joined--;
    ends->left--;
}

int queue_ends_is_attended(const shmring_mpmc_side *side, enum shmring_member_role role,
                           uint32_t *ret_unburied)
{
    *ret_unburied = 0;
    for (uint32_t id = 1; id <= SHMRING_MEMBER_MAX; id++) {
        const struct shmring_member_record *record = &side->records[id];
        /* What a member committed before it left is there for who sees that it left. [member.B]
         * pairs with [member.A] */
        uint32_t session = shmring_load32_acquire(&record->session);

        /* relaxed: of that session, or of a later one. */
        if (session % 2 == 0 || shmring_load32_relaxed(&record->role) != (uint32_t)role)
            continue;
        int held = side->member.fd >= 0 && id != side->member.id
                       ? shmring_member_probe(side->member.fd, id)
                       : 1;

        if (held != 0)
            return held;
        /* The lock is taken before the session begins and given back after it ended: a free lock
         * and a session that goes on are a death. Else somebody came or went: ask again.
         * [member.B] pairs with [member.A] */
        if (shmring_load32_acquire(&record->session) != session)
            return 1;
        ++*ret_unburied;
    }
    return 0;
}

bool queue_ends_has_news(const shmring_queue_ends *ends, const shmring_mpmc_side *side,
                         enum shmring_member_role role)
{
    shmring_queue_ends now = counts_of(side, role);

    return now.left != ends->left || now.died != ends->died_seen;
}

int queue_ends_look(shmring_queue_ends *ends, shmring_mpmc_side *side,
                    enum shmring_member_role role, shmring_queue_ends *ret_now, bool *ret_buried)
{
    int buried = shmring_mpmc_recover(side);

    *ret_buried = buried > 0;
    /* Other errors are a want of descriptors, memory or locks, and may be over the next time. */
    if (buried == -EOWNERDEAD || buried == -ESTALE || buried == -EBADMSG)
        return buried;
    uint32_t unburied;
    *ret_now = counts_of(side, role);
    int alive = queue_ends_is_attended(side, role, &unburied);
    /* What happened while one was alive is news no more; but a death is told in the end. Who cannot
     * be asked after is alive: it is asked again. */
    ends->left = ret_now->left;
    ends->died_seen = ret_now->died_seen;
    if (alive != 0 || ret_now->joined == ends->joined)
        return 0;
    /* How they ended has to be of those who were looked at: else it is news, and asked again. */
    shmring_queue_ends after = counts_of(side, role);

    if (after.joined != ret_now->joined || after.died != ret_now->died)
        return 0;
    ret_now->died += unburied;
    return ret_now->died != ends->died ? -EOWNERDEAD : -EPIPE;
}

void queue_ends_wake(const shmring_eventcount *messages, const shmring_eventcount *room)
{
    shmring_event_wake_all(messages);
    shmring_event_wake_all(room);
}

void queue_ends_told(shmring_queue_ends *ends, const shmring_queue_ends *now)
{
    *ends = *now;
}

bool queue_has_message_guess(const shmring_mpmc_consumer *consumer)
{
    const shmring_mpmc_side *side = &consumer->side;
    /* [mpmc.J] pairs with [mpmc.I]: those of the dead lie anywhere. */
    uint32_t epoch = shmring_load32_acquire(&side->control->orphan_epoch);

    if (side->redeliver && epoch != consumer->orphans_seen)
        return true;
    for (uint32_t i = 0; i < consumer->open_count; i++) {
        shmring_mpmc_look look = shmring_mpmc_look_at(side, consumer->open[i].pos);

        if (consumer->open[i].was_writing &&
            (look.ahead != 0 || look.state == SHMRING_SLOT_READY))
            return true;
    }
    for (uint64_t pos = consumer->head_pos; pos != consumer->head_pos + GUESS_STEPS; pos++) {
        shmring_mpmc_look look = shmring_mpmc_look_at(side, pos);

        if (look.ahead < 0)
            return false;
        if (look.ahead > 0 || look.state == SHMRING_SLOT_READY)
            return true;
    }
    return true;
}

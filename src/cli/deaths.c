/* SPDX-License-Identifier: MIT */
/*
 * Which senders of a ring of many have died. The library says that one did, and when all have gone;
 * their records say which: the last session under each id that ended by death. By the time that we
 * look, the id may be another member's: so we keep who had it when we looked before.
 */
#include "cli.h"

#include <errno.h>

static void look_at(struct cli_death *seen, const struct shmring_member_record *record)
{
    /* [member.B] pairs with [member.A]: of that session, or of a later one that we shall see. */
    seen->session = shmring_load32_acquire(&record->session);
    /* relaxed: for people, both. */
    seen->pid = shmring_load32_relaxed(&record->pid);
    /* relaxed: likewise. */
    seen->role = shmring_load32_relaxed(&record->role);
}

int cli_deaths_begin(struct cli_deaths *deaths, const char *name,
                     const shmring_channel_options *options, shmring_geometry *ret_geometry)
{
    shmring_segment segment;
    int error = shmring_segment_open(&segment, name, &options->segment, ret_geometry);

    if (error != 0)
        return error;
    const struct shmring_member_record *records =
        (const void *)((const char *)segment.base + ret_geometry->members_offset);
    if (ret_geometry->kind != SHMRING_KIND_MPMC)
        error = -EPROTOTYPE;
    for (uint32_t id = 1; id <= SHMRING_MEMBER_MAX && error == 0; id++) {
        look_at(&deaths->seen[id], &records[id]);
        /* relaxed: one that is missed here is told of. */
        deaths->seen[id].died = shmring_load32_relaxed(&records[id].died);
    }
    deaths->told = 0;
    shmring_segment_close(&segment);
    return error;
}

void cli_deaths_tell(struct cli_deaths *deaths, const char *ring,
                     const struct shmring_member_record *records)
{
    for (uint32_t id = 1; id <= SHMRING_MEMBER_MAX; id++) {
        struct cli_death *seen = &deaths->seen[id], now;
        /* relaxed: one that is missed is told of at the next look. */
        uint32_t died = shmring_load32_relaxed(&records[id].died);

        look_at(&now, &records[id]);
        now.died = died;
        const struct cli_death *dead = died == seen->session     ? seen
                                       : died + 1 == now.session ? &now
                                                                 : NULL;
        if (died != 0 && died != seen->died && dead != NULL &&
            dead->role == SHMRING_ROLE_PRODUCER) {
            cli_say(CLI_BROKEN, "%s: a sender died, process %u", ring, dead->pid);
            deaths->told++;
        }
        *seen = now;
    }
}

/* SPDX-License-Identifier: MIT */
/* How the members on the other side come, leave and die. */
#include "cli.h"

/* Whoever buries a dead member takes its death from those who have not seen it: all who wait look
 * every few milliseconds, and a grave waits for several of these. */
static const int64_t MOURNING_NS = 50000000;

/* A member that left has ended its session before it let go of the lock. */
static bool is_dead(const struct cli_crew *crew, uint32_t id, uint32_t session)
{
    if (shmring_member_probe(crew->fd, id) != 0)
        return false;
    /* relaxed: the lock ordered it. */
    return shmring_load32_relaxed(&crew->records[id].session) == session;
}

static void look_at(struct cli_crew *crew, uint32_t id, uint32_t session)
{
    bool moved = crew->looked && session != crew->sessions[id];

    crew->sessions[id] = session;
    /* relaxed: for people, in the main; a wrong one is right at the next look. */
    if (shmring_load32_relaxed(&crew->records[id].role) != (uint32_t)crew->role)
        return;
    crew->seen |= moved || session % 2 != 0;
    if (session % 2 == 0 || session == crew->buried[id])
        return;
    if (!is_dead(crew, id, session)) {
        crew->alive++;
        return;
    }
    crew->buried[id] = session;
    crew->died++;
    crew->died_at = shmring_clock();
    if (crew->ring != NULL)
        cli_say(CLI_BROKEN, "%s: a sender died, process %u", crew->ring,
                /* relaxed: for people. */
                shmring_load32_relaxed(&crew->records[id].pid));
}

void cli_crew_look(struct cli_crew *crew)
{
    crew->alive = 0;
    for (uint32_t id = 1; id <= SHMRING_MEMBER_MAX; id++) {
        /* What a member committed before it left is there for who sees that it left. [member.B]
         * pairs with [member.A] */
        uint32_t session = shmring_load32_acquire(&crew->records[id].session);

        if (session != 0)
            look_at(crew, id, session);
    }
    crew->looked = true;
}

bool cli_crew_may_bury(struct cli_crew *crew)
{
    if (crew->died_at != 0 && shmring_clock() - crew->died_at < MOURNING_NS)
        return false;
    crew->died_at = 0;
    return true;
}

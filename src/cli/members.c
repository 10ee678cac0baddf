/* SPDX-License-Identifier: MIT */
/* The members of a ring as seen from outside: who they are, whether they live, what they hold. */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

static struct cli_member members[SHMRING_MEMBER_RECORDS];

/* A process id is of some pid namespace, and may be another process in ours: it is the member only
 * if it has the ring mapped. */
static bool has_mapped(uint32_t pid, const struct stat *status)
{
    char path[64], line[512];
    bool found = false;

    snprintf(path, sizeof path, "/proc/%" PRIu32 "/maps", pid);
    FILE *maps = fopen(path, "re");
    while (maps != NULL && !found && fgets(line, sizeof line, maps) != NULL) {
        unsigned int major_number, minor_number;
        uint64_t inode;
        found =
            sscanf(line, "%*s %*s %*s %x:%x %" SCNu64, &major_number, &minor_number, &inode) == 3 &&
            makedev(major_number, minor_number) == status->st_dev && inode == status->st_ino;
    }
    if (maps != NULL)
        fclose(maps);
    return found;
}

static bool is_stopped(uint32_t pid, const struct stat *status)
{
    char path[64], text[512];

    snprintf(path, sizeof path, "/proc/%" PRIu32 "/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    const char *name_end = strrchr(text, ')'); /* the name may have any bytes in it */
    return name_end != NULL &&
           (strncmp(name_end, ") T", 3) == 0 || strncmp(name_end, ") t", 3) == 0) &&
           has_mapped(pid, status);
}

static void add_member(struct cli_ring *ring, struct cli_member member)
{
    struct cli_crowd *crowd =
        member.role == SHMRING_ROLE_PRODUCER ? &ring->senders : &ring->receivers;

    if (member.dead)
        crowd->dead++;
    else
        crowd->alive++;
    if (!member.dead) {
        crowd->pid = member.pid;
        member.stopped = is_stopped(member.pid, &ring->status);
    }
    members[ring->members_count++] = member;
    ring->members = members;
}

void cli_inspect_roles(struct cli_ring *ring)
{
    const struct cli_role *roles[] = {&ring->sender, &ring->receiver};

    for (uint32_t i = 0; i < 2; i++)
        if (roles[i]->state != CLI_FREE)
            add_member(ring, (struct cli_member){
                                 .id = i == 0 ? SHMRING_SPSC_PRODUCER : SHMRING_SPSC_CONSUMER,
                                 .pid = roles[i]->pid,
                                 .session = roles[i]->session,
                                 .role = i == 0 ? SHMRING_ROLE_PRODUCER : SHMRING_ROLE_CONSUMER,
                                 .dead = roles[i]->state == CLI_DEAD});
}

/* What is in the slots, and with it what the members hold. */
static int count_slots(int fd, struct cli_ring *ring, uint32_t held[][2])
{
    enum { CHUNK = 1024 };
    struct shmring_mpmc_entry entries[CHUNK];
    uint64_t slots = ring->geometry.capacity;

    for (uint64_t first = 0; first < slots; first += CHUNK) {
        uint64_t count = slots - first < CHUNK ? slots - first : CHUNK;
        int error = cli_read_at(fd, entries, (size_t)count * sizeof *entries,
                                ring->geometry.entries_offset + first * sizeof *entries);

        if (error != 0)
            return error;
        for (uint64_t i = 0; i < count; i++) {
            /* relaxed: a copy of our own. */
            uint64_t word = shmring_load64_relaxed(&entries[i].word);
            /* relaxed: likewise. */
            uint64_t label = shmring_load64_relaxed(&entries[i].label);
            enum shmring_slot_state state = shmring_slot_state(word, label);

            ring->used += state == SHMRING_SLOT_READY || state == SHMRING_SLOT_ORPHAN;
            if (state == SHMRING_SLOT_WRITING || state == SHMRING_SLOT_READING)
                held[shmring_slot_owner(word)][state == SHMRING_SLOT_READING]++;
        }
    }
    return 0;
}

/* Dead: the session goes on and the lock is free. The record is read again behind that, for a
 * member that leaves ends its session first. */
static int read_life(int fd, uint64_t offset, struct cli_member *member)
{
    struct shmring_member_record record;
    int held = shmring_member_probe(fd, member->id);

    if (held != 0)
        return held < 0 ? held : 0;
    int error = cli_read_at(fd, &record, sizeof record, offset);
    /* relaxed: a copy of our own. */
    member->dead = error == 0 && shmring_load32_relaxed(&record.session) == member->session;
    return error;
}

int cli_inspect_members(int fd, struct cli_ring *ring)
{
    static struct shmring_member_record records[SHMRING_MEMBER_RECORDS];
    static uint32_t held[SHMRING_MEMBER_RECORDS][2];
    const uint64_t offset = ring->geometry.members_offset;
    struct shmring_mpmc_control control;
    int error = cli_read_at(fd, &control, sizeof control, ring->geometry.control_offset);

    memset(held, 0, sizeof held);
    if (error == 0)
        error = count_slots(fd, ring, held);
    if (error == 0)
        error = cli_read_at(fd, records, sizeof records, offset);
    for (uint32_t id = 1; id <= SHMRING_MEMBER_MAX && error == 0; id++) {
        struct cli_member member = {.id = id, .writing = held[id][0], .reading = held[id][1]};

        /* relaxed: these four are copies of our own. */
        member.session = shmring_load32_relaxed(&records[id].session);
        member.pid = shmring_load32_relaxed(&records[id].pid);
        member.role = (enum shmring_member_role)shmring_load32_relaxed(&records[id].role);
        member.held_since = shmring_load64_relaxed(&records[id].held_since);
        if (member.session % 2 == 0)
            continue;
        error = read_life(fd, offset + id * sizeof *records, &member);
        add_member(ring, member);
    }
    /* relaxed: both are copies of our own. */
    ring->dropped = shmring_load64_relaxed(&control.dropped);
    ring->redelivered = shmring_load64_relaxed(&control.redelivered);
    return error;
}

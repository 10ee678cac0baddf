/* SPDX-License-Identifier: MIT */
/* Stands in for src/member.c in the explorer: locks are bytes, and who dies loses them. */
#include "member.h"

#include "explore.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Who has the lock of an id: the thread or place that was given to members_set_self(), + 1. */
static uint64_t holders[MEMBERS_MAX];
static shmring_word32 here[MEMBERS_MAX];

void members_begin(void)
{
    memset(holders, 0, sizeof holders);
    explore_keep(EXPLORE_SHARED, holders, sizeof holders);
    explore_keep(EXPLORE_PRIVATE, here, sizeof here);
}

void members_lose(uint64_t holder)
{
    for (uint32_t id = 0; id < MEMBERS_MAX; id++)
        if (holders[id] == holder)
            holders[id] = 0;
}

void members_lose_id(uint32_t id)
{
    holders[id] = 0;
}

static uint64_t self(void)
{
    return (uint64_t)(explore_me() == EXPLORE_NOBODY ? MEMBERS_NOBODY : explore_me()) + 1;
}

int shmring_member_enroll(shmring_member *ret_member, int fd, struct shmring_member_record *records,
                          enum shmring_member_role role)
{
    (void)role;
    explore_point("enroll", holders);
    for (uint32_t id = 1; id < MEMBERS_MAX; id++) {
        if (records[id].session.raw % 2 != 0 || holders[id] != 0)
            continue;
        holders[id] = self();
        records[id].session.raw++;
        here[id].raw = SHMRING_MEMBER_HERE;
        explore_saw(holders, id);
        explore_saw(holders, records[id].session.raw);
        *ret_member = (shmring_member){
            .record = &records[id],
            .here = &here[id],
            .id = id,
            .session = records[id].session.raw,
            .fd = fd,
        };
        return 0;
    }
    return -EUSERS;
}

void shmring_member_resign(shmring_member *member)
{
    explore_point("resign", holders);
    if (member->record->session.raw == member->session) {
        member->record->session.raw++;
        holders[member->id] = 0;
    }
    memset(member, 0, sizeof *member);
}

int shmring_member_check(const shmring_member *member)
{
    if (!shmring_member_is_here(member))
        return -EOWNERDEAD;
    return shmring_load32_acquire(&member->record->session) == member->session ? 0 : -ESTALE;
}

int shmring_member_seize(int fd, const struct shmring_member_record *records, uint32_t *id)
{
    (void)fd;
    explore_point("seize", holders);
    for (uint32_t next = *id + 1; next < MEMBERS_MAX; next++) {
        if (records[next].session.raw % 2 == 0 || holders[next] != 0)
            continue;
        holders[next] = self();
        explore_saw(holders, next);
        *id = next;
        return (int)next;
    }
    explore_saw(holders, 0);
    return -ENOENT;
}

void shmring_member_bury(struct shmring_member_record *records, uint32_t id, int lock_fd)
{
    (void)lock_fd;
    explore_point("bury", holders);
    records[id].session.raw++;
    holders[id] = 0;
    explore_saw(holders, id);
}

void shmring_member_leave(int lock_fd)
{
    explore_point("leave", holders);
    holders[lock_fd] = 0;
}

int shmring_member_check_object(int fd, dev_t device, ino_t inode)
{
    (void)fd;
    (void)device;
    (void)inode;
    return 0;
}

/* In place of the system's: there is no object. */
int fstat(int fd, struct stat *status)
{
    (void)fd;
    *status = (struct stat){0};
    return 0;
}

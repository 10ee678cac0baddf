/* SPDX-License-Identifier: MIT */
/* What there is to say about a ring, field by field. */
#include "cli.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>

/* The titles, in lower case, are the keys of the JSON too: they are for good. */
const struct cli_column cli_columns[CLI_FIELDS] = {
    [CLI_NAME] = {"NAME", CLI_TEXT, 0},
    [CLI_KIND] = {"KIND", CLI_TEXT, 0},
    [CLI_CAPACITY] = {"CAPACITY", CLI_NUMBER, 0},
    [CLI_USED] = {"USED", CLI_NUMBER, 0},
    [CLI_SENDER] = {"SENDER", CLI_NUMBER, 0},
    [CLI_RECEIVER] = {"RECEIVER", CLI_NUMBER, 0},
    [CLI_MODE] = {"MODE", CLI_TEXT, 0},
    [CLI_OWNER] = {"OWNER", CLI_TEXT, 0},
    [CLI_STATE] = {"STATE", CLI_TEXT, 0},
    [CLI_BACKEND] = {"BACKEND", CLI_TEXT, 0},
    [CLI_FENCE] = {"FENCE", CLI_TEXT, 0},
    [CLI_MESSAGES_SEMAPHORE] = {"MESSAGES_SEMAPHORE", CLI_TEXT, 0},
    [CLI_ROOM_SEMAPHORE] = {"ROOM_SEMAPHORE", CLI_TEXT, 0},
    [CLI_PATH] = {"PATH", CLI_TEXT, 0},
    [CLI_SIZE] = {"SIZE", CLI_NUMBER, 0},
    [CLI_ELEMENT_SIZE] = {"ELEMENT_SIZE", CLI_NUMBER, SHMRING_KIND_SPSC},
    [CLI_MAX_MESSAGE] = {"MAX_MESSAGE", CLI_NUMBER, 0},
    [CLI_TAIL] = {"TAIL", CLI_NUMBER, SHMRING_KIND_SPSC},
    [CLI_HEAD] = {"HEAD", CLI_NUMBER, SHMRING_KIND_SPSC},
    [CLI_SENDER_STATE] = {"SENDER_STATE", CLI_TEXT, SHMRING_KIND_SPSC},
    [CLI_SENDER_PID] = {"SENDER_PID", CLI_NUMBER, SHMRING_KIND_SPSC},
    [CLI_SENDER_SESSION] = {"SENDER_SESSION", CLI_NUMBER, SHMRING_KIND_SPSC},
    [CLI_RECEIVER_STATE] = {"RECEIVER_STATE", CLI_TEXT, SHMRING_KIND_SPSC},
    [CLI_RECEIVER_PID] = {"RECEIVER_PID", CLI_NUMBER, SHMRING_KIND_SPSC},
    [CLI_RECEIVER_SESSION] = {"RECEIVER_SESSION", CLI_NUMBER, SHMRING_KIND_SPSC},
    [CLI_SLOTS] = {"SLOTS", CLI_NUMBER, SHMRING_KIND_MPMC},
    [CLI_SLOT_SIZE] = {"SLOT_SIZE", CLI_NUMBER, SHMRING_KIND_MPMC},
    [CLI_REDELIVER] = {"REDELIVER", CLI_BOOLEAN, SHMRING_KIND_MPMC},
    [CLI_SENDERS] = {"SENDERS", CLI_NUMBER, SHMRING_KIND_MPMC},
    [CLI_RECEIVERS] = {"RECEIVERS", CLI_NUMBER, SHMRING_KIND_MPMC},
    [CLI_MEMBERS] = {"MEMBERS", CLI_NUMBER, SHMRING_KIND_MPMC},
    [CLI_DEAD_ONES] = {"DEAD", CLI_NUMBER, SHMRING_KIND_MPMC},
    [CLI_DROPPED] = {"DROPPED", CLI_NUMBER, SHMRING_KIND_MPMC},
    [CLI_REDELIVERED] = {"REDELIVERED", CLI_NUMBER, SHMRING_KIND_MPMC},
    [CLI_LAYOUT_VERSION] = {"LAYOUT_VERSION", CLI_NUMBER, 0},
    [CLI_INCOMPATIBLE] = {"INCOMPATIBLE", CLI_NUMBER, 0},
    [CLI_READ_ONLY_COMPATIBLE] = {"READ_ONLY_COMPATIBLE", CLI_NUMBER, 0},
    [CLI_COMPATIBLE] = {"COMPATIBLE", CLI_NUMBER, 0},
    [CLI_UID] = {"UID", CLI_NUMBER, 0},
    [CLI_GROUP] = {"GROUP", CLI_TEXT, 0},
    [CLI_GID] = {"GID", CLI_NUMBER, 0},
};

static bool format_number(uint64_t number, char ret_cell[CLI_CELL_SIZE])
{
    snprintf(ret_cell, CLI_CELL_SIZE, "%llu", (unsigned long long)number);
    return true;
}

/* 4096 as 4K, 5000 as 4.9K. */
static bool format_size(uint64_t size, char ret_cell[CLI_CELL_SIZE])
{
    static const char units[] = "KMGT";
    int unit = -1;
    uint64_t tenths = 0;

    if (size < 1024)
        return format_number(size, ret_cell);
    for (; size >= 1024 && unit < 3; unit++) {
        tenths = size % 1024 * 10 / 1024;
        size /= 1024;
    }
    if (tenths == 0)
        snprintf(ret_cell, CLI_CELL_SIZE, "%llu%c", (unsigned long long)size, units[unit]);
    else
        snprintf(ret_cell, CLI_CELL_SIZE, "%llu.%llu%c", (unsigned long long)size,
                 (unsigned long long)tenths, units[unit]);
    return true;
}

static const char *state_of(const struct cli_ring *ring, int error)
{
    bool sender = ring->senders.dead != 0, receiver = ring->receivers.dead != 0;

    if (error == -EPROTO)
        return "leftover"; /* else what is no ring is not listed */
    if (error != 0)
        return error == -EPROTONOSUPPORT ? "unsupported" : "damaged";
    if (ring->is_mute)
        return "no-semaphore";
    if (sender || receiver)
        return sender && receiver ? "both-dead" : sender ? "sender-dead" : "receiver-dead";
    return ring->senders.alive + ring->receivers.alive != 0 ? "active" : "idle";
}

/* What stands in the file system, right also when the header is not. */
static bool format_outside(const struct cli_ring *ring, enum cli_field field,
                           char ret_cell[CLI_CELL_SIZE])
{
    const struct passwd *user;
    const struct group *group;

    switch (field) {
    case CLI_NAME:
        snprintf(ret_cell, CLI_CELL_SIZE, "%s", ring->name);
        return true;
    case CLI_MODE:
        snprintf(ret_cell, CLI_CELL_SIZE, "%04o", ring->status.st_mode & 07777u);
        return true;
    case CLI_OWNER:
        user = getpwuid(ring->status.st_uid);
        if (user == NULL)
            return format_number(ring->status.st_uid, ret_cell);
        snprintf(ret_cell, CLI_CELL_SIZE, "%s", user->pw_name);
        return true;
    case CLI_PATH:
        snprintf(ret_cell, CLI_CELL_SIZE, "%s/%s", CLI_DIRECTORY, ring->name);
        return true;
    case CLI_SIZE:
        return format_number((uint64_t)ring->status.st_size, ret_cell);
    case CLI_UID:
        return format_number(ring->status.st_uid, ret_cell);
    case CLI_GROUP:
        group = getgrgid(ring->status.st_gid);
        if (group == NULL)
            return format_number(ring->status.st_gid, ret_cell);
        snprintf(ret_cell, CLI_CELL_SIZE, "%s", group->gr_name);
        return true;
    case CLI_GID:
        return format_number(ring->status.st_gid, ret_cell);
    default:
        return false;
    }
}

static bool format_role(const struct cli_role *role, enum cli_field field,
                        char ret_cell[CLI_CELL_SIZE])
{
    static const char *const states[] = {"free", "attached", "dead"};

    switch (field) {
    case CLI_SENDER_STATE:
    case CLI_RECEIVER_STATE:
        snprintf(ret_cell, CLI_CELL_SIZE, "%s", states[role->state]);
        return true;
    case CLI_SENDER_PID:
    case CLI_RECEIVER_PID:
        return format_number(role->pid, ret_cell) && role->pid != 0;
    case CLI_SENDER_SESSION:
    case CLI_RECEIVER_SESSION:
        return format_number(role->session, ret_cell);
    default:
        return format_number(role->pos, ret_cell);
    }
}

/* One is named, several are counted. */
static bool format_crowd(const struct cli_crowd *crowd, bool short_form,
                         char ret_cell[CLI_CELL_SIZE])
{
    if (crowd->alive > 1 && short_form) {
        snprintf(ret_cell, CLI_CELL_SIZE, "(%u)", crowd->alive);
        return true;
    }
    return format_number(crowd->pid, ret_cell) && crowd->alive == 1;
}

static bool format_header(const struct cli_ring *ring, enum cli_field field,
                          char ret_cell[CLI_CELL_SIZE])
{
    switch (field) {
    case CLI_LAYOUT_VERSION:
        return format_number(ring->header.layout_version, ret_cell);
    case CLI_INCOMPATIBLE:
        return format_number(ring->header.incompatible, ret_cell);
    case CLI_READ_ONLY_COMPATIBLE:
        return format_number(ring->header.read_only_compatible, ret_cell);
    default:
        return format_number(ring->header.compatible, ret_cell);
    }
}

static bool format_many(const struct cli_ring *ring, enum cli_field field,
                        char ret_cell[CLI_CELL_SIZE])
{
    switch (field) {
    case CLI_SLOTS:
        return format_number(ring->geometry.capacity, ret_cell);
    case CLI_SLOT_SIZE:
        return format_number(ring->geometry.element_size, ret_cell);
    case CLI_REDELIVER:
        snprintf(ret_cell, CLI_CELL_SIZE, "%s",
                 ring->geometry.options & SHMRING_OPTION_REDELIVER ? "yes" : "no");
        return true;
    case CLI_SENDERS:
        return format_number(ring->senders.alive, ret_cell);
    case CLI_RECEIVERS:
        return format_number(ring->receivers.alive, ret_cell);
    case CLI_MEMBERS:
        return format_number((uint64_t)ring->senders.alive + ring->receivers.alive, ret_cell);
    case CLI_DEAD_ONES:
        return format_number((uint64_t)ring->senders.dead + ring->receivers.dead, ret_cell);
    case CLI_DROPPED:
        return format_number(ring->dropped, ret_cell);
    default:
        return format_number(ring->redelivered, ret_cell);
    }
}

/* What is slept on, and how it is rung. */
static bool format_wait(const struct cli_ring *ring, enum cli_field field,
                        char ret_cell[CLI_CELL_SIZE])
{
    uint64_t options = ring->geometry.options;
    const char *text;

    switch (field) {
    case CLI_BACKEND:
        text = cli_backends[shmring_layout_backend(options)];
        break;
    case CLI_FENCE:
        text = (options & SHMRING_OPTION_LIGHT_WAKE) != 0 ? "light" : "symmetric";
        break;
    default:
        text = ring->semaphores[field == CLI_ROOM_SEMAPHORE];
        break;
    }
    snprintf(ret_cell, CLI_CELL_SIZE, "%s", text);
    return *text != '\0';
}

/* What a good header, and what is behind it, say. */
static bool format_inside(const struct cli_ring *ring, enum cli_field field, bool short_form,
                          char ret_cell[CLI_CELL_SIZE])
{
    const shmring_geometry *geometry = &ring->geometry;
    const char *kind = geometry->kind == SHMRING_KIND_MPMC ? "mpmc" : "spsc";

    switch (field) {
    case CLI_KIND:
        if (geometry->element_size == 0)
            snprintf(ret_cell, CLI_CELL_SIZE, "%s", kind);
        else
            snprintf(ret_cell, CLI_CELL_SIZE, "%s:%u", kind, geometry->element_size);
        return true;
    case CLI_CAPACITY:
    case CLI_USED: {
        uint64_t size = field == CLI_USED ? ring->used : geometry->capacity;
        return short_form ? format_size(size, ret_cell) : format_number(size, ret_cell);
    }
    case CLI_BACKEND:
    case CLI_FENCE:
    case CLI_MESSAGES_SEMAPHORE:
    case CLI_ROOM_SEMAPHORE:
        return format_wait(ring, field, ret_cell);
    case CLI_ELEMENT_SIZE:
        return format_number(geometry->element_size, ret_cell);
    case CLI_MAX_MESSAGE:
        return format_number(geometry->max_message, ret_cell) && geometry->max_message != 0;
    case CLI_SENDER:
        return format_crowd(&ring->senders, short_form, ret_cell);
    case CLI_RECEIVER:
        return format_crowd(&ring->receivers, short_form, ret_cell);
    case CLI_SENDER_STATE:
    case CLI_SENDER_PID:
    case CLI_SENDER_SESSION:
    case CLI_TAIL:
        return format_role(&ring->sender, field, ret_cell);
    case CLI_RECEIVER_STATE:
    case CLI_RECEIVER_PID:
    case CLI_RECEIVER_SESSION:
    case CLI_HEAD:
        return format_role(&ring->receiver, field, ret_cell);
    default:
        return field >= CLI_LAYOUT_VERSION ? format_header(ring, field, ret_cell)
                                           : format_many(ring, field, ret_cell);
    }
}

bool cli_format(const struct cli_ring *ring, int error, enum cli_field field, bool short_form,
                char ret_cell[CLI_CELL_SIZE])
{
    uint32_t kind = cli_columns[field].kind;

    if (format_outside(ring, field, ret_cell))
        return true;
    if (field == CLI_STATE) {
        snprintf(ret_cell, CLI_CELL_SIZE, "%s", state_of(ring, error));
        return true;
    }
    return error == 0 && (kind == 0 || kind == ring->geometry.kind) &&
           format_inside(ring, field, short_form, ret_cell);
}

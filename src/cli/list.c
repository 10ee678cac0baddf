/* SPDX-License-Identifier: MIT */
/* ls and info: one table of columns, for people and as JSON. */
#include "cli.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libsmartcols.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CELL_SIZE = 256 };

/* clang-format off */
enum field {
    NAME, KIND, CAPACITY, USED, SENDER, RECEIVER, MODE, OWNER, STATE,
    PATH, SIZE, ELEMENT_SIZE, MAX_MESSAGE, TAIL, HEAD,
    SENDER_STATE, SENDER_PID, SENDER_SESSION, RECEIVER_STATE, RECEIVER_PID, RECEIVER_SESSION,
    LAYOUT_VERSION, INCOMPATIBLE, READ_ONLY_COMPATIBLE, COMPATIBLE, UID, GROUP, GID,
    FIELDS,
    LS_FIELDS = STATE + 1,
};
/* clang-format on */

/* The titles, in lower case, are the keys of the JSON too: they are for good. */
static const struct {
    const char *title;
    bool number;
} columns[FIELDS] = {
    [NAME] = {"NAME", false},
    [KIND] = {"KIND", false},
    [CAPACITY] = {"CAPACITY", true},
    [USED] = {"USED", true},
    [SENDER] = {"SENDER", true},
    [RECEIVER] = {"RECEIVER", true},
    [MODE] = {"MODE", false},
    [OWNER] = {"OWNER", false},
    [STATE] = {"STATE", false},
    [PATH] = {"PATH", false},
    [SIZE] = {"SIZE", true},
    [ELEMENT_SIZE] = {"ELEMENT_SIZE", true},
    [MAX_MESSAGE] = {"MAX_MESSAGE", true},
    [TAIL] = {"TAIL", true},
    [HEAD] = {"HEAD", true},
    [SENDER_STATE] = {"SENDER_STATE", false},
    [SENDER_PID] = {"SENDER_PID", true},
    [SENDER_SESSION] = {"SENDER_SESSION", true},
    [RECEIVER_STATE] = {"RECEIVER_STATE", false},
    [RECEIVER_PID] = {"RECEIVER_PID", true},
    [RECEIVER_SESSION] = {"RECEIVER_SESSION", true},
    [LAYOUT_VERSION] = {"LAYOUT_VERSION", true},
    [INCOMPATIBLE] = {"INCOMPATIBLE", true},
    [READ_ONLY_COMPATIBLE] = {"READ_ONLY_COMPATIBLE", true},
    [COMPATIBLE] = {"COMPATIBLE", true},
    [UID] = {"UID", true},
    [GROUP] = {"GROUP", false},
    [GID] = {"GID", true},
};

/* A table of the first fields; upright: a line for each ring (always so in JSON), else a line for
 * each field. */
struct listing {
    struct libscols_table *table;
    int fields;
    bool json;
    bool upright;
};

static int no_memory(void)
{
    return cli_say(CLI_FAILED, "out of memory");
}

static void format_number(uint64_t number, char cell[CELL_SIZE])
{
    snprintf(cell, CELL_SIZE, "%llu", (unsigned long long)number);
}

/* 4096 as 4K, 5000 as 4.9K. */
static void format_size(uint64_t size, char cell[CELL_SIZE])
{
    static const char units[] = "KMGT";
    int unit = -1;
    uint64_t tenths = 0;

    if (size < 1024) {
        format_number(size, cell);
        return;
    }
    for (; size >= 1024 && unit < 3; unit++) {
        tenths = size % 1024 * 10 / 1024;
        size /= 1024;
    }
    if (tenths == 0)
        snprintf(cell, CELL_SIZE, "%llu%c", (unsigned long long)size, units[unit]);
    else
        snprintf(cell, CELL_SIZE, "%llu.%llu%c", (unsigned long long)size,
                 (unsigned long long)tenths, units[unit]);
}

static const char *state_of(const struct cli_ring *ring, int error)
{
    bool sender = ring->sender.state == CLI_DEAD, receiver = ring->receiver.state == CLI_DEAD;

    if (error != 0)
        return error == -EPROTONOSUPPORT ? "unsupported" : "damaged";
    if (sender || receiver)
        return sender && receiver ? "both-dead" : sender ? "sender-dead" : "receiver-dead";
    if (ring->sender.state == CLI_ATTACHED || ring->receiver.state == CLI_ATTACHED)
        return "active";
    return "idle";
}

/* What stands in the file system, right also when the header is not. */
static bool format_outside(const struct cli_ring *ring, enum field field, char cell[CELL_SIZE])
{
    const struct passwd *user;
    const struct group *group;

    switch (field) {
    case NAME:
        snprintf(cell, CELL_SIZE, "%s", ring->name);
        return true;
    case MODE:
        snprintf(cell, CELL_SIZE, "%04o", ring->status.st_mode & 07777u);
        return true;
    case OWNER:
        user = getpwuid(ring->status.st_uid);
        if (user != NULL)
            snprintf(cell, CELL_SIZE, "%s", user->pw_name);
        else
            format_number(ring->status.st_uid, cell);
        return true;
    case PATH:
        snprintf(cell, CELL_SIZE, "%s/%s", CLI_DIRECTORY, ring->name);
        return true;
    case SIZE:
        format_number((uint64_t)ring->status.st_size, cell);
        return true;
    case UID:
        format_number(ring->status.st_uid, cell);
        return true;
    case GROUP:
        group = getgrgid(ring->status.st_gid);
        if (group != NULL)
            snprintf(cell, CELL_SIZE, "%s", group->gr_name);
        else
            format_number(ring->status.st_gid, cell);
        return true;
    case GID:
        format_number(ring->status.st_gid, cell);
        return true;
    default:
        return false;
    }
}

static bool format_role(const struct cli_role *role, enum field field, char cell[CELL_SIZE])
{
    static const char *const states[] = {"free", "attached", "dead"};

    switch (field) {
    case SENDER:
    case RECEIVER:
        format_number(role->pid, cell);
        return role->state == CLI_ATTACHED;
    case SENDER_STATE:
    case RECEIVER_STATE:
        snprintf(cell, CELL_SIZE, "%s", states[role->state]);
        return true;
    case SENDER_PID:
    case RECEIVER_PID:
        format_number(role->pid, cell);
        return role->pid != 0;
    case SENDER_SESSION:
    case RECEIVER_SESSION:
        format_number(role->session, cell);
        return true;
    default:
        format_number(role->pos, cell);
        return true;
    }
}

/* What a good header and the role pages say. */
static bool format_inside(const struct cli_ring *ring, enum field field, char cell[CELL_SIZE])
{
    const shmring_geometry *geometry = &ring->geometry;

    switch (field) {
    case KIND:
        snprintf(cell, CELL_SIZE, geometry->element_size == 0 ? "spsc" : "spsc:%u",
                 geometry->element_size);
        return true;
    case CAPACITY:
        format_number(geometry->capacity, cell);
        return true;
    case USED:
        format_number(ring->used, cell);
        return true;
    case ELEMENT_SIZE:
        format_number(geometry->element_size, cell);
        return true;
    case MAX_MESSAGE:
        format_number(geometry->max_message, cell);
        return geometry->element_size == 0;
    case LAYOUT_VERSION:
        format_number(ring->header.layout_version, cell);
        return true;
    case INCOMPATIBLE:
        format_number(ring->header.incompatible, cell);
        return true;
    case READ_ONLY_COMPATIBLE:
        format_number(ring->header.read_only_compatible, cell);
        return true;
    case COMPATIBLE:
        format_number(ring->header.compatible, cell);
        return true;
    case SENDER:
    case SENDER_STATE:
    case SENDER_PID:
    case SENDER_SESSION:
    case TAIL:
        return format_role(&ring->sender, field, cell);
    default:
        return format_role(&ring->receiver, field, cell);
    }
}

/* False: there is nothing to say, "-" or null. error: what cli_inspect() said. */
static bool format_field(const struct listing *listing, const struct cli_ring *ring, int error,
                         enum field field, char cell[CELL_SIZE])
{
    if (format_outside(ring, field, cell))
        return true;
    if (field == STATE) {
        snprintf(cell, CELL_SIZE, "%s", state_of(ring, error));
        return true;
    }
    if (error == 0 && !listing->json && listing->upright && (field == CAPACITY || field == USED)) {
        format_size(field == CAPACITY ? ring->geometry.capacity : ring->used, cell);
        return true;
    }
    return error == 0 && format_inside(ring, field, cell);
}

static int start(struct listing *listing, const char *title)
{
    struct libscols_table *table = scols_new_table();
    int failed = table == NULL;

    listing->table = table;
    if (failed)
        return no_memory();
    failed |= scols_table_enable_json(table, listing->json);
    failed |= scols_table_set_name(table, title);
    failed |= scols_table_enable_noheadings(table, !listing->upright);
    for (int i = 0; i < (listing->upright ? listing->fields : 2); i++) {
        bool number = listing->upright && columns[i].number;
        const char *name = listing->upright ? columns[i].title : "";
        struct libscols_column *column =
            scols_table_new_column(table, name, 0, number ? SCOLS_FL_RIGHT : 0);

        failed |= column == NULL;
        if (column != NULL && number)
            failed |= scols_column_set_json_type(column, SCOLS_JSON_NUMBER);
    }
    return failed ? no_memory() : CLI_OK;
}

static int add_ring(struct listing *listing, const struct cli_ring *ring, int error)
{
    struct libscols_line *line = NULL;
    char cell[CELL_SIZE];
    int failed = 0;

    for (int i = 0; i < listing->fields && !failed; i++) {
        bool known = format_field(listing, ring, error, (enum field)i, cell);
        const char *text = known ? cell : listing->json ? NULL : "-";

        if (line == NULL || !listing->upright)
            line = scols_table_new_line(listing->table, NULL);
        failed |= line == NULL;
        if (!failed && !listing->upright) {
            char title[32];
            int length = snprintf(title, sizeof title, "%s", columns[i].title);
            for (int j = 0; j < length; j++)
                title[j] = (char)(title[j] == '_' ? ' ' : tolower((unsigned char)title[j]));
            failed |= scols_line_set_data(line, 0, title) || scols_line_set_data(line, 1, text);
        } else if (!failed && text != NULL) {
            failed |= scols_line_set_data(line, (size_t)i, text);
        }
    }
    return failed ? no_memory() : CLI_OK;
}

/* The library has no place for the schema: it comes before the rest of the outermost object. */
static int print(struct listing *listing, const char *schema)
{
    char *text = NULL;

    if (!listing->json)
        return scols_print_table(listing->table) != 0 ? no_memory() : CLI_OK;
    if (scols_print_table_to_string(listing->table, &text) != 0)
        return no_memory();
    const char *rest = strchr(text, '{');
    printf("{\n   \"schema\": \"%s\",%s", schema, rest != NULL ? rest + 1 : "\"rings\": []}\n");
    free(text);
    return CLI_OK;
}

static int compare(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

static int is_name(const struct dirent *entry)
{
    return shmring_segment_check_name(entry->d_name) == 0;
}

/* All that is a ring or was one. What we may not read, or is gone meanwhile, is left out. */
static int add_all(struct listing *listing)
{
    struct dirent **entries = NULL;
    int count = scandir(CLI_DIRECTORY, &entries, is_name, compare);
    int directory = open(CLI_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int status = CLI_OK;

    if (count < 0 || directory < 0)
        status = cli_say(CLI_FAILED, "%s: %s", CLI_DIRECTORY, strerror(errno));
    for (int i = 0; i < count; i++) {
        struct cli_ring ring;
        if (status == CLI_OK) {
            int error = cli_inspect(directory, entries[i]->d_name, &ring);
            if (error == 0 || error == -EBADMSG || error == -EPROTONOSUPPORT)
                status = add_ring(listing, &ring, error);
        }
        free(entries[i]);
    }
    free(entries);
    if (directory >= 0)
        close(directory);
    return status;
}

int cli_ls(const struct cli_options *options)
{
    struct listing listing = {.fields = LS_FIELDS, .json = options->json, .upright = true};
    int status = start(&listing, "rings");

    if (status == CLI_OK)
        status = add_all(&listing);
    if (status == CLI_OK)
        status = print(&listing, "shmring.ls/1");
    scols_unref_table(listing.table);
    return status;
}

int cli_info(const struct cli_options *options)
{
    struct listing listing = {.fields = FIELDS, .json = options->json, .upright = options->json};
    const char *name = options->arguments[0];
    struct cli_ring ring;
    int directory, status = cli_check_name(name);

    if (status != CLI_OK)
        return status;
    directory = open(CLI_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return cli_fail(name, -errno, NULL);
    int error = cli_inspect(directory, name, &ring);
    close(directory);
    if (error != 0)
        return cli_fail(name, error, NULL);
    status = start(&listing, "rings");
    if (status == CLI_OK)
        status = add_ring(&listing, &ring, error);
    if (status == CLI_OK)
        status = print(&listing, "shmring.info/1");
    scols_unref_table(listing.table);
    return status;
}
